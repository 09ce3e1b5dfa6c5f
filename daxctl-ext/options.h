/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of a verb: read from the command line, shown as help, written as the man page's
 * section.  All three come from the verb's table (verb.h).
 */
#ifndef DAXCTL_EXT_OPTIONS_H
#define DAXCTL_EXT_OPTIONS_H

#include "verb.h"

/*
 * Read argv (argv[0] is the verb).  *ret gets the verb's options struct, which the caller
 * frees; *ret_args points into argv, at the first argument that is no option (NULL ends them).
 * *ret_help: --help was given, nothing else counts.  All mistakes are added to the problems
 * and give CLI_INVALID.
 */
enum cli_exit options_parse(struct cli *cli, const struct verb *verb, int argc, char *argv[],
			    void **ret, char ***ret_args, bool *ret_help);

/* What --help prints. */
void options_print_help(struct cli *cli, const struct verb *verb);
/* The same in mdoc, a subsection of the man page. */
void options_print_mdoc(struct cli *cli, const struct verb *verb);

#endif
