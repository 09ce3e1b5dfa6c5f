/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steps of one kind on different dax devices.  A step on a device that was not there when the
 * plan was made gets its name beforehand, so that it need not walk the region; udev is waited
 * for once.
 */
#include "exec/kernel.h"

#include <string.h>

/* Does the step name a device that is there already, and by its address? */
static bool is_by_address(const struct step *step)
{
	return step->kind != STEP_CREATE_DEVICE && !uuid_is_set(&step->uuid);
}

/* The name of today; a region is walked when a device is not known, but once. */
static void give_name(struct kernel_index *index, struct step *step, const char **walked)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	const char *name = kernel_index_find(index, step->region, step->start);

	if (!name && (!*walked || strcmp(*walked, step->region) != 0)) {
		*walked = step->region;
		/* What cannot be read now is told by the step itself. */
		if (kernel_index_read(index, step, &error) == 0)
			name = kernel_index_find(index, step->region, step->start);
	}
	if (name)
		step->object = strdup(name); /* NULL: it is found by a walk */
}

static void run(struct kernel *kernel, struct step_group *group)
{
	enum step_kind kind = group->steps[0]->kind;

	if (kind == STEP_CREATE_DEVICE)
		kernel_create_devices(&kernel->index, &kernel->notices, group);
	else if (kind == STEP_DESTROY_DEVICE)
		kernel_destroy_devices(&kernel->index, group);
	else if (kind == STEP_BIND)
		kernel_bind_all(group);
	else if (kind == STEP_UNBIND)
		kernel_unbind_all(group);
	else
		kernel_publish_all(&kernel->notices, group);
}

void kernel_run_on_devices(struct kernel *kernel, struct step_group *group)
{
	_cleanup_(freep) struct step *named = calloc(group->n, sizeof(*named));
	_cleanup_(freep) const struct step **steps = calloc(group->n, sizeof(*steps));
	struct step_group of_named = *group;
	const char *walked = NULL;

	if (!named || !steps) {
		run(kernel, group); /* slower, that is all */
		return;
	}
	for (size_t i = 0; i < group->n; i++) {
		named[i] = *group->steps[i];
		steps[i] = &named[i];
		if (!named[i].object && is_by_address(&named[i]))
			give_name(&kernel->index, &named[i], &walked);
	}
	of_named.steps = steps;
	run(kernel, &of_named);
	for (size_t i = 0; i < group->n; i++)
		if (named[i].object != group->steps[i]->object)
			free(named[i].object); /* the rest belongs to the plan */
}
