/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "planning.h"
#include "progress.h"
#include "simulation.h"
#include "verb.h"

/* A machine that changes this often between plan and apply is not going to hold still. */
#define ATTEMPTS 3

struct apply_options {
	const char *topology, *save;
	bool allow_data_loss, dry_run;
};

/* One attempt, and what became of each step. */
struct attempt {
	struct cli *cli;
	const struct plan *plan;
	struct progress *progress; /* NULL with --json */
	enum step_state *states;
	size_t n_failed;
	struct error end; /* of the end event */
};

static void attempt_clear(struct attempt *attempt)
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

static void take_event(void *userdata, const struct event *event, const char *line)
{
	struct attempt *attempt = userdata;

	if (attempt->cli->json) {
		(void)fprintf(attempt->cli->out, "%s\n", line);
		(void)fflush(attempt->cli->out); /* whoever reads it wants it now */
	}
	progress_event(attempt->progress, event);
	if (event->kind == EVENT_STEP && event->step < attempt->plan->n_steps) {
		attempt->states[event->step] = event->state;
		if (event->state == STEP_FAILED)
			add_failure(attempt, event);
	}
	if (event->kind == EVENT_END && event->error.code)
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
static enum cli_exit report_failure(struct attempt *attempt)
{
	struct cli *cli = attempt->cli;
	enum cli_exit status;

	if (!cli->json) {
		print_steps_in(attempt, STEP_UNDONE, "Undone again:");
		print_steps_in(attempt, STEP_SKIPPED,
			       "Not done, because they come after a step that failed:");
	}
	if (attempt->n_failed)
		return CLI_FAILED;
	if (!attempt->end.code)
		(void)error_set(&attempt->end, EIO, "The plan could not be carried out.");
	status = cli_exit_of(attempt->end.code);
	(void)report_take(&cli->problems, &attempt->end);
	return status;
}

static enum cli_exit report_busy(struct attempt *attempt)
{
	if (!attempt->end.code) {
		(void)error_set(&attempt->end, EBUSY, "Another apply is running.");
		(void)error_hint(&attempt->end, "wait until it is done, then run apply again");
	}
	(void)report_take(&attempt->cli->problems, &attempt->end);
	return CLI_BUSY;
}

static enum cli_exit report_cancelled(struct attempt *attempt)
{
	if (!attempt->cli->json) {
		print_steps_in(attempt, STEP_UNDONE, "Undone again:");
		print_steps_in(attempt, STEP_SKIPPED, "Not done:");
	}
	problem_add(&attempt->cli->problems, ECANCELED, "run apply again to go on",
		    "The apply was cancelled; what was finished stays.");
	return CLI_FAILED;
}

static enum cli_exit report_outcome(struct attempt *attempt, enum outcome outcome, bool *stale)
{
	size_t n = attempt->plan->n_steps;

	switch (outcome) {
	case OUTCOME_DONE:
		if (!attempt->cli->json)
			(void)fprintf(attempt->cli->out,
				      "Done: %zu step%s, %s read back from the machine.\n", n,
				      PLURAL(n), n == 1 ? "its effect" : "all");
		return CLI_DONE;
	case OUTCOME_FAILED:
		return report_failure(attempt);
	case OUTCOME_BUSY:
		return report_busy(attempt);
	case OUTCOME_CANCELLED:
		return report_cancelled(attempt);
	case OUTCOME_STALE:
		*stale = true;
		return CLI_FAILED;
	}
	return CLI_FAILED;
}

/* Run the plan; *stale when it must be made anew. */
static enum cli_exit run_plan(struct cli *cli, const struct client *client,
			      const struct plan *plan, bool *stale)
{
	_cleanup_(attempt_clear) struct attempt attempt = { .cli = cli, .plan = plan };
	enum outcome outcome;
	enum cli_exit status;

	attempt.states = calloc(plan->n_steps, sizeof(*attempt.states));
	if (!cli->json)
		attempt.progress = progress_new(cli, plan);
	if (!attempt.states || (!cli->json && !attempt.progress)) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	(void)fflush(cli->out); /* the plan is to be seen before it runs */
	status = client_apply(client, plan, take_event, &attempt, &outcome, &cli->problems);
	progress_free(TAKE(attempt.progress));
	if (status != CLI_DONE)
		return status;
	return report_outcome(&attempt, outcome, stale);
}

static enum cli_exit plan_and_run(struct cli *cli, const struct client *client,
				  const struct config *config,
				  const struct apply_options *options, bool *stale)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	enum cli_exit status;

	status = planning_make(cli, config, client, &plan);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		status = cli_print_json(cli, plan_to_json(plan, false));
	else
		planning_print(cli, plan);
	if (status == CLI_DONE)
		status = planning_check_losses(cli, plan, options->allow_data_loss);
	if (status != CLI_DONE || options->dry_run || !plan->n_steps)
		return status;
	return run_plan(cli, client, plan, stale);
}

