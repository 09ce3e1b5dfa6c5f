/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and their partitions, for people and for programs. */
#ifndef DAXCTL_EXT_PART_LIST_H
#define DAXCTL_EXT_PART_LIST_H

#include "cli.h"
#include "core/json-write.h"
#include "part.h"
#include "table.h"

/* All that have a table, or the one of this name; problems are added. */
enum cli_exit part_list(struct cli *cli, const struct volumes *volumes, const char *name);

/* Why something has no partitions, nor can have any, or NULL. */
const char *part_why_none(const struct volume_view *view);
/* And what would help; NULL: nothing. */
char *part_hint_none(const struct volume_view *view);

/* Are there maps, and no table any more that would tell what they are of? */
bool part_is_lost(const struct volume_view *view);
/* What that is, and what to do; both to be freed. */
char *part_lost_text(const struct volume_view *view);
char *part_lost_hint(const struct volume_view *view);

/* Those who hold all of a device, and no partition: rows below it, or an array. */
void part_list_add_holders(struct table *out, const struct volume_view *view);
void part_list_put_holders(struct json_out *out, const struct volume_view *view);

/* Who makes block devices of its partitions: "kernel", "auto (kernel)", "daxd". */
struct part_policy {
	char text[32];
};
struct part_policy part_policy(const struct disk *disk);
/* "gpt table", "ext4", "none": what lies there. */
struct part_table_text {
	char text[128];
};
struct part_table_text part_table_text(const struct partition_table *table);
/* And as members of the object that is open; grain: of new partitions. */
void part_put_table(struct json_out *out, const struct partition_table *table, uint64_t grain);
/* "mapped", "the kernel's", "misaligned": what there is of it; static. */
const char *part_state(const struct namespace *ns, const struct part *part);

#endif
