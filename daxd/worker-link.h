/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of daxd-worker, without waiting for it: its stdin is fed, its lines are handed on as
 * they come, and its end is told once.  The link owns the process: freeing it kills what still
 * runs.
 */
#ifndef DAXD_WORKER_LINK_H
#define DAXD_WORKER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/lines.h"

struct worker_end {
	int refused;  /* negative errno by which the line callback gave it up, or 0 */
	bool killed;  /* by a signal */
	int code;     /* exit status or signal */
	const char *last; /* last line of its stderr, or NULL */
};

struct worker_calls {
	lines_take *line; /* negative errno kills the worker */
	/* All lines have been handed on.  The callee frees the link, at once or later. */
	void (*ended)(void *userdata, const struct worker_end *end);
	size_t line_max;
};

struct worker_link;
struct worker_spares;

/* input (NULL: none) is freed in any case. */
int worker_link_start(struct worker_spares *spares, const char *verb, char *input,
		      const struct worker_calls *calls, void *userdata, struct worker_link **ret,
		      struct error *reterr);
void worker_link_free(struct worker_link *link);
/* Ask it to end; apply does between two steps. */
void worker_link_stop(struct worker_link *link);
/* The sentence for an end without an answer. */
void worker_end_error(const struct worker_end *end, struct error *reterr);

#endif
