/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change of the machine on its way: queued, then looked at and planned, then run by a
 * worker, then ended.  A job scans when its turn comes, so its plan is never old; when the
 * machine changes between plan and run all the same, it plans anew, a few times.
 *
 * Jobs belong to the queue, which starts them and is told when they have ended.
 */
#ifndef DAXD_JOB_H
#define DAXD_JOB_H

#include <inttypes.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/config.h"
#include "core/event.h"
#include "core/plan.h"

struct manager;
struct worker_link;

enum job_operation {
	JOB_CONFIGURATION, /* what of the host's configuration can be had without loss */
	JOB_APPLY,
	JOB_CREATE_VOLUME,
	JOB_REMOVE_VOLUME,
};

enum job_state {
	JOB_QUEUED,
	JOB_PLANNING,
	JOB_RUNNING,
	JOB_ENDED,
};

enum job_outcome {
	JOB_OPEN, /* it has not ended */
	JOB_DONE,
	JOB_FAILED,
	JOB_REFUSED, /* would lose data */
	JOB_INVALID, /* cannot be had */
	JOB_CANCELLED,
	JOB_BUSY, /* somebody else is writing */
	JOB_PARTIAL, /* of the host: what could be had is done, and problems name the rest */
};

struct job {
	struct manager *manager;
	uint64_t id;
	enum job_operation operation;
	enum job_state state;
	enum job_outcome outcome;
	uid_t uid;
	uint64_t created; /* microseconds since 1970 */
	bool allow_data_loss;
	struct config *config; /* what is wanted; NULL: it came with its plan */
	struct plan *plan;     /* NULL: not made yet */
	size_t steps_done;
	size_t current; /* index + 1 of the step that runs, 0: none does */
	size_t n_events; /* what the worker has told */
	struct report problems; /* its own, then what was left out of the host's configuration */
	size_t n_own;
	bool host;		/* config is the host's own: what cannot be had of it is left out, */
	struct report mistakes; /* as these files were */
	unsigned int attempts;
	bool cancelled;
	struct worker_link *worker;
	bool told; /* the worker's end event is there: */
	enum outcome told_outcome;
	/* What is not told on the bus yet: bits of enum bus_job_change, lines of the worker. */
	unsigned int changed;
	char **lines;
	size_t n_lines;
	struct topology *after; /* what the worker saw when it had done; NULL: nothing */
};

/* Takes config and plan; one of them is there. NULL: no memory, and both are freed. */
struct job *job_new(struct manager *manager, enum job_operation operation, uid_t uid,
		    struct config *config, struct plan *plan);
void job_free(struct job *job);
/* Its turn has come. It ends by queue_ended(), which may be before this returns. */
void job_start(struct job *job);
/* Between two steps, when it runs. */
void job_cancel(struct job *job);
/* It failed because the machine had changed since it was planned for. */
bool job_was_stale(const struct job *job);
/* "Step 3, create-namespace ...", "" between steps; the caller frees; NULL: no memory. */
char *job_current_step(const struct job *job);

const char *job_operation_word(enum job_operation operation);
const char *job_state_word(enum job_state state);
const char *job_outcome_word(enum job_outcome outcome);

#endif
