/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration that several files make together.  Each is read and checked alone, so that
 * its problems stand in it; then their volumes become one config, in the order of the command
 * line.  documents_locate() finds the way back from a pointer into the whole to file and place.
 */
#ifndef DAXCTL_EXT_DOCUMENTS_H
#define DAXCTL_EXT_DOCUMENTS_H

#include <stddef.h>

#include "base/error.h"
#include "cli.h"
#include "core/config.h"

struct document {
	char *file;
	size_t first, n; /* its volumes in the whole */
};

struct documents {
	struct document *documents;
	size_t n;
	struct config *config;
};

void documents_clear(struct documents *documents);

/*
 * args: files, "-" for standard input, folders (all their *.json in order of name); NULL ends
 * them.  *ret is filled only when there were no problems.
 */
enum cli_exit documents_load(char *const args[], struct documents *ret,
			     struct problem_list *problems);

/* Take what the report holds; pointers into the whole become file and pointer into it. */
void documents_locate(const struct documents *documents, struct report *report,
		      struct problem_list *problems);

#endif
