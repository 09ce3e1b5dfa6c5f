/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attempt.h"

#include <errno.h>
#include <stdlib.h>

#include "planning.h"

enum cli_exit attempt_init(struct attempt *attempt, struct cli *cli, const struct plan *plan,
			   const struct interrupt *interrupt)
{
	*attempt = (struct attempt){ .cli = cli, .plan = plan, .interrupt = interrupt };
	attempt->states = calloc(plan->n_steps + 1, sizeof(*attempt->states));
	if (!cli->json && (!cli->quiet || cli->out_terminal))
		attempt->progress = progress_new(cli, plan);
	if (attempt->states && (cli->json || cli->quiet || attempt->progress))
		return CLI_DONE;
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

void attempt_clear(struct attempt *attempt)
{
	progress_free(attempt->progress);
	free(attempt->states);
	error_clear(&attempt->end);
}

static void add_failure(struct attempt *attempt, const struct event *event)
{
	_cleanup_(freep) char *step = planning_step_text(attempt->plan, event->step);

	attempt->n_failed++;
	problem_add(&attempt->cli->problems, event->error.code ? event->error.code : EIO,
			 event->error.hint, "%s: %s", step ? step : "A step",
			 error_message(&event->error));
}

void attempt_event(void *userdata, const struct event *event, const char *line)
{
	struct attempt *attempt = userdata;

	if (attempt->cli->json) {
		(void)fprintf(attempt->cli->out, "%s\n", line);
		(void)fflush(attempt->cli->out); /* whoever reads it wants it now */
	}
	progress_hold(attempt->progress, attempt->interrupt && attempt->interrupt->asking);
	progress_event(attempt->progress, event);
	if (event->kind == EVENT_STEP && event->step < attempt->plan->n_steps) {
		attempt->states[event->step] = event->state;
		if (event->state == STEP_FAILED)
			add_failure(attempt, event);
	}
	if (event->kind != EVENT_END)
		return;
	/* A job of daxd that finds the machine changed plans and ends once more. */
	error_clear(&attempt->end);
	if (event->error.code)
		(void)error_copy(&attempt->end, &event->error); /* else errno's text must do */
}

static void print_steps_in(const struct attempt *attempt, enum step_state state,
			   const char *heading)
{
	const struct plan *plan = attempt->plan;
	FILE *out = attempt->cli->out;
	bool any = false;

	for (size_t i = 0; i < plan->n_steps; i++) {
		_cleanup_(freep) char *step = NULL;

		if (attempt->states[i] != state)
			continue;
		if (!any)
			cli_print_heading(attempt->cli, heading);
		any = true;
		step = planning_step_text(plan, i);
		(void)fprintf(out, "  %s\n", step ? step : step_kind_word(plan->steps[i].kind));
	}
}

/* The failed steps themselves are in the problems, which come last. */
enum cli_exit attempt_failed(struct attempt *attempt)
{
	struct cli *cli = attempt->cli;
	enum cli_exit status;

	progress_free(TAKE(attempt->progress));
	if (!cli->json) {
		print_steps_in(attempt, STEP_UNDONE, "Undone again:");
		/* They come after it, before it in its volume, or would be of no use without it. */
		print_steps_in(attempt, STEP_SKIPPED, "Not done, because of a step that failed:");
	}
	if (attempt->n_failed)
		return CLI_FAILED;
	if (!attempt->end.code)
		(void)error_set(&attempt->end, EIO, "The plan could not be carried out.");
	status = cli_exit_of(attempt->end.code);
	(void)report_take(&cli->problems, &attempt->end);
	return status;
}

enum cli_exit attempt_busy(struct attempt *attempt)
{
	progress_free(TAKE(attempt->progress));
	if (!attempt->end.code) {
		(void)error_set(&attempt->end, EBUSY, "Another apply is running.");
		(void)error_hint(&attempt->end, "wait until it is done, then try again");
	}
	(void)report_take(&attempt->cli->problems, &attempt->end);
	return CLI_BUSY;
}

enum cli_exit attempt_done(struct attempt *attempt)
{
	size_t n = attempt->plan->n_steps;

	progress_free(TAKE(attempt->progress));
	if (!attempt->cli->json && !attempt->cli->quiet && n)
		(void)fprintf(attempt->cli->out, "Done: %zu step%s, %s read back from the machine.\n",
			      n, PLURAL(n), n == 1 ? "its effect" : "all");
	return CLI_DONE;
}

enum cli_exit attempt_cancelled(struct attempt *attempt)
{
	progress_free(TAKE(attempt->progress));
	if (!attempt->cli->json) {
		print_steps_in(attempt, STEP_UNDONE, "Undone again:");
		print_steps_in(attempt, STEP_SKIPPED, "Not done:");
	}
	problem_add(&attempt->cli->problems, ECANCELED, "run it again to go on",
		    "It was cancelled; what was finished stays.");
	return CLI_FAILED;
}
