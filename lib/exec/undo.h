/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that takes another one back. */
#ifndef DAXD_EXEC_UNDO_H
#define DAXD_EXEC_UNDO_H

#include "core/step.h"
#include "core/topology.h"

enum undo {
	UNDO_STEP,    /* *ret takes it back */
	UNDO_NOTHING, /* there is nothing to take back */
	UNDO_NEVER,   /* it cannot be taken back, nor anything done before it */
};

/*
 * before: the machine before the run.  *ret is cleared by the caller when UNDO_STEP; -ENOMEM
 * is returned as UNDO_NEVER, because then nothing more can be done either.
 */
enum undo step_undo(const struct step *step, const struct topology *before, struct step *ret);

#endif
