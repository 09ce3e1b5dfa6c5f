/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "configured.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/match.h"
#include "device-volume.h"
#include "host/folders.h"

/* Nobody has said how large all that is free will be. */
static bool same_size(const struct size_spec *a, const struct size_spec *b)
{
	return a->kind == SIZE_BYTES && b->kind == SIZE_BYTES && a->bytes == b->bytes;
}

/* What is there of it; NULL: nothing yet. */
static const struct volume_view *find_view(const struct device_run *run, const struct volume *want)
{
	for (size_t i = 0; i < run->volumes.n; i++)
		if (device_volume_is(want, &run->volumes.views[i]))
			return &run->volumes.views[i];
	return NULL;
}

/* The configuration may know by its name what the verb knows by its uuid. */
static const char *name_of(const struct volume_view *view, const struct partition *partition)
{
	const struct partition_table *table = !view		       ? NULL :
					      view->ns && view->ns->disk ? &view->ns->disk->table :
					      view->device	       ? view->device->table :
									 NULL;

	for (size_t i = 0; !partition->name && table && i < table->n_entries; i++)
		if (uuid_equal(&table->entries[i].uuid, &partition->uuid))
			return table->entries[i].name;
	return partition->name;
}

/* What the configuration says otherwise: the key, and of which of its partitions. */
struct difference {
	const char *key; /* NULL: nothing */
	const struct partition *partition; /* NULL: of the volume itself */
};

static struct difference compare_partition(const struct volume *host,
					   const struct volume_view *view,
					   const struct partition *partition)
{
	const char *name = name_of(view, partition);

	for (size_t i = 0; i < host->n_partitions; i++) {
		const struct partition *other = &host->partitions[i];
		bool same = uuid_is_set(&other->uuid) ?
				    uuid_equal(&other->uuid, &partition->uuid) :
				    name && other->name && strcmp(name, other->name) == 0;

		if (same && partition->absent != other->absent)
			return (struct difference){ "ensure", other };
		if (same && !partition->absent && !same_size(&partition->size, &other->size))
			return (struct difference){ "size", other };
	}
	return (struct difference){ 0 };
}

/* Is it to be larger or smaller than it is, and not as the configuration says? */
static bool size_differs(const struct volume *host, const struct volume_view *view,
			 const struct volume *want)
{
	return view && want->size.kind == SIZE_BYTES && want->size.bytes != view->size &&
	       !same_size(&host->size, &want->size);
}

static bool align_differs(const struct volume *host, const struct volume_view *view,
			  const struct volume *want)
{
	uint64_t now = !view ? 0 : view->ns ? view->ns->align : view->device->align;

	return now && host->align && want->align != now && want->align != host->align;
}

/* Maps of a table that is lost may go: daxd has nothing to make them of again. */
static bool gives_up(const struct disk *disk)
{
	return disk->n_maps && !table_has_entries(&disk->table);
}

/* The key of the volume itself in which the two differ, or NULL. */
static const char *find_key(const struct volume *host, const struct volume_view *view,
			    const struct volume *want)
{
	enum partitioning policy = host->has_partitioning ? host->partitioning : PARTITIONING_AUTO;

	if (host->absent || want->absent)
		return host->absent ? NULL : "ensure";
	if (host->mode != want->mode)
		return "mode";
	if (host->enabled != want->enabled)
		return "enabled";
	if (want->mode == MODE_SYSTEM_RAM && host->online != want->online)
		return "online";
	if (want->mode == MODE_SYSTEM_RAM && want->online && host->zone != want->zone)
		return "zone";
	if (size_differs(host, view, want))
		return "size";
	if (align_differs(host, view, want))
		return "align";
	if ((host->has_partitioning || host->n_partitions) && want->has_partitioning && view &&
	    want->partitioning != view->ns->disk->policy && want->partitioning != policy &&
	    !gives_up(view->ns->disk))
		return "partitioning";
	return NULL;
}

static struct difference find_difference(const struct volume *host, const struct volume_view *view,
					 const struct volume *want)
{
	struct difference found = { .key = find_key(host, view, want) };

	for (size_t i = 0; !found.key && !host->absent && i < want->n_partitions; i++)
		found = compare_partition(host, view, &want->partitions[i]);
	return found;
}

/* What is somebody else's for the verb may be configured by its label, or have no label at all. */
static const struct volume *find_host(const struct config *host, const struct volume *want,
				      const struct volume_view *view)
{
	const char *name = !want->foreign ? want->name : view ? volume_name(view) : NULL;

	for (size_t i = 0; name && i < host->n_volumes; i++) {
		const struct volume *volume = &host->volumes[i];

		/* A label of the same name elsewhere is none of it. */
		if (strcmp(volume->name, name) == 0 &&
		    (!view || !volume->has_region || selector_admits(&volume->region, view->region)))
			return volume;
	}
	return NULL;
}

static bool is_made_again(const struct difference *difference)
{
	return strcmp(difference->key, "ensure") == 0 &&
	       !(difference->partition && difference->partition->absent);
}

/* How it is configured, and what daxd would do; NULL: no memory. */
static char *describe(const struct volume *host, const struct difference *difference)
{
	char *text = NULL;
	int r;

	if (is_made_again(difference))
		r = asprintf(&text, "and would be made again");
	else if (strcmp(difference->key, "ensure") == 0)
		r = asprintf(&text, "with \"ensure\": \"absent\", and would be removed again");
	else if (strcmp(difference->key, "partitioning") != 0)
		r = asprintf(&text, "with another \"%s\", which daxd would put back",
			     difference->key);
	else if (host->has_partitioning)
		r = asprintf(&text, "with \"partitioning\": \"%s\", which daxd would put back",
			     partitioning_word(host->partitioning));
	else
		r = asprintf(&text, "with \"partitions\" and no \"partitioning\", which means "
			     "\"auto\", and daxd would put that back");
	return r < 0 ? NULL : text;
}

static void refuse(struct device_run *run, const struct volume *host,
		   const struct difference *difference)
{
	const struct partition *partition = difference->partition;
	_cleanup_(freep) char *what = describe(host, difference), *pointer = NULL;
	struct volume_path at;

	pointer = path_to_pointer(partition ? partition_path(&at, host, partition, NULL) :
					      volume_path(&at, host, NULL));
	device_refuse(run, host->name, EINVAL,
		      is_made_again(difference) ?
			      "take it out of that file first, then \"daxctl-ext apply\" where daxd "
			      "runs" :
			      "change it there instead, then \"daxctl-ext apply\"",
		      "It is configured in %s, %s, %s.", host->file, pointer ? pointer : "",
		      what ? what : "");
}

void configured_refuse(struct device_run *run)
{
	_cleanup_(report_clear) struct report mistakes = REPORT_INIT;
	_cleanup_(config_freep) struct config *host = NULL;
	struct config *config = run->config;
	size_t kept = 0;

	/* What nobody can read, or is wrong, daxd leaves out, too; and nobody puts it back without one. */
	if (run->options->topology || client_is_switched_off() ||
	    folders_load(folders_of_host, &host, &mistakes) < 0)
		return;
	for (size_t i = 0; i < config->n_volumes; i++) {
		struct volume *want = &config->volumes[i];
		const struct volume_view *view = find_view(run, want);
		const struct volume *found = find_host(host, want, view);
		struct difference difference = { 0 };

		if (found)
			difference = find_difference(found, view, want);
		if (difference.key) {
			refuse(run, found, &difference);
			volume_clear(want);
		} else {
			config->volumes[kept++] = *want;
		}
	}
	config->n_volumes = kept;
}
