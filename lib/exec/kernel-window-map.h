/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two ends of a dax character device, which can only be mapped: read through a plain
 * mapping, written through one of libpmem2, which knows how to make bytes last.
 */
#ifndef DAXD_EXEC_KERNEL_WINDOW_MAP_H
#define DAXD_EXEC_KERNEL_WINDOW_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "exec/table-image.h"

struct pmem2_map;

struct window_map {
	const char *name;
	int fd;
	uint64_t size, align;
	unsigned char *ends[2]; /* whole pages */
	size_t length;		/* of each */
	struct pmem2_map *maps[2]; /* to write */
};

#define WINDOW_MAP_INIT { .fd = -1 }

int window_map_open(struct window_map *map, const char *name, uint64_t size, uint64_t align,
		    bool write, struct error *reterr);
void window_map_close(struct window_map *map);
struct table_device window_map_device(struct window_map *map);

#endif
