/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>

static void write_link(FILE *out, const struct path *path)
{
	if (!path)
		return;
	write_link(out, path->parent);
	(void)fputc('/', out);
	if (!path->key) {
		(void)fprintf(out, "%zu", path->index);
		return;
	}
	for (const char *c = path->key; *c; c++) {
		if (*c == '~')
			(void)fputs("~0", out);
		else if (*c == '/')
			(void)fputs("~1", out);
		else
			(void)fputc(*c, out);
	}
}

char *path_to_pointer(const struct path *path)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	write_link(out, path);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

const char *path_file(const struct path *path)
{
	while (path && path->parent)
		path = path->parent;
	return path ? path->file : NULL;
}