static enum cli_exit apply(struct cli *cli, const struct client *client,
			   const struct config *config, const struct apply_options *options)
{
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		bool stale = false;
		enum cli_exit status = plan_and_run(cli, client, config, options, &stale);

		if (!stale)
			return status;
		if (!cli->json)
			(void)fputs("The machine has changed since it was looked at; nothing was "
				    "done.\n\n",
				    cli->out);
	}
	problem_add(&cli->problems, ESTALE, "something else changes it; stop that first",
			 "The machine changed each of the %d times between plan and apply.",
			 ATTEMPTS);
	return CLI_FAILED;
}

static enum cli_exit apply_simulated(struct cli *cli, struct client *client,
				     const struct config *config,
				     const struct apply_options *options)
{
	_cleanup_(simulation_close) struct simulation simulation = { 0 };
	struct error error = ERROR_INIT;
	enum cli_exit status;

	if (simulation_open(&simulation, options->topology, &error) < 0) {
		(void)report_take(&cli->problems, &error);
		return CLI_FAILED;
	}
	client->simulation = simulation.file;
	status = apply(cli, client, config, options);
	/* What a failed run left is as interesting as what a good one did. */
	if (!options->save || (status != CLI_DONE && status != CLI_FAILED))
		return status;
	if (simulation_save(&simulation, options->save, &error) < 0) {
		(void)report_take(&cli->problems, &error);
		return CLI_FAILED;
	}
	return status;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct apply_options *options = userdata;
	struct client client = { .worker = getenv("DAXD_WORKER") };
	_cleanup_(config_freep) struct config *config = NULL;
	enum cli_exit status;

	cli->json_lines = true;
	if (options->save && !options->topology) {
		problem_add(&cli->problems, EINVAL,
				 "--save keeps what a simulated machine has become",
				 "Option --save needs --topology.");
		return CLI_INVALID;
	}
	status = planning_load(cli, args, &config);
	if (status != CLI_DONE)
		return status;
	if (options->topology)
		return apply_simulated(cli, &client, config, options);
	return apply(cli, &client, config, options);
}

static const struct verb_option options[] = {
	{
		.name = "dry-run", .letter = 'n', .offset = offsetof(struct apply_options, dry_run),
		.help = "Show exactly the steps that would run, and run none.",
	},
	OPTION_ALLOW_DATA_LOSS(struct apply_options),
	OPTION_TOPOLOGY(struct apply_options),
	{
		.name = "save", .value = "FILE", .offset = offsetof(struct apply_options, save),
		.help = "With --topology: write what the simulated machine has become to FILE. "
			"Without it, that is thrown away.",
	},
};

const struct verb verb_apply = {
	.name = "apply",
	.args = "CONFIG...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Make the machine as the configuration says",
	.about = "The plan is shown, then its steps are run and read back from the machine. "
		 "Nothing is asked: steps that lose data are refused unless --allow-data-loss is "
		 "given, and everything else may be run again at any time. "
		 "When a step fails, what its volume had got is taken back, steps that come after "
		 "it are left out, and other volumes are finished. "
		 "After an interruption nothing needs repair: run apply again.\n"
		 "With --topology a simulated machine is changed instead of this one, and the "
		 "file stays as it is.",
	.json = "Print the plan and then each event, one JSON object a line.",
	VERB_OPTIONS(struct apply_options, options),
	.run = run,
};
