/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-fault TOPOLOGY CONFIG: fail each step of the plan in turn, in each way, once and for
 * ever, then plan and apply again without faults: the machine must end as it does when nothing
 * fails.  Failing for ever must also leave no volume half made: what did not fail is done, what
 * failed is taken back.  The same for cancelling after each event.
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
#include "exec/undo.h"

/* The first apply after a fault may have to finish what another run left; not more. */
#define TRIES 3

struct tally {
	unsigned int passed, failed;
};

struct rig {
	char *topology_text;
	struct config *config;
	uint64_t *available; /* of each region when nothing fails */
	bool fresh;	     /* all volumes are to be new: a failure leaves nothing behind */
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

static bool same_as_without_faults(const struct rig *rig, struct backend *backend)
{
	const struct topology *topology = sim_topology(backend);

	for (size_t i = 0; i < topology->n_regions; i++)
		if (topology->regions[i].available != rig->available[i])
			return false;
	return true;
}

/* But for seeds, which the kernel keeps, it is as it was. */
static bool is_untouched(const struct rig *rig, struct backend *backend)
{
	_cleanup_(backend_freep) struct backend *untouched = new_machine(rig);
	const struct topology *now = sim_topology(backend), *then = sim_topology(untouched);
	bool same = now->n_records == then->n_records;

	for (size_t i = 0; i < now->n_regions; i++)
		same = same && now->regions[i].available == then->regions[i].available &&
		       now->regions[i].n_namespaces == then->regions[i].n_namespaces;
	return same;
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

static void fail_step(struct rig *rig, size_t step, size_t times, enum fault_how how,
		      const char *way)
{
	_cleanup_(backend_freep) struct backend *machine = new_machine(rig);
	_cleanup_(backend_freep) struct backend *fault = NULL;
	_cleanup_(plan_freep) struct plan *plan = make_plan(rig, machine);
	struct error error = ERROR_INIT;

	if (fault_backend_new(machine, step, times, how, &fault, &error) < 0)
		die(error_message(&error), NULL);
	note(rig, run_plan(fault, plan) == OUTCOME_FAILED, step, way, "the failure was not told");
	if (rig->fresh && how == FAULT_BEFORE && times == 1)
		note(rig, is_untouched(rig, machine), step, way, "something was left behind");
	note(rig, converge(rig, machine), step, way, "a second apply does not converge");
	note(rig, same_as_without_faults(rig, machine), step, way, "space was lost");
}

/* A run that is cancelled after so many events. */
struct cancelling {
	size_t after, events;
	enum step_state *states; /* of each step, the last that was told */
};

static void count_event(void *userdata, const struct event *event)
{
	struct cancelling *cancelling = userdata;

	cancelling->events++;
	if (event->kind == EVENT_STEP)
		cancelling->states[event->step] = event->state;
}

static bool is_cancelled(void *userdata)
{
	const struct cancelling *cancelling = userdata;

	return cancelling->events >= cancelling->after;
}

static bool same_volume(const struct step *a, const struct step *b)
{
	return a->volume && b->volume && strcmp(a->volume, b->volume) == 0;
}

/* Is the step done still, though a later one of its volume was not begun? */
static bool is_left_over(const struct plan *plan, const enum step_state *states, size_t step)
{
	if (states[step] != STEP_DONE)
		return false;
	for (size_t i = step + 1; i < plan->n_steps; i++)
		if (states[i] == STEP_SKIPPED && same_volume(&plan->steps[i], &plan->steps[step]))
			return true;
	return false;
}

/* Whatever is left over must lie before something that cannot be taken back. */
static bool is_clean(const struct plan *plan, const enum step_state *states,
		     const struct topology *before)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		bool excused = !is_left_over(plan, states, i);

		for (size_t j = i; !excused && j < plan->n_steps; j++) {
			struct step inverse = { 0 };
			enum undo undo;

			if (states[j] != STEP_DONE ||
			    !same_volume(&plan->steps[i], &plan->steps[j]))
				continue;
			undo = step_undo(&plan->steps[j], before, &inverse);
			step_clear(&inverse);
			excused = undo == UNDO_NEVER || (j == i && undo == UNDO_NOTHING);
		}
		if (!excused)
			return false;
	}
	return true;
}

/* False when the run ended before it could be cancelled. */
static bool cancel_after(struct rig *rig, size_t events)
{
	_cleanup_(backend_freep) struct backend *untouched = new_machine(rig);
	_cleanup_(backend_freep) struct backend *machine = new_machine(rig);
	_cleanup_(plan_freep) struct plan *plan = make_plan(rig, machine);
	struct cancelling cancelling = { .after = events };
	struct executor executor = { .backend = machine, .tell = count_event,
				     .cancelled = is_cancelled, .userdata = &cancelling };
	enum outcome outcome;
	bool clean, skipped = false;

	cancelling.states = calloc(plan->n_steps + 1, sizeof(*cancelling.states));
	if (!cancelling.states)
		die("no memory", NULL);
	outcome = executor_run(&executor, plan);
	for (size_t i = 0; i < plan->n_steps; i++)
		skipped = skipped || cancelling.states[i] == STEP_SKIPPED;
	clean = is_clean(plan, cancelling.states, sim_topology(untouched));
	free(cancelling.states);
	note(rig, outcome == (skipped ? OUTCOME_CANCELLED : OUTCOME_DONE), events,
	     "events before cancelling", "another outcome was told");
	note(rig, clean, events, "events before cancelling", "a volume is half made");
	note(rig, converge(rig, machine), events, "events before cancelling",
	     "a second apply does not converge");
	note(rig, same_as_without_faults(rig, machine), events, "events before cancelling",
	     "space was lost");
	return outcome == OUTCOME_CANCELLED;
}

static void remember(struct rig *rig, struct backend *backend)
{
	const struct topology *topology = sim_topology(backend);

	rig->available = calloc(topology->n_regions + 1, sizeof(*rig->available));
	if (!rig->available)
		die("no memory", NULL);
	for (size_t i = 0; i < topology->n_regions; i++)
		rig->available[i] = topology->regions[i].available;
}

static size_t count_steps(struct rig *rig)
{
	struct backend *machine = new_machine(rig);
	struct plan *plan = make_plan(rig, machine);
	size_t n_steps = plan->n_steps;

	note(rig, n_steps > 0, 0, "no fault", "there is nothing to do");
	note(rig, run_plan(machine, plan) == OUTCOME_DONE, 0, "no fault", "apply failed");
	note(rig, converge(rig, machine), 0, "no fault", "the plan that follows is not empty");
	remember(rig, machine);
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
	for (size_t step = 0; step < n_steps; step++) {
		fail_step(&rig, step, 1, FAULT_BEFORE, "refused once");
		fail_step(&rig, step, SIZE_MAX, FAULT_BEFORE, "refused for ever");
		fail_step(&rig, step, 1, FAULT_AFTER, "done, then failed, once");
		fail_step(&rig, step, SIZE_MAX, FAULT_AFTER, "done, then failed, for ever");
		fail_step(&rig, step, 1, FAULT_SILENT, "not done, told as done, once");
		fail_step(&rig, step, SIZE_MAX, FAULT_SILENT, "not done, told as done, for ever");
	}
	for (size_t events = 1; cancel_after(&rig, events);)
		events++;
	free(text);
	free(rig.topology_text);
	free(rig.available);
	config_free(rig.config);
	(void)printf("%u passed, %u failed\n", rig.tally.passed, rig.tally.failed);
	return rig.tally.failed != 0;
}
