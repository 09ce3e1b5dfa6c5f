/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "planning.h"
#include "verb.h"

struct plan_options {
	const char *topology;
	bool allow_data_loss;
};

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct plan_options *options = userdata;
	_cleanup_(client_clear) struct client client;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	enum cli_exit status;
	bool partial;

	client_init(&client, options->topology);
	if (options->topology && !args[0]) {
		problem_add(&cli->problems, EINVAL, "name the files of the configuration",
			    "A simulated machine has no configuration of its own.");
		return CLI_INVALID;
	}
	if (args[0]) {
		status = planning_load(cli, args, &config);
		if (status == CLI_DONE)
			status = planning_make(cli, config, &client, &plan);
	} else {
		status = planning_make_host(cli, &client, &plan);
	}
	if (status == CLI_DONE)
		status = planning_show(cli, plan, cli->out_terminal);
	if (status != CLI_DONE)
		return status;
	partial = planning_is_partial(cli, config);
	cli->json_lines = partial; /* what is left out is to be read, too */
	status = planning_check_losses(cli, plan, options->allow_data_loss);
	return status == CLI_DONE && partial ? CLI_PARTIAL : status;
}

static const struct verb_option options[] = {
	OPTION_TOPOLOGY(struct plan_options),
	OPTION_ALLOW_DATA_LOSS(struct plan_options),
};

const struct verb verb_plan = {
	.name = "plan",
	.args = "[CONFIG...]",
	.max_args = ANY_NUMBER,
	.help = "Show the steps that apply would take, and change nothing",
	.about = "Steps that lose data come first, in a section of their own, and are marked "
		 "with \"!\" where they stand in the order. "
		 "The exit status is 3 when there are such steps and --allow-data-loss is not "
		 "given: apply with the same options would refuse.\n"
		 "Without CONFIG it is the plan for the host's own configuration, which daxd "
		 "makes. Files with mistakes, and volumes that cannot be had, are named and left "
		 "out of it, and the exit status is then 6.",
	.json = "Print the plan as JSON; where something is left out of it, that on a further line.",
	VERB_OPTIONS(struct plan_options, options),
	.run = run,
};
