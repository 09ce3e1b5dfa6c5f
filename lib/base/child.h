/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program, at the other end of three pipes: no shell, and nothing of ours but those. */
#ifndef DAXD_BASE_CHILD_H
#define DAXD_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in, out, err; /* our ends, which do not block */
};

/*
 * Start argv[0], with no signal blocked and SIGPIPE as it is by default; own_group keeps it out
 * of reach of the terminal's Ctrl-C.  Whoever waits for it owns the descriptors.
 */
int child_start(char *const argv[], bool own_group, struct child *ret);
/* A lines_take that keeps a copy of the last line that is not empty; userdata is a char **. */
int child_keep_last(void *userdata, char *line, size_t length);

#endif
