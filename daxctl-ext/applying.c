/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "applying.h"

#include <errno.h>
#include <stdlib.h>

#include "attempt.h"
#include "planning.h"

/* A machine that changes this often between plan and apply is not going to hold still. */
#define ATTEMPTS 3

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
static enum cli_exit run_plan(struct cli *cli, struct client *client,
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
				  struct applying *options, bool *stale)
{
	_cleanup_(plan_freep) struct plan *plan = TAKE(options->plan);
	enum cli_exit status = CLI_DONE;
	bool partial;

	if (!plan && config)
		plan = planning_make_quickly(config, client);
	if (!plan)
		status = config ? planning_make(cli, config, client, &plan) :
				  planning_make_host(cli, client, &plan);
	options->n_steps = plan ? plan->n_steps : 0;
	if (status == CLI_DONE)
		status = planning_show(cli, plan, false);
	partial = planning_is_partial(cli, config);
	if (status == CLI_DONE)
		status = planning_check_losses(cli, plan, options->allow_data_loss);
	if (status != CLI_DONE || options->dry_run || !plan->n_steps)
		return status == CLI_DONE && partial ? CLI_PARTIAL : status;
	return run_plan(cli, client, plan, stale);
}

enum cli_exit applying_run(struct cli *cli, struct client *client,
			   const struct config *config, struct applying *options)
{
	client->applies = !options->dry_run;
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		bool stale = false;
		enum cli_exit status = plan_and_run(cli, client, config, options, &stale);

		if (!stale)
			return status;
		if (!cli->json && !cli->quiet)
			(void)fputs("The machine has changed since it was looked at; nothing was "
				    "done.\n\n",
				    cli->out);
	}
	problem_add(&cli->problems, ESTALE, "something else changes it; stop that first",
			 "The machine changed each of the %d times between plan and apply.",
			 ATTEMPTS);
	return CLI_FAILED;
}
