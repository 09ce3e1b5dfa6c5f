/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's arithmetic: what a namespace keeps for itself, what memory blocks leave of a
 * range, in which steps a region can be divided.  All sizes are bytes.
 */
#ifndef DAXD_CORE_GEOMETRY_H
#define DAXD_CORE_GEOMETRY_H

#include <stdint.h>

#include "core/config.h"
#include "core/topology.h"

/* Sizes of a pmem namespace below this are refused by its drivers. */
#define NAMESPACE_SIZE_MIN (UINT64_C(16) << 20)
#define DEFAULT_ALIGN ALIGN_2M

/*
 * What a user of an fsdax or devdax namespace gets of the namespace's range: the info block
 * (8 KiB) and, with MAP_DEV, 64 bytes for each 4 KiB come first, rounded up to align; a tail
 * that is not a multiple of align is cut.  Size 0: nothing is left.  (nd_pfn_init(), 6.12)
 */
struct range namespace_data(struct range whole, uint64_t align, enum map_location map);

/* Bytes of r that become memory when kmem takes it: whole memory blocks only. */
uint64_t memory_in(struct range r, uint64_t block_size);
uint64_t memory_in_list(const struct range_list *list, uint64_t block_size);

/*
 * The step in which a volume's size and place may be chosen in a region: for pmem the region's
 * align and the page size times the interleave ways, for dynamic regions the larger of device
 * and region align, and whole memory blocks for system-ram.
 */
uint64_t allocation_step(const struct region *region, uint64_t align, enum volume_mode mode,
			 uint64_t block_size);

/* percent_x100 of size, without overflow. */
uint64_t percent_of(uint64_t size, unsigned int percent_x100);

#endif
