/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The free space of a region while a plan is made.  A space starts with what stays in place
 * taken out; allocations then go first fit, as the kernel does for namespaces: one extent for
 * each namespace, several ranges for devices of dynamic regions unless one is asked for.
 */
#ifndef DAXD_CORE_LAYOUT_H
#define DAXD_CORE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/range.h"
#include "core/topology.h"

struct space {
	struct range whole;
	struct range_list used;
	struct range_list free; /* in address order, rebuilt after used has changed */
	bool fresh;		/* free is up to date */
};

void space_clear(struct space *space);
/* Take out a range that may not be allocated; -ENOMEM. */
int space_use(struct space *space, struct range range);
int space_use_list(struct space *space, const struct range_list *list);
/* Is all of this free? */
bool space_is_free(struct space *space, struct range range);

/* Bytes that can be allocated in multiples of step at addresses that are multiples of step. */
uint64_t space_available(struct space *space, uint64_t step);
/* The largest piece of that. */
uint64_t space_largest(struct space *space, uint64_t step);

/*
 * Allocate size (a multiple of step).  contiguous: the first piece that holds all of it, else
 * the lowest pieces.  *ret gets the ranges, which are then used.
 * -ENOSPC, -ENOMEM.
 */
int space_allocate(struct space *space, uint64_t size, uint64_t step, bool contiguous,
		   struct range_list *ret);
/* The free bytes right behind address, in multiples of step. */
uint64_t space_behind(struct space *space, uint64_t address, uint64_t step);

#endif
