/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A context of libfdisk on a file in memory, which is all that it ever sees. */
#ifndef DAXD_EXEC_TABLE_FDISK_H
#define DAXD_EXEC_TABLE_FDISK_H

#include "exec/kernel-fdisk-library.h"
#include "exec/table-bytes.h"

/* fd: a file as bytes->fd; 0 or -errno. */
int table_fdisk_open(const struct table_bytes *bytes, int fd, bool read_only,
		     struct fdisk_context **ret);
void table_fdisk_close(struct fdisk_context *context);

#endif
