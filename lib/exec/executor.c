/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/executor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/topology-json.h"
#include "exec/undo.h"

enum progress { TODO, DONE, FAILED, SKIPPED };

struct run {
	struct executor *executor;
	const struct plan *plan;
	struct topology *before;
	enum progress *progress; /* of each step */
	size_t current;
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

/* error may be NULL; it stays the caller's. */
static void tell_step(struct run *run, size_t step, enum step_state state, struct error *error)
{
	struct event event = { .kind = EVENT_STEP, .step = step, .state = state };

	if (error)
		event.error = *error;
	tell(run, &event);
}

static void tell_progress(void *userdata, uint64_t done, uint64_t total)
{
	struct run *run = userdata;
	struct event event = { .kind = EVENT_STEP, .step = run->current, .state = STEP_PROGRESS,
			       .done = done, .total = total };

	tell(run, &event);
}

static enum outcome tell_end(struct run *run, enum outcome outcome, struct error *error)
{
	struct event event = { .kind = EVENT_END, .outcome = outcome };

	if (error)
		event.error = *error;
	tell(run, &event);
	return outcome;
}

static int note(struct run *run, enum journal_phase phase, size_t index, const struct step *step,
		const struct error *cause, struct error *reterr)
{
	if (!run->executor->journal)
		return 0;
	return journal_write(run->executor->journal, phase, index, step, cause, reterr);
}

static int do_step(struct run *run, size_t i, struct error *reterr)
{
	const struct step *step = &run->plan->steps[i];
	struct backend *backend = run->executor->backend;
	int r;

	r = note(run, JOURNAL_BEGIN, i, step, NULL, reterr);
	if (r < 0)
		return r;
	run->current = i;
	r = backend_apply(backend, step, reterr);
	if (r < 0)
		return r;
	r = backend_verify(backend, step, reterr);
	if (r < 0)
		return r;
	return note(run, JOURNAL_END, i, step, NULL, reterr);
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
		r = backend_apply(run->executor->backend, &inverse, &error);
	tell_step(run, i, STEP_UNDONE, r < 0 ? &error : NULL);
	step_clear(&inverse);
	error_clear(&error);
	return r == 0;
}

/*
 * A failed step should have left nothing behind.  Make sure of it before the steps that it
 * rests on go: a device must not lose the record that says whose it is.
 */
static bool undo_remains(struct run *run, size_t failed)
{
	struct step inverse = { 0 };
	struct error error = ERROR_INIT;
	int r = 0;

	if (step_undo(&run->plan->steps[failed], run->before, &inverse) == UNDO_STEP)
		r = backend_apply(run->executor->backend, &inverse, &error);
	step_clear(&inverse);
	error_clear(&error);
	return r == 0 || r == -ENOENT;
}

static void undo_chain(struct run *run, size_t failed)
{
	if (!undo_remains(run, failed))
		return;
	for (size_t i = failed; i-- > 0;) {
		if (run->progress[i] != DONE ||
		    !same_chain(&run->plan->steps[i], &run->plan->steps[failed]))
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

static void run_step(struct run *run, size_t i)
{
	struct error error = ERROR_INIT, journal_error = ERROR_INIT;

	if (!is_ready(run, &run->plan->steps[i])) {
		run->progress[i] = SKIPPED;
		tell_step(run, i, STEP_SKIPPED, NULL);
		return;
	}
	tell_step(run, i, STEP_STARTED, NULL);
	if (do_step(run, i, &error) == 0) {
		run->progress[i] = DONE;
		tell_step(run, i, STEP_DONE, NULL);
		return;
	}
	run->progress[i] = FAILED;
	tell_step(run, i, STEP_FAILED, &error);
	/* The step's own error is what counts; a journal that fails too changes nothing. */
	(void)note(run, JOURNAL_FAIL, i, &run->plan->steps[i], &error, &journal_error);
	undo_chain(run, i);
	error_clear(&journal_error);
	error_clear(&error);
}

static enum outcome run_steps(struct run *run)
{
	struct event begin = { .kind = EVENT_BEGIN, .step = run->plan->n_steps };
	bool all = true;

	tell(run, &begin);
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		run_step(run, i);
		all = all && run->progress[i] == DONE;
	}
	return tell_end(run, all ? OUTCOME_DONE : OUTCOME_FAILED, NULL);
}

/* What is known beforehand to fail must not fail after other steps have destroyed something. */
static int check_steps(const struct run *run, struct error *reterr)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		int r = backend_check(run->executor->backend, &run->plan->steps[i], reterr);

		if (r < 0)
			return r;
	}
	return 0;
}

enum outcome executor_run(struct executor *executor, const struct plan *plan)
{
	_cleanup_(run_clear) struct run run = { .executor = executor, .plan = plan };
	struct error error = ERROR_INIT;
	enum outcome outcome;

	if (backend_scan(executor->backend, &run.before, &error) < 0) {
		outcome = tell_end(&run, OUTCOME_FAILED, &error);
		error_clear(&error);
		return outcome;
	}
	if (topology_digest(run.before) != plan->digest) {
		(void)error_set(&error, ESTALE, "The machine has changed since the plan was made.");
		(void)error_hint(&error, "plan again.");
		outcome = tell_end(&run, OUTCOME_STALE, &error);
		error_clear(&error);
		return outcome;
	}
	if (check_steps(&run, &error) < 0) {
		outcome = tell_end(&run, OUTCOME_FAILED, &error);
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
