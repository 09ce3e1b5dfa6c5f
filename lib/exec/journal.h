/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run did, for whoever has to find out later: one JSON line before and one after each
 * step, each on disk before the run goes on.  Steps that run as a group share their syncs.  It
 * is never replayed: after a crash the program scans and plans again.  The journal of the run
 * before is kept beside it as NAME.old.
 */
#ifndef DAXD_EXEC_JOURNAL_H
#define DAXD_EXEC_JOURNAL_H

#include <stddef.h>

#include "base/error.h"
#include "core/step.h"

struct journal;

enum journal_phase {
	JOURNAL_BEGIN,
	JOURNAL_END,
	JOURNAL_FAIL,
	JOURNAL_UNDO,
};

int journal_open(const char *path, struct journal **ret, struct error *reterr);
void journal_free(struct journal *journal);
DEFINE_FREEP(struct journal, journal)

/* cause: of JOURNAL_FAIL, else NULL. The line is safe on disk after the next journal_sync(). */
int journal_write(struct journal *journal, enum journal_phase phase, size_t index,
		  const struct step *step, const struct error *cause, struct error *reterr);
int journal_sync(struct journal *journal, struct error *reterr);

#endif
