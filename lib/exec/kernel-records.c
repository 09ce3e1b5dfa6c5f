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
	    !range_list_equal(&record->ranges, &step->ranges))
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
	return (struct state_change){ step->label, step->record_mode, &step->ranges };
}

int kernel_change_record(const char *path, const struct step *step, struct error *reterr)
{
	const struct state_change change = change_of(step);

	return state_change(path, &change, 1, reterr);
}

static int change_records(const char *path, const struct step_group *group, struct state *ret,
			  struct error *reterr)
{
	_cleanup_(freep) struct state_change *changes = calloc(group->n, sizeof(*changes));
	int r;

	if (!changes)
		return error_oom(reterr);
	for (size_t i = 0; i < group->n; i++)
		changes[i] = change_of(group->steps[i]);
	r = state_change(path, changes, group->n, reterr);
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
