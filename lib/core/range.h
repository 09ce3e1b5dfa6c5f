/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Physical address ranges and lists of them.  A range is start and length in bytes; it never
 * wraps (start + size <= 2^64 - 1) and a list owns its array.
 */
#ifndef DAXD_CORE_RANGE_H
#define DAXD_CORE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct range {
	uint64_t start;
	uint64_t size;
};

struct range_list {
	struct range *ranges;
	size_t n;
};

static inline uint64_t range_end(struct range r)
{
	return r.start + r.size; /* first byte after it */
}

void range_list_clear(struct range_list *list);
/* Append one; -ENOMEM. */
int range_list_add(struct range_list *list, struct range range);
int range_list_copy(struct range_list *to, const struct range_list *from);
uint64_t range_list_size(const struct range_list *list);
bool range_list_equal(const struct range_list *a, const struct range_list *b);
/* Does every byte of r lie in one range of the list? */
bool range_list_contains(const struct range_list *list, struct range r);
bool range_overlaps(struct range a, struct range b);
void range_list_sort(struct range_list *list);
/* Join neighbours that touch. */
void range_list_join(struct range_list *list);
/* Do they cover the same bytes in the same order, however they are divided? */
bool range_list_same_bytes(const struct range_list *a, const struct range_list *b);
/* Are the first bytes of a those of b, in the same order? */
bool range_list_begins_with(const struct range_list *a, const struct range_list *b);
/* Do they cover the same bytes in whatever order?  No range of a list overlaps another of it. */
bool range_list_same_set(const struct range_list *a, const struct range_list *b);
/*
 * What is left of whole when every range of used (any order, may overlap) is taken out,
 * in address order. *ret must be clear; -ENOMEM.
 */
int range_list_free_of(struct range whole, const struct range_list *used, struct range_list *ret);
/* Shrink r inward to multiples of step; the size may become 0. */
struct range range_trim(struct range r, uint64_t step);

#endif
