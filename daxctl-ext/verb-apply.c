/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applying.h"
#include "follow.h"
#include "planning.h"
#include "simulation.h"
#include "verb.h"

struct apply_options {
	const char *topology, *save;
	bool allow_data_loss, dry_run, no_ask_password;
};

static enum cli_exit apply_simulated(struct cli *cli, struct client *client,
				     const struct config *config,
				     const struct apply_options *options)
{
	_cleanup_(simulation_close) struct simulation simulation = { 0 };
	struct applying applying = {
		.allow_data_loss = options->allow_data_loss,
		.dry_run = options->dry_run,
	};
	struct error error = ERROR_INIT;
	enum cli_exit status;

	if (simulation_open(&simulation, options->topology, &error) < 0) {
		(void)report_take(&cli->problems, &error);
		return CLI_FAILED;
	}
	client->simulation = simulation.file;
	status = applying_run(cli, client, config, &applying);
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
	struct applying applying = {
		.allow_data_loss = options->allow_data_loss,
		.dry_run = options->dry_run,
	};
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
		return follow_apply(cli, client.bus, config, options->allow_data_loss, NULL);
	return applying_run(cli, &client, config, &applying);
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
		 "needs daxd. Files with mistakes, and volumes that cannot be had, are named and "
		 "left out, everything else is done, and the exit status is then 6. "
		 "With CONFIG all of it must be possible, or nothing is done.\n"
		 "Ctrl-C asks whether to cancel, and the step that runs is finished first; where "
		 "there is nobody to ask, it cancels. "
		 "A second Ctrl-C leaves, and the job goes on.\n"
		 "With --topology a simulated machine is changed instead of this one, and the "
		 "file stays as it is.",
	.json = "Print the plan and then each event, one JSON object a line.",
	VERB_OPTIONS(struct apply_options, options),
	.run = run,
};
