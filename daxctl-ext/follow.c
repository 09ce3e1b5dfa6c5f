/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "attempt.h"
#include "core/event.h"
#include "core/json-read.h"
#include "planning.h"

struct follow {
	struct cli *cli;
	struct bus *bus;
	const struct config *config;
	char *id; /* of the job */
	struct interrupt interrupt;
	struct plan *plan;
	struct attempt attempt; /* since the worker began */
	bool begun;
	char *end; /* what the job ended with, JSON */
	bool gone; /* daxd itself is */
	enum cli_exit status; /* of what happened in a callback */
};

static void stop_attempt(struct follow *follow)
{
	if (follow->begun)
		attempt_clear(&follow->attempt);
	follow->begun = false;
}

static void follow_clear(struct follow *follow)
{
	stop_attempt(follow);
	plan_free(follow->plan);
	interrupt_close(&follow->interrupt);
	free(follow->id);
	free(follow->end);
}

/* The plan of the job, shown once it is there; it is no mistake when it is not. */
static enum cli_exit fetch_plan(struct follow *follow)
{
	_cleanup_(freep) char *text = NULL;
	enum cli_exit status;

	status = bus_get_job_plan(follow->bus, follow->id, &text, &follow->cli->problems);
	if (status != CLI_DONE || !*text)
		return status;
	status = planning_read(follow->cli, text, &follow->plan);
	if (status == CLI_DONE)
		status = planning_show(follow->cli, follow->plan, false);
	(void)fflush(follow->cli->out); /* the plan is to be seen while it runs */
	return status;
}

/* A job may begin twice, when the machine has changed since it was planned for. */
static enum cli_exit begin(struct follow *follow)
{
	enum cli_exit status;

	stop_attempt(follow);
	plan_free(TAKE(follow->plan));
	status = fetch_plan(follow);
	if (status != CLI_DONE || !follow->plan)
		return status;
	status = attempt_init(&follow->attempt, follow->cli, follow->plan, &follow->interrupt);
	follow->begun = status == CLI_DONE;
	return status;
}

static enum cli_exit take_event(struct follow *follow, const char *line)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(event_clear) struct event event = { 0 };
	enum cli_exit status = CLI_DONE;

	if (event_parse(line, strlen(line), &event, &report) < 0) {
		answer_nonsense(&follow->cli->problems, &report);
		return CLI_FAILED;
	}
	if (event.kind == EVENT_END && event.outcome == OUTCOME_STALE) {
		stop_attempt(follow);
		plan_free(TAKE(follow->plan)); /* another will be made, or is not needed */
		return CLI_DONE;
	}
	if (event.kind == EVENT_BEGIN || !follow->begun)
		status = begin(follow);
	if (status == CLI_DONE && follow->begun)
		attempt_event(&follow->attempt, &event, line);
	return status;
}

static void take_change(void *userdata, const struct change *change)
{
	struct follow *follow = userdata;

	if (strcmp(change->object, "daxd") == 0)
		follow->gone = change->kind == CHANGE_WENT;
	if (strcmp(change->object, "job") != 0 || strcmp(change->id, follow->id) != 0 ||
	    follow->status != CLI_DONE)
		return;
	if (change->kind == CHANGE_EVENT)
		follow->status = take_event(follow, change->json);
	if (change->kind == CHANGE_ENDED && !follow->end) {
		follow->end = strdup(change->json);
		if (!follow->end)
			abort(); /* as a report does that cannot keep an error */
	}
}

static enum cli_exit leave(struct follow *follow)
{
	bool cancelled = follow->interrupt.cancelled;

	stop_attempt(follow);
	problem_add(&follow->cli->problems, EINTR,
		    "\"daxctl-ext jobs\" shows how far it is",
		    cancelled ? "Job %s is being cancelled, and finishes the step that runs." :
				"Job %s goes on.",
		    follow->id);
	return CLI_FAILED;
}

static enum cli_exit lose(struct follow *follow, int r)
{
	stop_attempt(follow);
	problem_add(&follow->cli->problems, r < 0 ? -r : ENOTCONN,
		    "nothing is lost: run it again, and it goes on from what the machine has now",
		    "daxd went away while job %s was not at its end.", follow->id);
	return CLI_FAILED;
}

/* Until the job has ended: CLI_DONE says just that. */
static enum cli_exit listen(struct follow *follow)
{
	enum interrupt_answer answer;
	int r;

	while (!follow->end) {
		r = bus_next(follow->bus, BUS_FOREVER, &follow->interrupt, &answer);
		if (r < 0 || follow->gone)
			return lose(follow, r);
		if (follow->status != CLI_DONE)
			return follow->status;
		/* It may have ended meanwhile: then cancelling is refused, and that is fine. */
		if (answer == INTERRUPT_CANCEL) {
			_cleanup_(report_clear) struct report late = REPORT_INIT;

			(void)bus_cancel(follow->bus, follow->id, &late);
		}
		if (answer == INTERRUPT_LEAVE)
			return leave(follow);
	}
	return CLI_DONE;
}

/*
 * daxd was given one document; in which file a volume stands, and where, is known here.
 */
static void locate(const struct follow *follow, struct error *error)
{
	static const char volumes[] = "/volumes/";
	_cleanup_(freep) char *digits = NULL;
	const struct volume *volume;
	const char *rest;
	uint64_t index;
	char *pointer;

	if (!follow->config || error->file || !error->pointer ||
	    strncmp(error->pointer, volumes, strlen(volumes)) != 0)
		return;
	rest = error->pointer + strlen(volumes);
	digits = strndup(rest, strspn(rest, "0123456789"));
	if (!digits || json_parse_u64(digits, &index) < 0 || index >= follow->config->n_volumes)
		return;
	volume = &follow->config->volumes[index];
	if (asprintf(&pointer, "%s%zu%s", volumes, volume->index, rest + strlen(digits)) < 0)
		return;
	free(error->pointer);
	error->pointer = pointer;
	error->file = volume->file ? strdup(volume->file) : NULL;
}

