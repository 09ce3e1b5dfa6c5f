/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/inherited.h"
#include "options.h"
#include "verb.h"

#define OUTPUT_BUFFER 65536

/* The verb that the first word names; --help and --version are verbs in another coat. */
static const struct verb *choose_verb(struct cli *cli, const char *word)
{
	if (!word) {
		problem_add(&cli->problems, EINVAL, "\"daxctl-ext help\" lists the verbs.",
				 "A verb is missing.");
		return NULL;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return &verb_help;
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return &verb_version;
	if (*word == '-') {
		problem_add(&cli->problems, EINVAL,
				 "options come after the verb: daxctl-ext plan --json CONFIG",
				 "There is no verb before the option %s.", word);
		return NULL;
	}
	return verb_find(cli, word);
}

/* A command line that cannot be read may ask for daxctl's exit status all the same. */
static bool is_compatible(char *argv[])
{
	for (size_t i = 0; argv[i] && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--compat") == 0)
			return true;
	return false;
}

static enum cli_exit run(struct cli *cli, int argc, char *argv[])
{
	const struct verb *verb = choose_verb(cli, argv[1]);
	_cleanup_(freep) void *options = NULL;
	enum cli_exit status;
	char **args;
	bool help;

	if (!verb)
		return CLI_INVALID;
	status = options_parse(cli, verb, argc - 1, argv + 1, &options, &args, &help);
	if (status != CLI_DONE && is_compatible(argv + 1))
		cli->exit = DAXCTL_USAGE;
	if (status != CLI_DONE)
		return status;
	if (help) {
		options_print_help(cli, verb);
		return CLI_DONE;
	}
	return verb->run(cli, options, args);
}

int main(int argc, char *argv[])
{
	char out[OUTPUT_BUFFER], err[OUTPUT_BUFFER];
	enum cli_exit status;
	struct cli cli;

	/* A reader that goes away must not end an apply half-way. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdout, out, _IOFBF, sizeof(out));
	(void)setvbuf(stderr, err, _IOFBF, sizeof(err)); /* if not, it is slower, no more */
	inherited_close_devices();
	cli_init(&cli, stdout, stderr);
	status = cli_finish(&cli, argc < 1 ? CLI_INVALID : run(&cli, argc, argv));
	if (cli.exit >= 0)
		status = (enum cli_exit)cli.exit;
	cli_clear(&cli);
	/* The buffers end here, and so must what uses them; all is flushed and looked at. */
	(void)fclose(stdout);
	(void)fclose(stderr);
	return status;
}
