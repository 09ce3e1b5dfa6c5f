/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/geometry.h"

#include "base/size.h"

#define INFO_BLOCK_SIZE 8192
#define PAGE_SIZE_MIN 4096
#define STRUCT_PAGE_SIZE 64 /* MAX_STRUCT_PAGE_SIZE of the kernel */

struct range namespace_data(struct range whole, uint64_t align, enum map_location map)
{
	uint64_t head = INFO_BLOCK_SIZE, start, end;

	/* The kernel never maps less than a 2 MiB subsection at a time. */
	if (align < ALIGN_2M)
		align = ALIGN_2M;
	if (whole.size <= head)
		return (struct range){ whole.start, 0 };
	if (map == MAP_DEV)
		head += (whole.size - INFO_BLOCK_SIZE) / PAGE_SIZE_MIN * STRUCT_PAGE_SIZE;
	if (round_up_to(whole.start + head, align, &start) < 0)
		return (struct range){ whole.start, 0 };
	end = round_down_to(range_end(whole), align);
	return (struct range){ start, end > start ? end - start : 0 };
}

uint64_t memory_in(struct range r, uint64_t block_size)
{
	return block_size ? range_trim(r, block_size).size : 0;
}

uint64_t memory_in_list(const struct range_list *list, uint64_t block_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < list->n; i++)
		size += memory_in(list->ranges[i], block_size);
	return size;
}

static uint64_t least_common_multiple(uint64_t a, uint64_t b)
{
	uint64_t x = a, y = b, rest;

	while (y) {
		rest = x % y;
		x = y;
		y = rest;
	}
	return a / x * b;
}

uint64_t allocation_step(const struct region *region, uint64_t align, enum volume_mode mode,
			 uint64_t block_size)
{
	uint64_t step = region->align ? region->align : ALIGN_2M;

	if (!region_is_dynamic(region))
		return least_common_multiple(step, align * region->ways);
	if (align > step)
		step = align;
	if (mode == MODE_SYSTEM_RAM && block_size > step)
		step = block_size;
	return step;
}

uint64_t percent_of(uint64_t size, unsigned int percent_x100)
{
	return size / 10000 * percent_x100 + size % 10000 * percent_x100 / 10000;
}
