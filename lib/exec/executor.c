/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/executor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/topology-json.h"
#include "exec/undo.h"

/* A cancelled run ends within one group, and a failure finds few volumes half made. */
#define GROUP_MAX 64

enum progress { TODO, DONE, FAILED, SKIPPED, UNDONE };

struct run {
	struct executor *executor;
	const struct plan *plan;
	struct topology *before;
	enum progress *progress; /* of each step */
	/* The group that runs, as indexes into the plan. */
	size_t members[GROUP_MAX];
	struct error errors[GROUP_MAX];
	size_t n_members;
};

static void run_clear(struct run *run)
{
	topology_free(run->before);
	free(run->progress);
}

static void tell(struct run *run, struct event *event)
{
	run->executor->tell(run->executor->userdata, event);
}

static void show(struct run *run)
{
	if (run->executor->told)
		run->executor->told(run->executor->userdata);
}

/* error may be NULL; it stays the caller's. */
static void tell_step(struct run *run, size_t step, enum step_state state, struct error *error)
{
	struct event event = { .kind = EVENT_STEP, .step = step, .state = state };

	if (error)
		event.error = *error;
	tell(run, &event);
}

/* Steps that tell progress run alone. */
static void tell_progress(void *userdata, uint64_t done, uint64_t total)
{
	struct run *run = userdata;
	struct event event = { .kind = EVENT_STEP, .step = run->members[0], .state = STEP_PROGRESS,
			       .done = done, .total = total };

	tell(run, &event);
	show(run);
}

static enum outcome tell_end(struct run *run, enum outcome outcome, struct error *error)
{
	struct event event = { .kind = EVENT_END, .outcome = outcome };

	if (error)
		event.error = *error;
	tell(run, &event);
	show(run);
	return outcome;
}

static int note(struct run *run, enum journal_phase phase, size_t index, const struct step *step,
		const struct error *cause, struct error *reterr)
{
	if (!run->executor->journal)
		return 0;
	return journal_write(run->executor->journal, phase, index, step, cause, reterr);
}

static int sync_notes(struct run *run, struct error *reterr)
{
	return run->executor->journal ? journal_sync(run->executor->journal, reterr) : 0;
}

static bool same_chain(const struct step *a, const struct step *b)
{
	if (a->volume || b->volume)
		return a->volume && b->volume && strcmp(a->volume, b->volume) == 0;
	return a->region && b->region && strcmp(a->region, b->region) == 0;
}

/* Take back one step; false: leave it and everything before it as it is. */
static bool undo_step(struct run *run, size_t i)
{
	const struct step *step = &run->plan->steps[i];
	struct step inverse = { 0 };
	struct error error = ERROR_INIT;
	enum undo undo = step_undo(step, run->before, &inverse);
	int r;

	if (undo != UNDO_STEP)
		return undo == UNDO_NOTHING;
	r = note(run, JOURNAL_UNDO, i, &inverse, NULL, &error);
	if (r == 0)
		r = sync_notes(run, &error);
	if (r == 0)
		r = backend_apply(run->executor->backend, &inverse, &error);
	tell_step(run, i, STEP_UNDONE, r < 0 ? &error : NULL);
	if (r == 0)
		run->progress[i] = UNDONE; /* nothing that comes after it may be done now */
	step_clear(&inverse);
	error_clear(&error);
	return r == 0;
}

/*
 * A failed step should have left nothing behind.  Make sure of it before the steps that it
 * rests on go: a device must not lose the record that says whose it is.  What it was refused for,
 * because it is there, is somebody else's.
 */
static bool undo_remains(struct run *run, size_t failed, const struct error *error_of)
{
	struct step inverse = { 0 };
	struct error error = ERROR_INIT;
	int r = 0;

	if (error_of->code != EEXIST &&
	    step_undo(&run->plan->steps[failed], run->before, &inverse) == UNDO_STEP)
		r = backend_apply(run->executor->backend, &inverse, &error);
	step_clear(&inverse);
	error_clear(&error);
	return r == 0 || r == -ENOENT;
}

/* Take back what was done of the volume of a step: what ran beside it, and what came before. */
static void undo_chain(struct run *run, size_t step)
{
	for (size_t i = run->plan->n_steps; i-- > 0;) {
		if (run->progress[i] != DONE ||
		    !same_chain(&run->plan->steps[i], &run->plan->steps[step]))
			continue;
		if (!undo_step(run, i))
			return;
	}
}

static bool is_ready(const struct run *run, const struct step *step)
{
	for (size_t i = 0; i < step->n_after; i++)
		if (run->progress[step->after[i]] != DONE)
			return false;
	return true;
}

/*
 * Steps of one side may overtake one another unless one comes after the other: they make (or
 * take away) different devices of the dax bus, or change different records.  Everything else
 * keeps its place in the plan: memory blocks share zones, kmem binds share the policy for new
 * memory, namespaces are placed by what is free at that moment.
 */
enum side { SIDE_NONE, SIDE_MAKES, SIDE_TAKES };