static bool is_told(const struct report *problems, const struct error *error)
{
	for (size_t i = 0; i < problems->n; i++)
		if (strcmp(error_message(&problems->errors[i]), error_message(error)) == 0)
			return true;
	return false;
}

/* What steps failed of was told as they did. */
static void take_problems(struct follow *follow, const struct json_value *end)
{
	_cleanup_(report_clear) struct report all = REPORT_INIT;
	struct report *problems = &follow->cli->problems;

	answer_problems(end, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (follow->begun && follow->attempt.n_failed &&
		    is_told(problems, &all.errors[i]))
			continue;
		locate(follow, &all.errors[i]);
		(void)report_take(problems, &all.errors[i]);
	}
}

static enum cli_exit take_failure(struct follow *follow, const struct json_value *end)
{
	struct report *problems = &follow->cli->problems;
	size_t before = problems->n;

	take_problems(follow, end);
	if (follow->begun && (follow->attempt.n_failed || problems->n == before))
		return attempt_failed(&follow->attempt);
	if (problems->n == before)
		problem_add(problems, EIO, "journalctl -u daxd", "Job %s failed.", follow->id);
	return CLI_FAILED;
}

/* daxd's sentence is of an option of its methods; ours is of one of the command line. */
static enum cli_exit take_refusal(struct follow *follow, const struct json_value *end)
{
	struct report *problems = &follow->cli->problems;
	size_t first = problems->n;

	take_problems(follow, end);
	if (!follow->plan || !follow->plan->n_destructive)
		return CLI_REFUSED;
	if (problems->n > first && problems->errors[first].code == ECANCELED) {
		error_clear(&problems->errors[first]);
		problems->n--;
		memmove(&problems->errors[first], &problems->errors[first + 1],
			(problems->n - first) * sizeof(problems->errors[0]));
	}
	return planning_check_losses(follow->cli, follow->plan, false);
}

static enum cli_exit take_cancelling(struct follow *follow)
{
	if (follow->begun)
		return attempt_cancelled(&follow->attempt);
	problem_add(&follow->cli->problems, ECANCELED, NULL,
		    "Job %s was cancelled before it began; nothing was changed.", follow->id);
	return CLI_FAILED;
}

static enum cli_exit conclude(struct follow *follow)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	enum cli_exit status = answer_scan(follow->end, &json, &follow->cli->problems);
	const char *outcome;
	bool partial;

	if (status != CLI_DONE)
		return status;
	outcome = answer_text(json.values, "outcome");
	partial = strcmp(outcome, "partial") == 0;
	if (partial)
		take_problems(follow, json.values);
	if (!follow->plan)
		status = fetch_plan(follow);
	if (status == CLI_DONE && (partial || strcmp(outcome, "done") == 0)) {
		if (follow->begun)
			status = attempt_done(&follow->attempt);
		return status == CLI_DONE && partial ? CLI_PARTIAL : status;
	}
	if (status != CLI_DONE)
		return status;
	if (strcmp(outcome, "failed") == 0)
		return take_failure(follow, json.values);
	if (strcmp(outcome, "refused") == 0)
		return take_refusal(follow, json.values);
	if (strcmp(outcome, "cancelled") == 0)
		return take_cancelling(follow);
	take_problems(follow, json.values);
	if (strcmp(outcome, "invalid") == 0)
		return CLI_INVALID;
	if (strcmp(outcome, "busy") == 0) {
		if (!json.values->n || !follow->cli->problems.n)
			problem_add(&follow->cli->problems, EBUSY, NULL,
				    "Another apply is running.");
		return CLI_BUSY;
	}
	problem_add(&follow->cli->problems, EPROTO, NULL, "Job %s ended as \"%s\".", follow->id,
		    outcome);
	return CLI_FAILED;
}

/* A job that waits shows nothing for long, and ought to say why. */
static void say_queued(struct follow *follow)
{
	_cleanup_(report_clear) struct report late = REPORT_INIT;
	_cleanup_(freep) char *state = NULL;

	if (follow->cli->json || follow->cli->quiet ||
	    bus_get_job_text(follow->bus, follow->id, "State", &state, &late) != CLI_DONE ||
	    strcmp(state, "queued") != 0)
		return;
	(void)fprintf(follow->cli->out, "Job %s waits for those before it.\n", follow->id);
	(void)fflush(follow->cli->out);
}

enum cli_exit follow_apply(struct cli *cli, struct bus *bus, const struct config *config,
			   bool allow_data_loss, size_t *n_steps)
{
	_cleanup_(follow_clear) struct follow follow = {
		.cli = cli,
		.bus = bus,
		.config = config,
		.interrupt.fd = -1,
	};
	_cleanup_(freep) char *document = config ? config_to_json(config) : strdup("");
	struct error error = ERROR_INIT;
	enum cli_exit status;

	if (!document)
		abort(); /* nothing has begun */
	status = bus_make_room(bus, strlen(document), &cli->problems);
	if (status == CLI_DONE)
		status = bus_watch(bus, take_change, &follow, &cli->problems);
	if (status == CLI_DONE)
		status = bus_apply(bus, document, allow_data_loss, &follow.id, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (interrupt_open(&follow.interrupt, cli, &error) < 0) {
		(void)report_take(&cli->problems, &error);
		return CLI_FAILED;
	}
	say_queued(&follow);
	status = listen(&follow);
	if (status == CLI_DONE)
		status = conclude(&follow);
	if (n_steps)
		*n_steps = follow.plan ? follow.plan->n_steps : 0;
	return status;
}
