/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "follow.h"
#include "planning.h"
#include "simulation.h"
#include "verb.h"

/* A machine that changes this often between plan and apply is not going to hold still. */
#define ATTEMPTS 3

struct apply_options {
	const char *topology, *save;
	bool allow_data_loss, dry_run, no_ask_password;
};

static enum cli_exit report_outcome(struct attempt *attempt, enum outcome outcome, bool *stale)
{
	switch (outcome) {
	case OUTCOME_DONE:
		return attempt_done(attempt);
	case OUTCOME_FAILED:
		return attempt_failed(attempt);
	case OUTCOME_BUSY:
		return attempt_busy(attempt);
	case OUTCOME_CANCELLED:
		return attempt_cancelled(attempt);
	case OUTCOME_STALE:
		*stale = true;
		return CLI_FAILED;
	}
	return CLI_FAILED;
}

/* Run the plan by ourselves; *stale when it must be made anew. */
static enum cli_exit run_plan(struct cli *cli, const struct client *client,
			      const struct plan *plan, bool *stale)
{
	_cleanup_(interrupt_close) struct interrupt interrupt = { .fd = -1 };
	_cleanup_(attempt_clear) struct attempt attempt = { 0 };
	struct error error = ERROR_INIT;
	enum outcome outcome;
	enum cli_exit status;

	status = attempt_init(&attempt, cli, plan, &interrupt);
	if (status != CLI_DONE)
		return status;
	if (interrupt_open(&interrupt, cli, &error) < 0) {
		(void)report_take(&cli->problems, &error);
		return CLI_FAILED;
	}
	(void)fflush(cli->out); /* the plan is to be seen before it runs */
	status = client_apply(client, plan, attempt_event, &attempt, &interrupt, &outcome,
			      &cli->problems);
	if (status != CLI_DONE)
		return status;
	return report_outcome(&attempt, outcome, stale);
}

/* config NULL: the host's own. */
static enum cli_exit plan_and_run(struct cli *cli, struct client *client,
				  const struct config *config,
				  const struct apply_options *options, bool *stale)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	enum cli_exit status;

	status = config ? planning_make(cli, config, client, &plan) :
			  planning_make_host(cli, client, &plan);
	if (status == CLI_DONE)
		status = planning_show(cli, plan, false);
	if (status == CLI_DONE)
		status = planning_check_losses(cli, plan, options->allow_data_loss);
	if (status != CLI_DONE || options->dry_run || !plan->n_steps)
		return status;
	return run_plan(cli, client, plan, stale);
}

static enum cli_exit apply(struct cli *cli, struct client *client,
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
	_cleanup_(client_clear) struct client client;
	_cleanup_(config_freep) struct config *config = NULL;
	enum cli_exit status;

	client_init(&client, NULL);
	client.ask_password = !options->no_ask_password;
	cli->json_lines = true;
	if (options->save && !options->topology) {
		problem_add(&cli->problems, EINVAL,
				 "--save keeps what a simulated machine has become",
				 "Option --save needs --topology.");
		return CLI_INVALID;
	}
	if (options->topology && !args[0]) {
		problem_add(&cli->problems, EINVAL, "name the files of the configuration",
			    "A simulated machine has no configuration of its own.");
		return CLI_INVALID;
	}
	if (args[0]) {
		status = planning_load(cli, args, &config);
		if (status != CLI_DONE)
			return status;
	}
	if (options->topology)
		return apply_simulated(cli, &client, config, options);
	status = config ? client_connect(&client, &cli->problems) :
			  client_need_daemon(&client, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (client.bus && !options->dry_run)
		return follow_apply(cli, client.bus, config, options->allow_data_loss);
	return apply(cli, &client, config, options);
}

static const struct verb_option options[] = {
	{
		.name = "dry-run", .letter = 'n', .offset = offsetof(struct apply_options, dry_run),
		.help = "Show exactly the steps that would run, and run none.",
	},
	OPTION_ALLOW_DATA_LOSS(struct apply_options),
	OPTION_NO_ASK_PASSWORD(struct apply_options),
	OPTION_TOPOLOGY(struct apply_options),
	{
		.name = "save", .value = "FILE", .offset = offsetof(struct apply_options, save),
		.help = "With --topology: write what the simulated machine has become to FILE. "
			"Without it, that is thrown away.",
	},
};

const struct verb verb_apply = {
	.name = "apply",
	.args = "[CONFIG...]",
	.max_args = ANY_NUMBER,
	.help = "Make the machine as the configuration says",
	.about = "The plan is shown, then its steps are run and read back from the machine. "
		 "Nothing is asked: steps that lose data are refused unless --allow-data-loss is "
		 "given, and everything else may be run again at any time. "
		 "When a step fails, what its volume had got is taken back, steps that come after "
		 "it are left out, and other volumes are finished. "
		 "After an interruption nothing needs repair: run apply again.\n"
		 "Where daxd runs it does the work, as a job, and polkit decides who may ask for "
		 "it; where it does not, root does the same without it. "
		 "Without CONFIG the host's own configuration is read anew and applied, which "
		 "needs daxd.\n"
		 "Ctrl-C asks whether to cancel, and the step that runs is finished first; where "
		 "there is nobody to ask, it cancels. "
		 "A second Ctrl-C leaves, and the job goes on.\n"
		 "With --topology a simulated machine is changed instead of this one, and the "
		 "file stays as it is.",
	.json = "Print the plan and then each event, one JSON object a line.",
	VERB_OPTIONS(struct apply_options, options),
	.run = run,
};
