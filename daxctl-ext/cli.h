/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every verb works with: where output goes and how it may look, and the problems that
 * were found.  main makes one and owns it; verbs print to it and return an exit status.
 */
#ifndef DAXCTL_EXT_CLI_H
#define DAXCTL_EXT_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "problem.h"

/* Exit statuses; they are promises of the man page. */
enum cli_exit {
	CLI_DONE = 0,	       /* done, or nothing to do */
	CLI_FAILED = 1,	       /* something failed while running: a step, the worker, a file */
	CLI_INVALID = 2,       /* command line, configuration, or more than the machine can give */
	CLI_REFUSED = 3,       /* would lose data and --allow-data-loss is not given */
	CLI_NOT_PERMITTED = 4, /* needs privileges */
	CLI_BUSY = 5,	       /* another apply is running */
	CLI_PARTIAL = 6,       /* done but for what could not be had, which is named */
};

#define DAXCTL_USAGE 129 /* daxctl's, of a command line that it cannot read */

struct cli {
	FILE *out, *err;
	bool json;	   /* --json: nothing but JSON on out */
	bool json_lines;   /* ... and any number of documents, one a line */
	bool json_printed; /* there is one already */
	bool quiet;	   /* steps are told on a terminal only, and no plan is shown */
	bool out_terminal; /* out is a terminal */
	bool colour_out, colour_err;
	unsigned int width; /* columns to keep to; 0: no limit */
	int exit; /* an exit status of daxctl's instead of ours; -1: none */
	struct report problems;
};

/* Streams stay the caller's. */
void cli_init(struct cli *cli, FILE *out, FILE *err);
void cli_clear(struct cli *cli);

/* "5 step" PLURAL(5) */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* text, in bold on a terminal, as a line of its own. */
void cli_print_heading(const struct cli *cli, const char *text);
/* One JSON document on a line of its own; takes and frees text, NULL is lack of memory. */
enum cli_exit cli_print_json(struct cli *cli, char *text);

/* The status that an error of the machine or of the worker means. */
enum cli_exit cli_exit_of(int code);

/*
 * Print the problems (as JSON too, where out has room for them) and flush; returns the status,
 * or CLI_FAILED when the output could not be written.
 */
enum cli_exit cli_finish(struct cli *cli, enum cli_exit status);

#endif
