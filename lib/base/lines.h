/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes from a descriptor, line by line, without waiting for it. */
#ifndef DAXD_BASE_LINES_H
#define DAXD_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* line ends with NUL, not newline, and may be changed; negative errno stops the reading. */
typedef int lines_take(void *userdata, char *line, size_t length);

struct lines {
	int fd; /* owned, does not block */
	size_t max; /* bytes of a line */
	lines_take *take;
	void *userdata;
	bool ended; /* there is no more to come; a last line needs no newline */
	char *text; /* bytes that were read and are no whole line yet */
	size_t used, room;
};

/* Closes the descriptor, too; may be called again. */
void lines_clear(struct lines *lines);
/* 1: there may be more; 0: nothing now, or the end; -EFBIG, what read() or take says. */
int lines_read(struct lines *lines);

#endif