static enum side side_of(const struct step *step)
{
	switch (step->kind) {
	case STEP_RECORD:
	case STEP_CREATE_DEVICE:
	case STEP_PUBLISH:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
		return SIDE_MAKES;
	case STEP_BIND:
		return step->driver == DRIVER_DEVICE_DAX ? SIDE_MAKES : SIDE_NONE;
	case STEP_UNBIND:
		return step->driver == DRIVER_DEVICE_DAX ? SIDE_TAKES : SIDE_NONE;
	case STEP_DESTROY_DEVICE:
	case STEP_FORGET:
	case STEP_DROP_PARTITION:
	case STEP_UNMAP:
		return SIDE_TAKES;
	case STEP_INIT_LABELS:
	case STEP_CREATE_NAMESPACE:
	case STEP_CONVERT_NAMESPACE:
	case STEP_ENABLE_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_RESIZE_DEVICE:
	case STEP_ONLINE:
	case STEP_OFFLINE:
	case STEP_WITHDRAW:
	case STEP_WRITE_TABLE:
	case STEP_POLICY:
	case STEP_REMAP:
		return SIDE_NONE;
	}
	return SIDE_NONE;
}

/* The first step that is left to do, and what can run beside it. */
static void gather(struct run *run, size_t first)
{
	const struct step *steps = run->plan->steps;
	enum side side = side_of(&steps[first]);

	run->members[0] = first;
	run->n_members = 1;
	if (side == SIDE_NONE)
		return;
	for (size_t i = first + 1; i < run->plan->n_steps && run->n_members < GROUP_MAX; i++) {
		if (run->progress[i] != TODO)
			continue;
		if (side_of(&steps[i]) != side)
			return;
		if (steps[i].kind == steps[first].kind && is_ready(run, &steps[i]))
			run->members[run->n_members++] = i;
	}
}

static void note_end(void *userdata, size_t index)
{
	struct run *run = userdata;
	size_t i = run->members[index];

	if (run->errors[index].code == 0)
		(void)note(run, JOURNAL_END, i, &run->plan->steps[i], NULL, /* the error says */
			   &run->errors[index]);
}

/* What befell the journal befalls every step that has not failed by itself. */
static void fail_all(struct run *run, struct error *error)
{
	for (size_t i = 0; i < run->n_members; i++)
		if (run->errors[i].code == 0 && error_copy(&run->errors[i], error) < 0)
			(void)error_oom(&run->errors[i]);
	error_clear(error);
}

static int note_begin(struct run *run, struct error *reterr)
{
	for (size_t i = 0; i < run->n_members; i++) {
		size_t step = run->members[i];
		int r = note(run, JOURNAL_BEGIN, step, &run->plan->steps[step], NULL, reterr);

		if (r < 0)
			return r;
	}
	return sync_notes(run, reterr);
}

static void do_group(struct run *run)
{
	const struct step *steps[GROUP_MAX];
	struct step_group group = { .steps = steps, .errors = run->errors, .n = run->n_members,
				    .over = note_end, .userdata = run };
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < run->n_members; i++) {
		steps[i] = &run->plan->steps[run->members[i]];
		run->errors[i] = (struct error)ERROR_INIT;
	}
	if (note_begin(run, &error) == 0) {
		backend_run(run->executor->backend, &group);
		if (sync_notes(run, &error) == 0)
			return;
	}
	fail_all(run, &error);
}

static void undo_failed(struct run *run, size_t i, struct error *error)
{
	struct error journal_error = ERROR_INIT;

	/* The step's own error is what counts; a journal that fails too changes nothing. */
	if (note(run, JOURNAL_FAIL, i, &run->plan->steps[i], error, &journal_error) == 0)
		(void)sync_notes(run, &journal_error);
	if (undo_remains(run, i, error))
		undo_chain(run, i);
	error_clear(&journal_error);
	error_clear(error);
}

static void run_group(struct run *run)
{
	for (size_t i = 0; i < run->n_members; i++)
		tell_step(run, run->members[i], STEP_STARTED, NULL);
	show(run);
	do_group(run);
	for (size_t i = 0; i < run->n_members; i++) {
		struct error *error = &run->errors[i];

		run->progress[run->members[i]] = error->code ? FAILED : DONE;
		tell_step(run, run->members[i], error->code ? STEP_FAILED : STEP_DONE, error);
	}
	for (size_t i = 0; i < run->n_members; i++)
		if (run->errors[i].code)
			undo_failed(run, run->members[i], &run->errors[i]);
}

static void skip(struct run *run, size_t i)
{
	run->progress[i] = SKIPPED;
	tell_step(run, i, STEP_SKIPPED, NULL);
}

/* Is this the first step that is missing of a volume that was begun? */
static bool is_cut_off(const struct run *run, size_t i)
{
	const struct step *step = &run->plan->steps[i];

	if (run->progress[i] != TODO)
		return false;
	for (size_t j = 0; j < step->n_after; j++)
		if (run->progress[step->after[j]] == DONE &&
		    same_chain(&run->plan->steps[step->after[j]], step))
			return true;
	return false;
}

/*
 * Something that the step comes after was not done, perhaps of another volume: nor will this
 * volume be, and what it has got, or was parted from, by then is taken back.
 */
