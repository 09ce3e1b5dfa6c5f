/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus.h"
#include "core/event.h"
#include "core/topology-json.h"
#include "manager.h"
#include "queue.h"
#include "scanner.h"
#include "standing.h"
#include "worker-link.h"

/* A machine that changes this often between plan and run is not going to hold still. */
#define ATTEMPTS 4 /* the first may be from memory */
#define EVENT_LINE_MAX (1u << 20)
#define PROBLEMS_MAX 1000 /* of one job: enough for a person */

static const char *const operations[] = { "configuration", "apply", "create-volume",
					  "remove-volume" };
static const char *const states[] = { "queued", "planning", "running", "ended" };
static const char *const outcomes[] = { "",	   "done",	"failed", "refused",
					"invalid", "cancelled", "busy",	  "partial" };

const char *job_operation_word(enum job_operation operation)
{
	return operations[operation];
}

const char *job_state_word(enum job_state state)
{
	return states[state];
}

const char *job_outcome_word(enum job_outcome outcome)
{
	return outcomes[outcome];
}

struct job *job_new(struct manager *manager, enum job_operation operation, uid_t uid,
		    struct config *config, struct plan *plan)
{
	struct job *job = calloc(1, sizeof(*job));
	struct timespec now;

	if (!job) {
		config_free(config);
		plan_free(plan);
		return NULL;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	*job = (struct job){
		.manager = manager,
		.operation = operation,
		.uid = uid,
		.created = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
		.config = config,
		.plan = plan,
	};
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	worker_link_free(job->worker);
	config_free(job->config);
	plan_free(job->plan);
	topology_free(job->after);
	for (size_t i = 0; i < job->n_lines; i++)
		free(job->lines[i]);
	free(job->lines);
	report_clear(&job->problems);
	report_clear(&job->mistakes);
	free(job);
}

static void set_state(struct job *job, enum job_state state)
{
	job->state = state;
	bus_job_changed(job->manager->bus, job, BUS_JOB_STATE);
}

static void end(struct job *job, enum job_outcome outcome)
{
	worker_link_free(TAKE(job->worker));
	config_free(TAKE(job->config));
	job->current = 0;
	job->outcome = outcome;
	set_state(job, JOB_ENDED);
	queue_ended(job->manager->queue, job);
}

/* The job's own come before what was left out of the host's configuration: they say how it ended. */
static void add_problem(struct job *job, struct error *error)
{
	struct report *problems = &job->problems;

	if (job->n_own < PROBLEMS_MAX) {
		struct error own;

		(void)report_take(problems, error);
		own = problems->errors[problems->n - 1];
		memmove(&problems->errors[job->n_own + 1], &problems->errors[job->n_own],
			(problems->n - 1 - job->n_own) * sizeof(own));
		problems->errors[job->n_own++] = own;
	}
	error_clear(error);
	bus_job_changed(job->manager->bus, job, BUS_JOB_PROBLEMS);
}

static void take_problems(struct job *job, struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		add_problem(job, &report->errors[i]);
	report_clear(report);
}

static void take_left_out(struct job *job, struct report *report)
{
	for (size_t i = 0; i < report->n && job->problems.n < PROBLEMS_MAX; i++)
		(void)report_take(&job->problems, &report->errors[i]);
	report_clear(report);
	bus_job_changed(job->manager->bus, job, BUS_JOB_PROBLEMS);
}

static void fail(struct job *job, struct error *error)
{
	add_problem(job, error);
	end(job, JOB_FAILED);
}

char *job_current_step(const struct job *job)
{
	_cleanup_(freep) char *what = NULL;
	char *text;

	if (!job->current)
		return strdup("");
	what = step_describe(&job->plan->steps[job->current - 1]);
	if (!what || asprintf(&text, "Step %zu, %s", job->current, what) < 0)
		return NULL;
	return text;
}

/* A step's failure is also a problem of its volume: say where that is written. */
static void locate(const struct job *job, const char *name, struct error *error)
{
	const struct config *config = job->config ? job->config : job->manager->config;

	for (size_t i = 0; name && !error->pointer && i < config->n_volumes; i++) {
		const struct volume *volume = &config->volumes[i];
		struct volume_path at;

		if (strcmp(volume->name, name) != 0)
			continue;
		error->pointer = path_to_pointer(volume_path(&at, volume, NULL));
		error->file = volume->file ? strdup(volume->file) : NULL;
		break;
	}
}

static void add_failure(struct job *job, struct event *event)
{
	const struct step *step = &job->plan->steps[event->step];
	_cleanup_(freep) char *what = step_describe(step);
	struct error error = ERROR_INIT;

	(void)error_set(&error, event->error.code ? event->error.code : EIO, "Step %zu, %s: %s",
			event->step + 1, what ? what : step_kind_word(step->kind),
			error_message(&event->error));
	if (event->error.hint)
		(void)error_hint(&error, "%s", event->error.hint);
	locate(job, step->volume, &error);
	add_problem(job, &error);
}

/* Several may be under way: the one that began last is shown. */
static void clear_current(struct job *job, const struct event *event)
{
	if (job->current == event->step + 1)
		job->current = 0;
}

static void take_step(struct job *job, struct event *event)
{
	size_t done = job->steps_done, current = job->current;

	if (event->step >= job->plan->n_steps)
		return;
	switch (event->state) {
	case STEP_STARTED:
		job->current = event->step + 1;
		break;
	case STEP_PROGRESS:
		break;
	case STEP_FAILED:
		add_failure(job, event);
		clear_current(job, event);
		break;
	case STEP_DONE:
		job->steps_done++;
		clear_current(job, event);
		break;
	case STEP_UNDONE:
		if (!event->error.code && job->steps_done)
			job->steps_done--;
		break;
	case STEP_SKIPPED:
		break;
	}
	if (done != job->steps_done || current != job->current)
		bus_job_changed(job->manager->bus, job, BUS_JOB_PROGRESS);
}

static int take_line(void *userdata, char *line, size_t length)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(event_clear) struct event event = { 0 };
	struct job *job = userdata;

