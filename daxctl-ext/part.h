/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partitions of a disk, wherever they are: in its table, among those that the kernel has, or among
 * our maps, which others may have left behind.
 */
#ifndef DAXCTL_EXT_PART_H
#define DAXCTL_EXT_PART_H

#include "volumes.h"

struct part {
	unsigned int number;
	struct range extent;		 /* in the table, else where it is in fact */
	const struct table_entry *entry; /* NULL: the table does not have it */
	const struct native *native;	 /* NULL: the kernel does not have it */
	const struct disk_map *map;	 /* NULL: there is no map */
};

/* The next one, entries of the table first; *at is 0 at the beginning.  False: there is none. */
bool part_next(const struct disk *disk, size_t *at, struct part *ret);
/* Who holds it, of ours before the kernel's; number i, or NULL. */
const struct holder *part_holder(const struct part *part, size_t i);
/* "pmem0p1" */
struct part_name {
	char text[80];
};
struct part_name part_name(const struct namespace *ns, unsigned int number);
/* What udev has found at the beginning of its block device, such as ext4; NULL: nothing. */
char *part_content(const struct namespace *ns, unsigned int number);
/* The partition of this name, or any path of its node, and whose it is; NULL: there is none. */
const struct volume_view *part_find(const struct volumes *volumes, const char *name,
				    struct part *ret);

#endif
