/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/layout.h"

#include <errno.h>

#include "base/size.h"

void space_clear(struct space *space)
{
	range_list_clear(&space->used);
	range_list_clear(&space->free);
}

int space_use(struct space *space, struct range range)
{
	space->fresh = false;
	return range_list_add(&space->used, range);
}

int space_use_list(struct space *space, const struct range_list *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = space_use(space, list->ranges[i]);
	return r;
}

/* Without memory there is no free space: the allocation that follows then fails. */
static void refresh(struct space *space)
{
	if (space->fresh)
		return;
	range_list_clear(&space->free);
	space->fresh = range_list_free_of(space->whole, &space->used, &space->free) == 0;
}

bool space_is_free(struct space *space, struct range range)
{
	refresh(space);
	return range_list_contains(&space->free, range);
}

uint64_t space_available(struct space *space, uint64_t step)
{
	uint64_t size = 0;

	refresh(space);
	for (size_t i = 0; i < space->free.n; i++)
		size += range_trim(space->free.ranges[i], step).size;
	return size;
}

uint64_t space_largest(struct space *space, uint64_t step)
{
	uint64_t largest = 0;

	refresh(space);
	for (size_t i = 0; i < space->free.n; i++) {
		uint64_t size = range_trim(space->free.ranges[i], step).size;

		if (size > largest)
			largest = size;
	}
	return largest;
}

/* Take bytes from the start of free piece i without rebuilding the whole list. */
static int take_from_piece(struct space *space, size_t i, struct range taken)
{
	struct range *piece = &space->free.ranges[i];
	int r = range_list_add(&space->used, taken);

	if (r < 0)
		return r;
	if (taken.start == piece->start) {
		piece->size = range_end(*piece) - range_end(taken);
		piece->start = range_end(taken);
	} else {
		space->fresh = false; /* a gap before it stays: rebuild */
	}
	return 0;
}

static int allocate_piece(struct space *space, uint64_t size, uint64_t step,
			  struct range_list *ret)
{
	for (size_t i = 0; i < space->free.n; i++) {
		struct range piece = range_trim(space->free.ranges[i], step);

		if (piece.size < size)
			continue;
		piece.size = size;
		if (range_list_add(ret, piece) < 0)
			return -ENOMEM;
		return take_from_piece(space, i, piece);
	}
	return -ENOSPC;
}

static int allocate_pieces(struct space *space, uint64_t size, uint64_t step,
			   struct range_list *ret)
{
	for (size_t i = 0; size && i < space->free.n; i++) {
		struct range piece = range_trim(space->free.ranges[i], step);
		int r;

		if (piece.size == 0)
			continue;
		if (piece.size > size)
			piece.size = size;
		r = range_list_add(ret, piece);
		if (r == 0)
			r = take_from_piece(space, i, piece);
		if (r < 0)
			return r;
		size -= piece.size;
	}
	return size ? -ENOSPC : 0;
}

int space_allocate(struct space *space, uint64_t size, uint64_t step, bool contiguous,
		   struct range_list *ret)
{
	struct range_list got = { 0 };
	int r;

	refresh(space);
	if (!contiguous && space_available(space, step) < size)
		return -ENOSPC;
	if (contiguous)
		r = allocate_piece(space, size, step, &got);
	else
		r = allocate_pieces(space, size, step, &got);
	if (r < 0) {
		range_list_clear(&got);
		return r;
	}
	*ret = got;
	return 0;
}

uint64_t space_behind(struct space *space, uint64_t address, uint64_t step)
{
	refresh(space);
	for (size_t i = 0; i < space->free.n; i++)
		if (space->free.ranges[i].start == address)
			return round_down_to(space->free.ranges[i].size, step);
	return 0;
}
