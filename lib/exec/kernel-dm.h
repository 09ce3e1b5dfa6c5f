/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Maps: dm-linear devices of one target, made without udev's semaphore and without nodes of the
 * library.  A map of ours is told by its uuid; no other dm device is ever touched.
 */
#ifndef DAXD_EXEC_KERNEL_DM_H
#define DAXD_EXEC_KERNEL_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/range.h"
#include "core/uuid.h"

#define DM_UUID_MAX 128

/* "part1-DAXD-UUID" of the partition of a disk. */
void dm_map_uuid(const struct uuid *disk, unsigned int number, char uuid[DM_UUID_MAX]);
/* The number of a map of this disk, 0: it is none of ours, or of another disk. */
unsigned int dm_map_number(const char *uuid, const struct uuid *disk);

struct dm_map_state {
	struct range extent; /* size 0: not the one linear target on the disk that ours have */
	bool read_only;
	unsigned int open_count;
};

/* The map of this uuid: 1, and its number; 0: there is none. */
int dm_map_find(const char *uuid, dev_t *ret, struct error *reterr);
/* -errno with a sentence; disk and dev are block devices. */
int dm_map_read(const char *name, dev_t dev, dev_t disk, struct dm_map_state *ret,
		struct error *reterr);
/* The number of the device that was made. */
int dm_map_create(const char *name, const char *uuid, dev_t disk, struct range extent,
		  bool read_only, dev_t *ret, struct error *reterr);
/* -EBUSY without a sentence while it is open. */
int dm_map_remove(const char *name, dev_t dev, struct error *reterr);
int dm_map_reload(const char *name, dev_t dev, dev_t disk, struct range extent, bool read_only,
		  struct error *reterr);

#endif
