/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-fault TOPOLOGY CONFIG: fail each step of the plan in turn, in each way, alone and with all
 * that follows, then plan and apply again without faults: the machine must end as it does when
 * nothing fails.  A step that fails alone must also leave no volume half made: what was done of
 * its volume, and of those that need it, is taken back; others are done; and the machine is as
 * was told.  The same for cancelling after each event.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "core/config.h"
#include "core/plan.h"
#include "core/topology-json.h"
#include "exec/executor.h"
#include "exec/fault.h"
#include "tests/fault/likeness.h"
#include "tests/fault/told.h"

/* The first apply after a fault may have to finish what another run left; not more. */
#define TRIES 3

struct tally {
	unsigned int passed, failed;
};

struct rig {
	char *topology_text;
	struct config *config;
	char *end[2]; /* what the machine becomes when nothing fails; without and with natives */
	bool fresh;   /* volumes that are there already are refused */
	struct tally tally;
};

static void die(const char *what, const struct report *report)
{
	for (size_t i = 0; report && i < report->n; i++)
		(void)fprintf(stderr, "%s: %s\n",
			      report->errors[i].pointer ? report->errors[i].pointer : "",
			      error_message(&report->errors[i]));
	(void)fprintf(stderr, "test-fault: %s\n", what);
	exit(1);
}

static void ignore_event(void *userdata, const struct event *event)
{
	(void)userdata;
	(void)event;
}

static char *load(const char *path)
{
	struct error error = ERROR_INIT;
	char *text;

	if (file_read(path, TOPOLOGY_SIZE_MAX, &text, NULL, &error) < 0)
		die(error_message(&error), NULL);
	return text;
}

static struct backend *new_machine(const struct rig *rig)
{
	struct report report = REPORT_INIT;
	struct error error = ERROR_INIT;
	struct topology *topology;
	struct backend *backend;

	if (topology_parse(rig->topology_text, strlen(rig->topology_text), &topology, &report) < 0)
		die("the topology cannot be read", &report);
	if (sim_backend_new(topology, &backend, &error) < 0)
		die(error_message(&error), NULL);
	return backend;
}

static struct plan *make_plan(const struct rig *rig, struct backend *backend)
{
	struct report report = REPORT_INIT;
	struct plan *plan;

	if (plan_build(rig->config, sim_topology(backend), &plan, &report) < 0)
		die("there is no plan", &report);
	return plan;
}

static enum outcome run_plan(struct backend *backend, const struct plan *plan)
{
	struct executor executor = { .backend = backend, .tell = ignore_event };

	return executor_run(&executor, plan);
}

static void print_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		_cleanup_(freep) char *what = step_describe(&plan->steps[i]);

		(void)printf("  still to do: %s\n", what ? what : "");
	}
}

/* Apply until nothing is left to do; false when it does not get there. */
static bool converge(struct rig *rig, struct backend *backend)
{
	bool converged = false;

	/* What the run has made may be there now. */
	for (size_t i = 0; i < rig->config->n_volumes; i++)
		rig->config->volumes[i].fresh = false;
	for (int tries = 0; tries < TRIES && !converged; tries++) {
		struct plan *plan = make_plan(rig, backend);

		converged = plan->n_steps == 0;
		if (!converged)
			(void)run_plan(backend, plan);
		if (!converged && tries == TRIES - 1)
			print_plan(plan);
		plan_free(plan);
	}
	for (size_t i = 0; i < rig->config->n_volumes; i++)
		rig->config->volumes[i].fresh = rig->fresh;
	return converged;
}

static char *likeness(struct topology *topology, bool natives)
{
	char *text = topology_likeness(topology, natives);

	topology_free(topology);
	if (!text)
		die("no memory", NULL);
	return text;
}

static struct topology *scan(struct backend *machine)
{
	struct error error = ERROR_INIT;
	struct topology *topology;

	if (backend_scan(machine, &topology, &error) < 0)
		die(error_message(&error), NULL);
	return topology;
}

