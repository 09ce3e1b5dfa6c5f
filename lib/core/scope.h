/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Some regions of a machine, by path: those that a plan is about.  What it does can be judged by
 * them, by the records, and by what holds for all of the machine, so nothing else need be read
 * before it runs, or told afterwards.  Where a scope may be NULL, that means all regions.
 */
#ifndef DAXD_CORE_SCOPE_H
#define DAXD_CORE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/plan.h"
#include "core/topology.h"

struct scope {
	char **paths; /* in order, each once */
	size_t n;
};

void scope_clear(struct scope *scope);
/* The regions that a plan is about, or of steps that take something away alone; -ENOMEM. */
int scope_of_plan(const struct plan *plan, bool losses, struct scope *ret);
bool scope_has(const struct scope *scope, const char *path);
/* Is one of them below an nd bus, as DIMMs are? */
bool scope_has_nd(const struct scope *scope);

/*
 * Make what was seen of a scope alone (part) what was seen of all: regions out of it, and DIMMs if
 * none were looked at, are as they were in whole, which lends them.  Both can be read, until
 * topology_free_lender() takes whole away.  -ENOMEM: nothing is lent.
 */
int topology_complete(struct topology *part, const struct topology *whole,
		      const struct scope *scope);
void topology_free_lender(struct topology *whole, const struct topology *part);

#endif
