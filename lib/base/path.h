/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where in a JSON document something stands.  A path is a chain of links on the stack, from a
 * value up to the root; it costs nothing until a problem is reported, when it is written out
 * as a JSON pointer (RFC 6901).  The root itself is "".
 */
#ifndef DAXD_BASE_PATH_H
#define DAXD_BASE_PATH_H

#include <stddef.h>

struct path {
	const struct path *parent; /* NULL: this link hangs from the root */
	const char *key;	   /* member name, or NULL for an array element */
	size_t index;		   /* array element, when key is NULL */
	const char *file;	   /* of the first link: the document, NULL: there is only one */
};

/* Returns a string the caller frees, or NULL when there is no memory.  path may be NULL (root). */
char *path_to_pointer(const struct path *path);

/* The document it is in, or NULL. */
const char *path_file(const struct path *path);

#endif
