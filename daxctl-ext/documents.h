/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration that the files on the command line make together.  Each is read and
 * checked alone, so that its problems stand in it; then all are checked as one.
 */
#ifndef DAXCTL_EXT_DOCUMENTS_H
#define DAXCTL_EXT_DOCUMENTS_H

#include "cli.h"
#include "core/config.h"

/*
 * args: files, "-" for standard input, folders (all their *.json in order of name); NULL ends
 * them.  *ret is filled only when there were no problems.  An empty file of a folder is left
 * out, since it has a meaning for the host; with notes any is, and it is noted.
 */
enum cli_exit documents_load(char *const args[], struct config **ret, struct report *notes,
			     struct report *problems);

#endif
