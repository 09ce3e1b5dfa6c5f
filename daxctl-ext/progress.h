/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far an apply is: on a terminal one line that is drawn again and again, elsewhere one
 * line for each step that comes to its end.
 */
#ifndef DAXCTL_EXT_PROGRESS_H
#define DAXCTL_EXT_PROGRESS_H

#include "base/macro.h"
#include "cli.h"
#include "core/event.h"
#include "core/plan.h"

struct progress;

/* cli and plan must outlive it. */
struct progress *progress_new(const struct cli *cli, const struct plan *plan);
/* Takes the line off the terminal. */
void progress_free(struct progress *progress);
DEFINE_FREEP(struct progress, progress)

/* While something else is on the terminal, nothing is drawn over it. */
void progress_hold(struct progress *progress, bool hold);
void progress_event(struct progress *progress, const struct event *event);

#endif