/*
 * natives: with the partitions that are the kernel's.  A disk is the kernel's before it gets them
 * back, and no later plan adds what a run had no chance to add, or to take back.
 */
static bool ends_as_without_faults(const struct rig *rig, struct backend *machine, bool natives)
{
	_cleanup_(freep) char *have = likeness(scan(machine), natives);

	return strcmp(have, rig->end[natives]) == 0;
}

/* Is done what was told, and nothing else; and is what was taken back as it was before? */
static bool is_as_told(const struct rig *rig, struct backend *machine, const struct told *told)
{
	_cleanup_(backend_freep) struct backend *other = new_machine(rig);
	_cleanup_(freep) char *have = NULL, *want = NULL;
	struct topology *now = scan(machine);

	told_bring_back_links(told, now);
	told_replay(told, other);
	have = likeness(now, true);
	want = likeness(scan(other), true);
	return strcmp(have, want) == 0;
}

static void note(struct rig *rig, bool good, size_t step, const char *way, const char *what)
{
	if (good) {
		rig->tally.passed++;
		return;
	}
	rig->tally.failed++;
	(void)printf("step %zu, %s: %s\n", step, way, what);
}

/* A run of a plan, which may be cancelled after so many events. */
struct watch {
	struct told told;
	size_t cancel_after;
};

static void hear(void *userdata, const struct event *event)
{
	struct watch *watch = userdata;

	told_add(&watch->told, event);
}

static bool is_cancelled(void *userdata)
{
	const struct watch *watch = userdata;

	return watch->told.events >= watch->cancel_after;
}

/* before, which is the machine without the run, is borrowed as long as what is told. */
static enum outcome watch_plan(struct watch *watch, struct backend *backend,
			       const struct plan *plan, const struct topology *before)
{
	struct executor executor = { .backend = backend, .tell = hear,
				     .cancelled = is_cancelled, .userdata = watch };

	if (told_init(&watch->told, plan, before) < 0)
		die("no memory", NULL);
	return executor_run(&executor, plan);
}

static void note_end(struct rig *rig, struct backend *machine, bool natives, size_t step,
		     const char *way)
{
	note(rig, converge(rig, machine), step, way, "a second apply does not converge");
	note(rig, ends_as_without_faults(rig, machine, natives), step, way,
	     "the machine ends otherwise than without faults");
}

struct way {
	const char *name;
	enum fault_how how;
	bool alone; /* else all fails that follows, the steps that take back included */
};

static const struct way ways[] = {
	{ "refused", FAULT_BEFORE, true },
	{ "refused, and all that follows", FAULT_BEFORE, false },
	{ "done, then failed", FAULT_AFTER, true },
	{ "done, then failed, and all that follows", FAULT_AFTER, false },
	{ "not done, told as done", FAULT_SILENT, true },
	{ "not done, told as done, and all that follows", FAULT_SILENT, false },
};

/*
 * A step that failed and has left behind what cannot be taken back is in the way of what it
 * rests on: nothing is promised then but the next apply.
 */
static bool is_as_if_refused(const struct told *told, const struct way *way)
{
	return told->failed < told->plan->n_steps &&
	       (way->how != FAULT_AFTER || told_undo(told, told->failed) == UNDO_STEP);
}

static void note_told(struct rig *rig, struct backend *machine, const struct told *told,
		      size_t step, const struct way *way)
{
	bool refused = is_as_if_refused(told, way);

	if (way->alone)
		note(rig, told_others_done(told), step, way->name,
		     "a volume that could be had is not there");
	if (way->alone && refused)
		note(rig, told_no_half_volume(told), step, way->name, "a volume is half made");
	if (refused && (way->alone || way->how == FAULT_BEFORE))
		note(rig, is_as_told(rig, machine, told), step, way->name,
		     "the machine is not as was told");
}

