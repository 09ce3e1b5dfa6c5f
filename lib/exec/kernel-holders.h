/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for who uses devices: shared by kernel-holders.c and kernel-holders-check.c. */
#ifndef DAXD_EXEC_KERNEL_HOLDERS_H
#define DAXD_EXEC_KERNEL_HOLDERS_H

#include "exec/kernel.h"

struct target {
	char name[SYSFS_NAME_MAX]; /* dax1.0, pmem1, pmem1p1, dm-0 */
	dev_t dev;
	bool block;
	bool stacked; /* on the device of the list: of it mounts and swap count, and no processes */
	struct holder_list *list;
	struct holder_list *own; /* of a partition: its alone, NULL: none; list is the disk's */
	struct range extent;	 /* of mappings, those that have some of it; size 0: all */
};

struct targets {
	struct target *targets;
	size_t n;
	bool own; /* another run of this program is looking at one of them */
};

void targets_clear(struct targets *targets);
/* A device that has gone meanwhile is left out; -ENOMEM. */
int targets_add_dax(struct targets *targets, const char *device, struct holder_list *list);
/* With its partitions. ns NULL: maps of ours are holders like any others. */
int targets_add_blockdev(struct targets *targets, const char *name, const struct namespace *ns,
			 struct holder_list *list);
/* Fill the lists. */
int targets_read(struct targets *targets, bool with_processes, struct error *reterr);
/* No dax device at all is open. */
bool targets_nothing_open(void);

#endif
