/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two ends of a device as a sparse file in memory, and what libfdisk and libblkid make of
 * it.  Here and nowhere else they are asked for a table to go by, and what they may be given is
 * checked before: a header with room for a thousand million entries would have them read so many.
 */
#ifndef DAXD_EXEC_TABLE_BYTES_H
#define DAXD_EXEC_TABLE_BYTES_H

#include <stdbool.h>

#include "base/error.h"
#include "core/table.h"

/* Both ends, and a partition between them. */
#define TABLE_DEVICE_MIN (UINT64_C(4) << 20)

struct table_bytes {
	const char *name; /* of the device */
	int fd;
	uint64_t size, sector_size;
	unsigned char *head, *tail; /* TABLE_IMAGE_END each */
	uint64_t known; /* the outermost bytes of each that are the device's; the rest is zeros */
};

#define TABLE_MARK_SIZE 512 /* the smallest sector */

#define TABLE_BYTES_INIT { .fd = -1 }

/* All zeros, and all known; name is borrowed. */
int table_bytes_new(struct table_bytes *bytes, const char *name, uint64_t size,
		    uint64_t sector_size, struct error *reterr);
void table_bytes_clear(struct table_bytes *bytes);
/* Head and tail to the file, which must be all zeros yet. */
int table_bytes_fill(const struct table_bytes *bytes, struct error *reterr);
/* Is there a header of a GPT, with all its entries in what is known? */
bool table_bytes_hold_gpt(const struct table_bytes *bytes);
int table_bytes_copy(struct table_bytes *to, const struct table_bytes *from,
		     struct error *reterr);
int table_bytes_parse(const struct table_bytes *bytes, struct partition_table *ret,
		      struct error *reterr);
/*
 * Where the first sector is lost with the table, have the file let the libraries find the copy at
 * the end; head stays as it is.
 */
int table_bytes_protect(const struct table_bytes *bytes, struct error *reterr);
/*
 * What stands in the place of the first header while a table is written, so that one that was cut
 * off is told from one that somebody has damaged: of this guid, the copy at the end is the new one.
 */
void table_bytes_mark(const struct uuid *guid, unsigned char mark[TABLE_MARK_SIZE]);
/* And the other way round. */
int table_bytes_read_back(const struct table_bytes *bytes, struct error *reterr);
/* By libfdisk; head and tail follow. before NULL: whatever there is is to be forgotten. */
int table_bytes_edit(struct table_bytes *bytes, const struct partition_table *before,
		     const struct partition_table *after, struct error *reterr);

#endif