static void leave_out(struct run *run, size_t i)
{
	if (is_cut_off(run, i))
		undo_chain(run, i);
	skip(run, i);
}

static void cancel(struct run *run)
{
	for (size_t i = run->plan->n_steps; i-- > 0;)
		if (is_cut_off(run, i))
			undo_chain(run, i);
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (run->progress[i] == TODO)
			skip(run, i);
}

static bool is_cancelled(const struct run *run)
{
	const struct executor *executor = run->executor;

	return executor->cancelled && executor->cancelled(executor->userdata);
}

/* Does anything wait for a step, and is none of that going to be done? */
static bool is_for_nothing(const struct run *run, size_t step)
{
	bool any = false;

	for (size_t i = step + 1; i < run->plan->n_steps; i++) {
		const struct step *later = &run->plan->steps[i];

		for (size_t j = 0; j < later->n_after; j++)
			if (later->after[j] == step) {
				if (run->progress[i] == TODO)
					return false;
				any = true;
			}
	}
	return any;
}

/* Labels are initialised, and the kernel's default device goes, for volumes only. */
static void skip_for_nothing(struct run *run)
{
	for (size_t i = run->plan->n_steps; i-- > 0;)
		if (run->progress[i] == TODO && !run->plan->steps[i].volume &&
		    is_for_nothing(run, i))
			skip(run, i);
}

/*
 * What is known beforehand to fail must not fail after other steps of its volume have destroyed
 * something: none of them runs.
 */
static void fail_known(struct run *run)
{
	const struct step *steps = run->plan->steps;
	bool any = false;

	for (size_t i = 0; i < run->plan->n_steps; i++) {
		_cleanup_(error_clear) struct error error = ERROR_INIT;

		if (run->progress[i] != TODO ||
		    backend_check(run->executor->backend, &steps[i], &error) == 0)
			continue;
		run->progress[i] = FAILED;
		tell_step(run, i, STEP_FAILED, &error);
		for (size_t j = 0; j < run->plan->n_steps; j++)
			if (run->progress[j] == TODO && same_chain(&steps[j], &steps[i]))
				skip(run, j);
		any = true;
	}
	if (any)
		skip_for_nothing(run);
}

static enum outcome run_steps(struct run *run)
{
	struct event begin = { .kind = EVENT_BEGIN, .step = run->plan->n_steps };
	bool all = true;

	tell(run, &begin);
	fail_known(run);
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		if (run->progress[i] != TODO)
			continue;
		if (is_cancelled(run)) {
			cancel(run);
			return tell_end(run, OUTCOME_CANCELLED, NULL);
		}
		if (is_ready(run, &run->plan->steps[i])) {
			gather(run, i);
			run_group(run);
		} else {
			leave_out(run, i);
		}
	}
	for (size_t i = 0; i < run->plan->n_steps; i++)
		all = all && run->progress[i] == DONE;
	return tell_end(run, all ? OUTCOME_DONE : OUTCOME_FAILED, NULL);
}

static int stale(struct error *reterr)
{
	(void)error_set(reterr, ESTALE, "The machine has changed since the plan was made.");
	return error_hint(reterr, "plan again.");
}

/* Who holds what matters only where something is taken away. */
static int check_holders(struct run *run, struct error *reterr)
{
	_cleanup_(scope_clear) struct scope scope = { 0 };
	int r = scope_of_plan(run->plan, true, &scope);

	if (r < 0)
		return error_oom(reterr);
	r = scope.n ? backend_scan_holders(run->executor->backend, run->before, &scope, reterr) : 0;
	if (r < 0)
		return r;
	return topology_holders_digest(run->before, &scope) == run->plan->holders ? 0 :
										   stale(reterr);
}

/* -ESTALE: the machine is not what the plan was made for. */
static int look(struct run *run, struct error *reterr)
{
	_cleanup_(scope_clear) struct scope scope = { 0 };
	int r = scope_of_plan(run->plan, false, &scope);

	if (r < 0)
		return error_oom(reterr);
	r = backend_scan_objects(run->executor->backend, &scope, &run->before, reterr);
	if (r < 0)
		return r;
	return topology_digest(run->before, &scope) == run->plan->digest ?
		       check_holders(run, reterr) :
		       stale(reterr);
}

enum outcome executor_run(struct executor *executor, const struct plan *plan)
{
	_cleanup_(run_clear) struct run run = { .executor = executor, .plan = plan };
	struct error error = ERROR_INIT;
	enum outcome outcome;
	int r = look(&run, &error);

	if (r < 0) {
		outcome = tell_end(&run, r == -ESTALE ? OUTCOME_STALE : OUTCOME_FAILED, &error);
		error_clear(&error);
		return outcome;
	}
	run.progress = calloc(plan->n_steps + 1, sizeof(*run.progress));
	if (!run.progress) {
		(void)error_oom(&error);
		return tell_end(&run, OUTCOME_FAILED, &error);
	}
	executor->backend->progress = tell_progress;
	executor->backend->progress_data = &run;
	outcome = run_steps(&run);
	executor->backend->progress = NULL;
	executor->backend->progress_data = NULL;
	return outcome;
}
