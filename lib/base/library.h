/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Libraries that are loaded when they are needed, since to start with them takes longer than
 * what most runs do.  The functions that are used of one are pointers in a structure of its own.
 */
#ifndef DAXD_BASE_LIBRARY_H
#define DAXD_BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

struct library_function {
	const char *name;
	size_t offset; /* of its pointer in the structure */
};

/*
 * Load a library unless *library says that it is there, and fill the structure at pointers.  It
 * stays until the program ends.  -ELIBACC when it is missing, or lacks one of the functions;
 * package is where Debian has it.
 */
int library_load(void **library, const char *name, const char *package,
		 const struct library_function functions[], size_t n, void *pointers,
		 struct error *reterr);

#endif
