/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "client.h"
#include "core/config.h"
#include "core/plan.h"
#include "verb.h"

struct export_options {
	const char *topology;
};

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct export_options *options = userdata;
	_cleanup_(client_clear) struct client client;
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	enum cli_exit status;

	(void)args; /* it takes none */
	client_init(&client, options->topology);
	status = client_scan(&client, LOOK_ALL, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (export_config(topology, &config, &report) < 0) {
		problems_take(&cli->problems, &report);
		return CLI_FAILED;
	}
	status = cli_print_json(cli, config_to_json(config));
	problems_print_notes(&report, cli->err, cli->colour_err);
	return status;
}

static const struct verb_option options[] = {
	OPTION_TOPOLOGY(struct export_options),
};

const struct verb verb_export = {
	.name = "export",
	.help = "Print a configuration that describes the machine as it is now",
	.about = "Applying it to the same machine does nothing, but that volumes which daxd has not "
		 "made get links by their names. "
		 "Partitions and windows are in it with their place and uuid; whom a window is for is "
		 "nowhere but in the configuration that says so. "
		 "What a configuration cannot express is noted on the standard error output, and of a "
		 "table of which it cannot express all, no partition is in it.",
	VERB_OPTIONS(struct export_options, options),
	.run = run,
};
