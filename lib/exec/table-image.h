/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partition tables as bytes, whatever device they lie on.  Of a device only its two ends are
 * read, into a sparse file in memory, and that is what libfdisk and libblkid see: they need no
 * block device, cannot ask the kernel to do anything, and nothing reaches the device before the
 * new table is complete and was read back.
 *
 * A table is written so that a loss of power or a kill at any moment leaves the old or the new
 * one: the copy at the end first, then a mark in place of the header, the entries at the start, and
 * last the header that makes them count.  Until then the copy is the table, and the mark tells it
 * from one of which somebody has damaged the start.
 */
#ifndef DAXD_EXEC_TABLE_IMAGE_H
#define DAXD_EXEC_TABLE_IMAGE_H

#include "base/error.h"
#include "core/table.h"

#define TABLE_IMAGE_END (UINT64_C(1) << 20) /* of either end */

struct table_device {
	const char *name; /* for sentences: pmem0 */
	uint64_t size, sector_size;
	void *userdata;
	/* All n bytes, which lie within one end of the device; 0 or -errno. */
	int (*read)(void *userdata, uint64_t offset, void *to, size_t n);
	/* They last when this returns. */
	int (*write)(void *userdata, uint64_t offset, const void *from, size_t n);
};

/* *ret must be clear. What is wrong with a table is in its kind; errors are of the device. */
int table_image_read(const struct table_device *device, struct partition_table *ret,
		     struct error *reterr);
/*
 * Make a device's table from before to after: a GPT with uuids everywhere, or none.  What libfdisk knows
 * of entries and struct partition_table does not (attributes) stays.  Done already is done.  -ESTALE:
 * the device has another table than before.
 */
int table_image_write(const struct table_device *device, const struct partition_table *before,
		      const struct partition_table *after, struct error *reterr);

#endif
