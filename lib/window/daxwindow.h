/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdaxwindow: a named part of persistent or far memory, as easy as a file.
 *
 * A window is a partition of a dax character device (/dev/daxX.Y).  daxd describes those of a
 * host in /run/daxd/windows/NAME.json; this library finds one by its name, opens the device
 * (or asks daxd for a descriptor, where the node is not the caller's to open), checks that it
 * is the one described, and maps it and nothing beside it.
 *
 * Offsets and lengths are bytes, counted from the start of the window.  Functions that can fail
 * return 0, or a negative errno; where there is a message, it is one sentence for a person,
 * which the caller frees.  message may be NULL.
 *
 * Different windows may be used by different threads at once.  Of one window, only
 * daxwindow_persist() may be called by several, and not while it is mapped or unmapped.
 *
 * The descriptor of a window is one of the whole device, as the kernel has none for a part of
 * it: the library keeps a program from going astray, not one that means harm.
 */
#ifndef DAXWINDOW_H
#define DAXWINDOW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct daxwindow;

/* Flags of daxwindow_open().  Since 1. */
#define DAXWINDOW_READ_ONLY 1u

/*
 * Open a window by the name of its partition.  Since 1.
 * -EINVAL  no name of a window, or an unknown flag
 * -ENOENT  there is no window of that name
 * -EACCES  neither the node nor daxd lets the caller have it
 * -ESTALE  the device has gone, or is not what the description says: it was made anew
 * -EBADMSG the description cannot be understood
 * or what open(2) or D-Bus said.
 */
int daxwindow_open(const char *name, unsigned int flags, struct daxwindow **ret, char **message);

/* Unmap what is mapped, close the device.  NULL is fine.  Since 1. */
void daxwindow_close(struct daxwindow *window);

/*
 * Map a part of a window, for reading and, unless it was opened read-only, writing.  offset must
 * be a multiple of daxwindow_align(); length 0 is all that follows.  The mapping is shared, and
 * stays until daxwindow_unmap() or daxwindow_close().  Since 1.
 * -EINVAL  offset is not aligned
 * -ERANGE  it would end beyond the window
 * -ESTALE  the device has gone
 * or what mmap(2) said.
 */
int daxwindow_map(struct daxwindow *window, uint64_t offset, size_t length, void **ret,
		  char **message);

/* Unmap what daxwindow_map() gave.  -EINVAL: it did not give that address.  Since 1. */
int daxwindow_unmap(struct daxwindow *window, void *address);

/*
 * Make what was written there last through a loss of power; it is done when this returns.  On
 * volatile memory it costs the same and does nothing.  Since 1.
 * -ERANGE  that is not all in one mapping of this window
 */
int daxwindow_persist(struct daxwindow *window, const void *address, size_t length);

/* Bytes in the window.  Since 1. */
uint64_t daxwindow_size(const struct daxwindow *window);
/* The page size: what offsets of mappings are multiples of.  Since 1. */
uint64_t daxwindow_align(const struct daxwindow *window);
/* The device node, and where in it the window starts.  Since 1. */
const char *daxwindow_path(const struct daxwindow *window);
uint64_t daxwindow_offset(const struct daxwindow *window);
/* The partition's uuid, in lower case.  Since 1. */
const char *daxwindow_uuid(const struct daxwindow *window);
/* The descriptor of the whole device; it stays the window's.  Since 1. */
int daxwindow_fd(const struct daxwindow *window);

#ifdef __cplusplus
}
#endif

#endif
