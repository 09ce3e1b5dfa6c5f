/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "verb.h"

struct cancel_options {
	bool no_ask_password;
};

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct cancel_options *options = userdata;
	_cleanup_(client_clear) struct client client;
	enum cli_exit status;

	client_init(&client, NULL);
	client.ask_password = !options->no_ask_password;
	if (!*args[0] || strspn(args[0], "0123456789") != strlen(args[0])) {
		problem_add(&cli->problems, EINVAL, "\"daxctl-ext jobs\" lists the jobs",
			    "\"%s\" is not the number of a job.", args[0]);
		return CLI_INVALID;
	}
	status = client_need_daemon(&client, &cli->problems);
	if (status == CLI_DONE)
		status = bus_cancel(client.bus, args[0], &cli->problems);
	return status;
}

static const struct verb_option options[] = {
	OPTION_NO_ASK_PASSWORD(struct cancel_options),
};

const struct verb verb_cancel = {
	.name = "cancel",
	.args = "JOB",
	.min_args = 1,
	.max_args = 1,
	.help = "Stop a job of daxd",
	.about = "The step that runs is finished, what its volume had got so far is taken back, "
		 "and volumes that were done stay. This does not wait for that.",
	VERB_OPTIONS(struct cancel_options, options),
	.run = run,
};
