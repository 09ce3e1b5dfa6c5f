/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a program, feed it, and take what it says line by line: no shell, and no way for the two
 * to wait for each other.
 */
#ifndef DAXCTL_EXT_WORKER_H
#define DAXCTL_EXT_WORKER_H

#include <stddef.h>

#include "base/error.h"
#include "base/lines.h"
#include "interrupt.h"

struct worker_end {
	int status;    /* as from waitpid() */
	char *last;    /* last line of its stderr, NULL: none */
};

void worker_end_clear(struct worker_end *end);

struct worker;

/* Start argv[0]; with own_group it is out of reach of the terminal's Ctrl-C. */
int worker_start(char *const argv[], bool own_group, struct worker **ret, struct error *reterr);
/* One that was not talked to has no work, and is ended. */
void worker_free(struct worker *worker);
DEFINE_FREEP(struct worker, worker)

/*
 * Give it input as its stdin, call back for each line of its stdout, and wait for it; once.  An
 * error means that the callback gave it up; how it ended by itself is in *ret.  SIGPIPE must be
 * ignored.
 *
 * With an interrupt, which a worker of its own group has, cancelling is SIGTERM to it, and when it
 * is left alone -EINTR is returned while it still runs.
 */
int worker_talk(struct worker *worker, const char *input, size_t input_length,
		lines_take *callback, void *userdata, struct interrupt *interrupt,
		struct worker_end *ret, struct error *reterr);

#endif
