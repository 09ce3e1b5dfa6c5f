/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of sysfs: small texts below an open folder, read with one read() and written with
 * one write().  Nothing here fills a struct error: what a number or an errno means is known
 * only where the attribute is.  All return 0 (or what they say) or -errno.
 */
#ifndef DAXD_EXEC_SYSFS_H
#define DAXD_EXEC_SYSFS_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/* Longer than any attribute that is read whole, see sysfs(5) for the page it may not exceed. */
#define SYSFS_VALUE_MAX 4096
/* Of kernel object names. */
#define SYSFS_NAME_MAX 256

/* A folder; at may be AT_FDCWD. Returns the descriptor. */
int sysfs_open(int at, const char *path);
/* The same to iterate over; NULL with errno. */
DIR *sysfs_open_dir(int at, const char *path);
/* The next entry that is not hidden; NULL at the end. */
const struct dirent *sysfs_next(DIR *dir);
void closedirp(DIR **dir);

/* Without the newline at the end. Returns the length. */
int sysfs_read(int at, const char *attribute, char *buffer, size_t size);
/* Decimal, or hex with 0x; all of the text. */
int sysfs_read_u64(int at, const char *attribute, uint64_t *ret);
/* Hex with or without 0x. */
int sysfs_read_hex(int at, const char *attribute, uint64_t *ret);
int sysfs_read_int(int at, const char *attribute, int *ret);
/* A copy the caller frees, NULL when it is empty. */
int sysfs_read_text(int at, const char *attribute, char **ret);
/* The last component of where a link leads. */
int sysfs_read_link(int at, const char *link, char *buffer, size_t size);
int sysfs_write(int at, const char *attribute, const char *value);

/* The number after prefix in name, when nothing else follows it; -EINVAL. */
int sysfs_name_number(const char *name, const char *prefix, uint64_t *ret);

#endif
