/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carry out a plan: each step is announced in the journal, applied, read back, and closed in
 * the journal.  Volumes are all or nothing: when a step fails, what this run did for the same
 * volume is taken back, steps that come after it are skipped, what was done of the volumes of
 * those is taken back as well, and other volumes go on.  What is known beforehand to be missing
 * fails its volume before any of its steps.
 * Neighbouring steps of one kind that do not depend on one another run as a group; which do is
 * a matter of the plan alone, so two runs of a plan tell the same events in the same order.
 */
#ifndef DAXD_EXEC_EXECUTOR_H
#define DAXD_EXEC_EXECUTOR_H

#include <stdbool.h>

#include "core/event.h"
#include "core/plan.h"
#include "exec/backend.h"
#include "exec/journal.h"

struct executor {
	struct backend *backend;
	struct journal *journal; /* NULL: none is kept (simulations) */
	/* Told everything, the begin and end events included. */
	void (*tell)(void *userdata, const struct event *event);
	/* May be NULL: what was told is to be seen now, since what follows takes time. */
	void (*told)(void *userdata);
	/*
	 * Asked between steps, may be NULL.  Once it says yes nothing more is begun, and volumes
	 * that this run has half made are taken back.
	 */
	bool (*cancelled)(void *userdata);
	void *userdata;
};

/*
 * The plan must have been made for the machine as it is now, else the outcome is stale.
 * Returns the outcome; what went wrong was told.
 */
enum outcome executor_run(struct executor *executor, const struct plan *plan);

#endif
