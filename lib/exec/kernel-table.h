/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partition tables of block devices, on a descriptor that the caller has open; see table-image.h
 * for how.  The kernel is never told.
 */
#ifndef DAXD_EXEC_KERNEL_TABLE_H
#define DAXD_EXEC_KERNEL_TABLE_H

#include "base/error.h"
#include "core/table.h"

/* name is what sentences call it; sector 0: what the device says. ret must be clear. */
int kernel_read_table(int fd, const char *name, unsigned int sector, struct partition_table *ret,
		      struct error *reterr);
/*
 * Make the table on fd, which is "before", the one that is wanted: of kind gpt, or none.  Entries
 * that are the same in both are not touched.
 */
int kernel_write_table(int fd, const char *name, unsigned int sector,
		       const struct partition_table *before, const struct partition_table *after,
		       struct error *reterr);

#endif
