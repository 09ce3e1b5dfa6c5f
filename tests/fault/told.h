/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run has told of the steps of its plan, and whether that is what the executor promises:
 * a volume is all or nothing, and others go on.
 */
#ifndef DAXD_TESTS_TOLD_H
#define DAXD_TESTS_TOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"
#include "core/plan.h"
#include "core/topology.h"
#include "exec/backend.h"
#include "exec/undo.h"

struct told {
	const struct plan *plan;
	const struct topology *before; /* the machine that the plan was made for */
	enum step_state *states;       /* of each step; DONE still when taking back has failed */
	size_t *done;		       /* steps in the order in which they were done */
	size_t n_done;
	size_t failed; /* the first step that has failed, or plan->n_steps */
	size_t events;
	size_t before_group; /* events until the last group was begun */
	bool starting;
};

/* Borrows both; -ENOMEM. */
int told_init(struct told *told, const struct plan *plan, const struct topology *before);
void told_clear(struct told *told);
void told_add(struct told *told, const struct event *event);

bool told_any(const struct told *told, enum step_state state);
enum undo told_undo(const struct told *told, size_t step);
/*
 * Nothing is left of any volume that lacks a step, but for what lies before something that cannot
 * be taken back.
 */
bool told_no_half_volume(const struct told *told);
/* Done is every step of volumes that have nothing to do with the one that failed. */
bool told_others_done(const struct told *told);
/*
 * As the machine must be: do on one that is as before what was done and not taken back.  And have
 * back in now, which is that machine, what udev brings back by itself.
 */
void told_replay(const struct told *told, struct backend *backend);
void told_bring_back_links(const struct told *told, struct topology *now);

#endif