static void fail_step(struct rig *rig, size_t step, const struct way *way)
{
	_cleanup_(backend_freep) struct backend *untouched = new_machine(rig);
	_cleanup_(backend_freep) struct backend *machine = new_machine(rig);
	_cleanup_(backend_freep) struct backend *fault = NULL;
	_cleanup_(plan_freep) struct plan *plan = make_plan(rig, machine);
	struct watch watch = { .cancel_after = SIZE_MAX };
	struct error error = ERROR_INIT;
	enum outcome outcome;

	if (fault_backend_new(machine, step, way->alone ? 1 : SIZE_MAX, way->how, &fault,
			      &error) < 0)
		die(error_message(&error), NULL);
	outcome = watch_plan(&watch, fault, plan, sim_topology(untouched));
	note(rig, outcome == OUTCOME_FAILED, step, way->name, "the failure was not told");
	note_told(rig, machine, &watch.told, step, way);
	note_end(rig, machine, way->alone, step, way->name);
	told_clear(&watch.told);
}

/* False when the run ended before it could be cancelled. */
static bool cancel_after(struct rig *rig, size_t events)
{
	static const char way[] = "events before cancelling";
	_cleanup_(backend_freep) struct backend *untouched = new_machine(rig);
	_cleanup_(backend_freep) struct backend *machine = new_machine(rig);
	_cleanup_(plan_freep) struct plan *plan = make_plan(rig, machine);
	struct watch watch = { .cancel_after = events };
	enum outcome outcome = watch_plan(&watch, machine, plan, sim_topology(untouched));
	bool skipped = told_any(&watch.told, STEP_SKIPPED);

	note(rig, outcome == (skipped ? OUTCOME_CANCELLED : OUTCOME_DONE), events, way,
	     "another outcome was told");
	note(rig, watch.told.before_group < events, events, way, "steps were begun after that");
	note(rig, told_no_half_volume(&watch.told), events, way, "a volume is half made");
	note(rig, is_as_told(rig, machine, &watch.told), events, way,
	     "the machine is not as was told");
	note_end(rig, machine, true, events, way);
	told_clear(&watch.told);
	return outcome == OUTCOME_CANCELLED;
}

static size_t count_steps(struct rig *rig)
{
	struct backend *machine = new_machine(rig);
	struct plan *plan = make_plan(rig, machine);
	size_t n_steps = plan->n_steps;

	note(rig, n_steps > 0, 0, "no fault", "there is nothing to do");
	note(rig, run_plan(machine, plan) == OUTCOME_DONE, 0, "no fault", "apply failed");
	note(rig, converge(rig, machine), 0, "no fault", "the plan that follows is not empty");
	for (size_t natives = 0; natives < ARRAY_SIZE(rig->end); natives++)
		rig->end[natives] = likeness(scan(machine), natives);
	plan_free(plan);
	backend_free(machine);
	return n_steps;
}

int main(int argc, char *argv[])
{
	struct report report = REPORT_INIT;
	struct rig rig = { 0 };
	char *text;
	size_t n_steps;

	if (argc != 3)
		die("usage: test-fault TOPOLOGY CONFIG", NULL);
	rig.topology_text = load(argv[1]);
	text = load(argv[2]);
	if (config_parse(text, strlen(text), NULL, &rig.config, &report) < 0 ||
	    config_check(rig.config, &report) < 0)
		die("the configuration cannot be read", &report);
	rig.fresh = rig.config->n_volumes && rig.config->volumes[0].fresh;
	n_steps = count_steps(&rig);
	for (size_t step = 0; step < n_steps; step++)
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			fail_step(&rig, step, &ways[i]);
	for (size_t events = 1; cancel_after(&rig, events);)
		events++;
	free(text);
	free(rig.topology_text);
	for (size_t i = 0; i < ARRAY_SIZE(rig.end); i++)
		free(rig.end[i]);
	config_free(rig.config);
	(void)printf("%u passed, %u failed\n", rig.tally.passed, rig.tally.failed);
	return rig.tally.failed != 0;
}
