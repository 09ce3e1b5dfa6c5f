/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and their partitions, for people and for programs. */
#ifndef DAXCTL_EXT_PART_LIST_H
#define DAXCTL_EXT_PART_LIST_H

#include "cli.h"
#include "volumes.h"

/* All that have a table, or the one of this name; problems are added. */
enum cli_exit part_list(struct cli *cli, const struct volumes *volumes, const char *name);

/* Who makes block devices of its partitions: "kernel", "auto (kernel)", "daxd". */
struct part_policy {
	char text[32];
};
struct part_policy part_policy(const struct disk *disk);
/* "mapped", "the kernel's", "misaligned": what there is of an entry; static. */
const char *part_state(const struct namespace *ns, const struct table_entry *entry);

#endif
