/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carry out a plan: each step is announced in the journal, applied, read back, and closed in
 * the journal.  Volumes are all or nothing: when a step fails, what this run did for the same
 * volume is taken back, steps that come after it are skipped, and other volumes go on.  What
 * is known beforehand to be missing fails the plan before its first step.
 */
#ifndef DAXD_EXEC_EXECUTOR_H
#define DAXD_EXEC_EXECUTOR_H

#include "core/event.h"
#include "core/plan.h"
#include "exec/backend.h"
#include "exec/journal.h"

struct executor {
	struct backend *backend;
	struct journal *journal; /* NULL: none is kept (simulations) */
	/* Told everything, the begin and end events included. */
	void (*tell)(void *userdata, const struct event *event);
	void *userdata;
};

/*
 * The plan must have been made for the machine as it is now, else the outcome is stale.
 * Returns the outcome; what went wrong was told.
 */
enum outcome executor_run(struct executor *executor, const struct plan *plan);

#endif
