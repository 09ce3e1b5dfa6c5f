/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a worker tells while it works: one JSON object a line.  The same lines become D-Bus
 * signals and the progress on a terminal.
 *
 *   {"event":"begin","steps":12}
 *   {"event":"step","step":3,"state":"started"}
 *   {"event":"step","step":3,"state":"progress","done":2,"total":8}
 *   {"event":"step","step":3,"state":"done"}
 *   {"event":"step","step":4,"state":"failed","error":{"code":16,"errno":"EBUSY",
 *    "message":"...","hint":"..."}}
 *   {"event":"step","step":5,"state":"skipped"}      because of one that failed, or the run was
 *                                                    cancelled
 *   {"event":"step","step":3,"state":"undone"}       taken back because step 4 failed or the
 *                                                    run was cancelled; with "error" when that
 *                                                    did not work
 *   {"event":"end","outcome":"done"}                 or failed, stale, busy, cancelled; "error"
 *                                                    as above
 *
 * Steps that do not depend on one another may be under way at the same time: several are told
 * as started before the first of them is done.
 */
#ifndef DAXD_CORE_EVENT_H
#define DAXD_CORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum event_kind { EVENT_BEGIN, EVENT_STEP, EVENT_END };
#define N_EVENT_KINDS 3

enum step_state {
	STEP_STARTED,
	STEP_PROGRESS,
	STEP_DONE,
	STEP_FAILED,
	STEP_SKIPPED,
	STEP_UNDONE,
};
#define N_STEP_STATES 6

enum outcome {
	OUTCOME_DONE,	/* every step is done and reads back */
	OUTCOME_FAILED, /* some step failed; what its volume had got is taken back */
	OUTCOME_STALE,	/* the machine is no longer what the plan was made for; nothing was done */
	OUTCOME_BUSY,	/* another worker holds the lock; nothing was done */
	OUTCOME_CANCELLED, /* stopped between two steps; half made volumes are taken back */
};
#define N_OUTCOMES 5

struct event {
	enum event_kind kind;
	size_t step; /* of EVENT_STEP; of EVENT_BEGIN how many there are */
	enum step_state state;
	uint64_t done, total; /* of STEP_PROGRESS */
	enum outcome outcome; /* of EVENT_END */
	struct error error;   /* of STEP_FAILED, of STEP_UNDONE, of an outcome that is not done */
};

void event_clear(struct event *event);
/* One line without its newline; NULL: no memory. */
char *event_to_json(const struct event *event);
int event_parse(const char *line, size_t length, struct event *ret, struct report *report);

#endif
