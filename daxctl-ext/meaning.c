/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meaning.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "part.h"
#include "problem.h"

#define SHOWN_MAX 8

static bool is_number(const char *text, int n)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", n);
	return strcmp(text, number) == 0;
}

bool meaning_region_is(const struct region *region, const char *name)
{
	const char *number;

	if (!name || strcmp(name, "all") == 0 || strcmp(name, region->name) == 0)
		return true;
	number = strncmp(name, "region", 6) == 0 ? name + 6 : name;
	if (region->id >= 0 && is_number(number, region->id))
		return true;
	return strncmp(region->name, "region", 6) == 0 && strcmp(region->name + 6, number) == 0;
}

/* Is it the only one of that name, wherever? */
static bool is_own(const struct volumes *volumes, const struct volume_view *view, const char *name)
{
	if (!name)
		return false;
	for (size_t i = 0; i < volumes->n; i++)
		if (&volumes->views[i] != view && volume_is_called(&volumes->views[i], name))
			return false;
	return true;
}

/* The kernel's name for it, or its uuid, or its node: one of them is nobody else's. */
static char *own_name(const struct volumes *volumes, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	const char *names[] = { view->device ? view->device->name : NULL,
				ns ? ns->name : NULL, ns ? ns->blockdev : NULL,
				ns && uuid_is_set(&ns->uuid) ? ns->uuid.text : NULL };
	char *path;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_own(volumes, view, names[i]))
			return strdup(names[i]);
	return asprintf(&path, "/dev/%s", view->device ? view->device->name :
					  ns->blockdev ? ns->blockdev : ns->name) < 0 ? NULL : path;
}

/* What the name means, and what to say instead. */
struct meanings {
	struct text what, instead;
	size_t n;
};

static void add(struct meanings *meanings, const struct volumes *volumes,
		const struct volume_view *view)
{
	_cleanup_(freep) char *own = own_name(volumes, view);
	const char *separator = meanings->n ? ", " : "";

	if (meanings->n++ >= SHOWN_MAX)
		return;
	text_add(&meanings->what, "%s%s (%s in %s)", separator,
		 view->device	    ? view->device->name :
		 view->ns->blockdev ? view->ns->blockdev :
				      view->ns->name,
		 view->mode, view->region->name);
	text_add(&meanings->instead, "%s%s", separator, own ? own : "its uuid");
}

/* A volume that is recorded, and will come; one until reboot whose device is gone is nothing. */
static bool is_only_recorded(const struct topology *topology, const struct volumes *volumes,
			     const char *name)
{
	const struct record *record = topology_find_record(topology, name);

	for (size_t i = 0; record && i < volumes->n; i++)
		if (volumes->views[i].record == record)
			return false;
	return record && !record->until_reboot;
}

static void refuse(struct report *problems, struct meanings *meanings, const char *name)
{
	_cleanup_(freep) char *what = text_finish(&meanings->what);
	_cleanup_(freep) char *instead = text_finish(&meanings->instead);
	_cleanup_(freep) char *hint = NULL;
	const char *more = meanings->n > SHOWN_MAX ? " and others" : "";

	if (asprintf(&hint, "say which: %s%s.", instead ? instead : "", more) < 0)
		hint = NULL;
	problem_add(problems, ENOTUNIQ, hint, "\"%s\" means more than one thing: %s%s.", name,
		    what ? what : "", more);
}

bool meaning_refuse_several(struct report *problems, const struct topology *topology,
			    const struct volumes *volumes, const char *name, const char *region)
{
	bool all = strcmp(name, "all") == 0, everywhere = !region || strcmp(region, "all") == 0;
	struct meanings meanings = { .n = 0 };
	struct part part;

	for (size_t i = 0; i < volumes->n; i++)
		if (meaning_region_is(volumes->views[i].region, region) &&
		    volume_is_called(&volumes->views[i], name))
			add(&meanings, volumes, &volumes->views[i]);
	if (!meanings.n)
		return false;
	if (all && meanings.n++ < SHOWN_MAX) {
		text_add(&meanings.what, ", every device");
		text_add(&meanings.instead, ", or each device by its name");
	}
	if (part_find(volumes, name, &part) && meanings.n++ < SHOWN_MAX) {
		text_add(&meanings.what, ", a partition");
		text_add(&meanings.instead, ", /dev/%s", name);
	}
	if (everywhere && is_only_recorded(topology, volumes, name) && meanings.n++ < SHOWN_MAX)
		text_add(&meanings.what, ", a volume that is recorded and not there");
	if (meanings.n > 1) {
		refuse(problems, &meanings, name);
		return true;
	}
	free(text_finish(&meanings.what));
	free(text_finish(&meanings.instead));
	return false;
}