	if (topology_is_line(line)) {
		topology_free(TAKE(job->after)); /* a second line replaces the first */
		return topology_parse(line, length, &job->after, &report);
	}
	if (event_parse(line, length, &event, &report) < 0)
		return -EPROTO;
	job->n_events++;
	switch (event.kind) {
	case EVENT_BEGIN:
		break;
	case EVENT_STEP:
		take_step(job, &event);
		break;
	case EVENT_END:
		job->told = true;
		job->told_outcome = event.outcome;
		if (event.error.code)
			add_problem(job, &event.error);
		break;
	}
	bus_job_event(job->manager->bus, job, event.kind, line);
	return 0;
}

static void scan(struct job *job);

/* Of the host's configuration something may have been left out, which the problems tell. */
static void end_done(struct job *job)
{
	end(job, job->host && job->problems.n ? JOB_PARTIAL : JOB_DONE);
}

static void end_as_told(struct job *job)
{
	struct error error = ERROR_INIT;

	switch (job->told_outcome) {
	case OUTCOME_DONE:
		end_done(job);
		return;
	case OUTCOME_FAILED:
		end(job, JOB_FAILED);
		return;
	case OUTCOME_BUSY:
		end(job, JOB_BUSY);
		return;
	case OUTCOME_CANCELLED:
		end(job, JOB_CANCELLED);
		return;
	case OUTCOME_STALE:
		break;
	}
	if (job->cancelled) {
		end(job, JOB_CANCELLED);
		return;
	}
	if (job->config && job->attempts < ATTEMPTS) {
		report_clear(&job->problems);
		job->n_own = 0;
		bus_job_changed(job->manager->bus, job, BUS_JOB_PROBLEMS);
		scan(job);
		return;
	}
	(void)error_set(&error, ESTALE, "The machine has changed since it was planned for.");
	fail(job, &error);
}

bool job_was_stale(const struct job *job)
{
	return job->outcome == JOB_FAILED && job->told && job->told_outcome == OUTCOME_STALE;
}

static void on_ended(void *userdata, const struct worker_end *worker_end)
{
	struct job *job = userdata;
	struct error error = ERROR_INIT;

	if (job->told) {
		worker_link_free(TAKE(job->worker));
		end_as_told(job);
		return;
	}
	if (job->cancelled) {
		end(job, JOB_CANCELLED);
		return;
	}
	worker_end_error(worker_end, &error);
	if (!error.hint)
		(void)error_hint(&error, "nothing is lost: apply again, and it goes on from what "
					 "the machine has now");
	fail(job, &error);
}

static const struct worker_calls calls = {
	.line = take_line,
	.ended = on_ended,
	.line_max = EVENT_LINE_MAX,
};

static void run(struct job *job)
{
	char *text = plan_to_json(job->plan, false);
	struct error error = ERROR_INIT;

	job->attempts++;
	job->told = false;
	job->steps_done = 0;
	set_state(job, JOB_RUNNING);
	if (!text) {
		(void)error_oom(&error);
		fail(job, &error);
		return;
	}
	if (worker_link_start(job->manager->spares, "apply-look", text, &calls, job, &job->worker,
			      &error) < 0)
		fail(job, &error);
}

