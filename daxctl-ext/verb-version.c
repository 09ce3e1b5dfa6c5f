/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verb.h"

static enum cli_exit run(struct cli *cli, const void *options, char *args[])
{
	(void)options; /* neither changes what is printed */
	(void)args;
	(void)fputs("daxctl-ext " PACKAGE_VERSION "\n", cli->out);
	return CLI_DONE;
}

const struct verb verb_version = {
	.name = "version",
	.help = "Print the version",
	.about = "In place of a verb, --version and -V do the same.",
	.run = run,
};
