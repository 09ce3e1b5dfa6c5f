/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that change the records: however many there are, the file is written once. */
#include "exec/kernel.h"

#include <errno.h>
#include <string.h>

#include "exec/state.h"

static int check_record(const struct state *state, const char *path, const struct step *step,
			struct error *reterr)
{
	const struct record *record = state_find(state, step->label);

	if (step->kind == STEP_FORGET)
		return record ? error_set(reterr, EIO, "The record of %s is there still.",
					  step->label) : 0;
	if (!record || strcmp(record->mode, step->record_mode) != 0 ||
	    record->until_reboot != step->until_reboot ||
	    !range_list_same_bytes(&record->ranges, &step->ranges))
		return error_set(reterr, EIO, "%s does not have the record of %s.", path,
				 step->label);
	return 0;
}

int kernel_verify_record(const char *path, const struct step *step, struct error *reterr)
{
	_cleanup_(state_clear) struct state state = { 0 };
	int r = state_read(path, &state, reterr);

	return r < 0 ? r : check_record(&state, path, step, reterr);
}

static struct state_change change_of(const struct step *step)
{
	if (step->kind == STEP_FORGET)
		return (struct state_change){ .volume = step->label };
	return (struct state_change){ step->label, step->record_mode, &step->ranges,
				      step->until_reboot };
}

/* What the devices of forgotten records were published as goes too: they may be gone already. */
static void unpublish(const struct state *before, const struct step *const *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct record *record = steps[i]->kind == STEP_FORGET ?
						      state_find(before, steps[i]->label) : NULL;

		if (record && record->ranges.n)
			kernel_unpublish_start(record->ranges.ranges[0].start);
	}
}

static int change(const char *path, const struct step *const *steps, size_t n,
		  struct error *reterr)
{
	_cleanup_(freep) struct state_change *changes = calloc(n, sizeof(*changes));
	_cleanup_(state_clear) struct state before = { 0 };
	int r;

	if (!changes)
		return error_oom(reterr);
	for (size_t i = 0; i < n; i++)
		changes[i] = change_of(steps[i]);
	r = state_read(path, &before, reterr);
	if (r == 0)
		r = state_change(path, changes, n, reterr);
	if (r == 0)
		unpublish(&before, steps, n);
	return r;
}

int kernel_change_record(const char *path, const struct step *step, struct error *reterr)
{
	return change(path, &step, 1, reterr);
}

static int change_records(const char *path, const struct step_group *group, struct state *ret,
			  struct error *reterr)
{
	int r = change(path, group->steps, group->n, reterr);

	return r < 0 ? r : state_read(path, ret, reterr);
}

void kernel_change_records(const char *path, struct step_group *group)
{
	_cleanup_(state_clear) struct state state = { 0 };
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	int r = change_records(path, group, &state, &error);

	for (size_t i = 0; i < group->n; i++) {
		if (r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else
			(void)check_record(&state, path, group->steps[i], &group->errors[i]);
		group->over(group->userdata, i);
	}
}