/* "ensure": "absent" has nothing to do then; who removes by name has another one in mind. */
static void refuse_unknown(struct job *job)
{
	struct error error = ERROR_INIT;

	(void)error_set(&error, ENOENT, "There is no volume \"%s\".",
			job->config->volumes[0].name);
	add_problem(job, &error);
	end(job, JOB_INVALID);
}

static void refuse_losses(struct job *job)
{
	struct error error = ERROR_INIT;
	size_t n = job->plan->n_destructive;

	(void)error_set(&error, ECANCELED, "%zu step%s would lose data, and that was not allowed.",
			n, n == 1 ? "" : "s");
	(void)error_hint(&error, "look at the plan; if that is what you want, allow it with "
				 "allow-data-loss");
	add_problem(job, &error);
	end(job, JOB_REFUSED);
}

static int no_memory(struct report *report)
{
	return report_add(report, NULL, ENOMEM, NULL, "There is no memory left.");
}

/* What cannot be had of the host's configuration is told, and the rest is planned. */
static int plan_host(struct job *job, const struct topology *topology, struct report *report)
{
	struct error copy = ERROR_INIT;

	for (size_t i = 0; i < job->mistakes.n; i++) {
		if (error_copy(&copy, &job->mistakes.errors[i]) < 0)
			return no_memory(report);
		(void)report_take(report, &copy);
	}
	if (standings_plan(job->config, topology, &job->plan, report) < 0)
		return no_memory(report);
	return 0;
}

static int plan_all(struct job *job, const struct topology *topology, struct report *report)
{
	int r = config_supported(job->config, report);

	return r < 0 ? r : plan_build(job->config, topology, &job->plan, report);
}

/*
 * What was seen last will do for a plan that is to be run: the worker compares it with what is
 * there.  Whatever else comes of it may not be true any more.
 */
static bool plan_from_memory(struct job *job)
{
	const struct manager *manager = job->manager;
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	if (job->host || job->attempts || !manager->topology || manager->blindness.code ||
	    config_supported(job->config, &report) < 0 ||
	    plan_build(job->config, manager->topology, &job->plan, &report) < 0)
		return false;
	if (job->plan->n_steps && (!job->plan->n_destructive || job->allow_data_loss))
		return true;
	plan_free(TAKE(job->plan));
	return false;
}

static void make_plan(struct job *job, const struct topology *topology)
{
	struct report report = REPORT_INIT;
	int r;

	plan_free(TAKE(job->plan));
	r = job->host ? plan_host(job, topology, &report) : plan_all(job, topology, &report);
	if (job->host && r == 0)
		take_left_out(job, &report);
	else
		take_problems(job, &report);
	if (r < 0) {
		end(job, JOB_INVALID);
		return;
	}
	bus_job_changed(job->manager->bus, job, BUS_JOB_PLAN);
	if (job->plan->n_steps == 0 && job->operation == JOB_REMOVE_VOLUME)
		refuse_unknown(job);
	else if (job->plan->n_steps == 0)
		end_done(job);
	else if (job->plan->n_destructive && !job->allow_data_loss)
		refuse_losses(job);
	else
		run(job);
}

static void on_scanned(void *userdata, const struct topology *topology, const struct error *error)
{
	struct job *job = userdata;
	struct error copy = ERROR_INIT;

	if (topology) {
		make_plan(job, topology);
		return;
	}
	if (error_copy(&copy, error) < 0)
		(void)error_oom(&copy);
	fail(job, &copy);
}

static void scan(struct job *job)
{
	struct error error = ERROR_INIT;
	int r;

	set_state(job, JOB_PLANNING);
	r = scanner_request(job->manager->scanner, on_scanned, job);
	if (r < 0) {
		(void)error_set(&error, -r, "Cannot look at the machine: %s.", strerror(-r));
		fail(job, &error);
	}
}

void job_start(struct job *job)
{
	if (job->plan) {
		run(job);
	} else if (plan_from_memory(job)) {
		set_state(job, JOB_PLANNING);
		bus_job_changed(job->manager->bus, job, BUS_JOB_PLAN);
		run(job);
	} else {
		scan(job);
	}
}

void job_cancel(struct job *job)
{
	if (job->state == JOB_ENDED)
		return;
	job->cancelled = true;
	if (job->worker) {
		worker_link_stop(job->worker);
		return;
	}
	scanner_forget(job->manager->scanner, job);
	end(job, JOB_CANCELLED);
}
