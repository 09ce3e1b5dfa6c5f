/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the partitions of a volume, and the table that is there, to the table that is to be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json-scan.h"
#include "core/planner.h"

#define SECTOR_SIZE 512

/* When a partition is looked after: what gives space first, what takes all that is left last. */
enum turn { TURN_REMOVE, TURN_CHANGE, TURN_EXACT, TURN_SIZED, TURN_ALL };

char *partition_users(struct planner *p, const struct disk *disk, unsigned int number)
{
	const struct native *native = disk ? disk_find_native(disk, number) : NULL;
	const struct disk_map *map = disk ? disk_find_map(disk, number) : NULL;

	if (native && native->holders.n)
		return describe_holders(p, &native->holders);
	if (map && map->holders.n)
		return describe_holders(p, &map->holders);
	return planner_text(p, "%s", map && map->open_count ? "somebody who has it open" : "");
}

struct uuid partition_goal_uuid(const struct planner *p, const struct goal *goal,
				const struct partition *partition)
{
	if (uuid_is_set(&partition->uuid))
		return partition->uuid;
	return partition_uuid(&p->topology->seed, goal->volume, goal->ns, partition->name);
}

static struct table_entry *find_by_uuid(const struct partition_table *table,
					const struct uuid *uuid)
{
	for (size_t i = 0; i < table->n_entries; i++)
		if (uuid_equal(&table->entries[i].uuid, uuid))
			return &table->entries[i];
	return NULL;
}

/* Its entry, or NULL; false: refused. */
static bool find_entry(struct planner *p, struct goal *goal, const struct table_goal *table,
		       const struct partition *partition, struct table_entry **ret)
{
	struct uuid uuid = partition_goal_uuid(p, goal, partition);
	struct table_entry *named = NULL;
	size_t n = 0;

	*ret = find_by_uuid(&table->table, &uuid);
	for (size_t i = 0; partition->name && i < table->table.n_entries; i++) {
		struct table_entry *entry = &table->table.entries[i];

		if (entry->name && strcmp(entry->name, partition->name) == 0) {
			named = named ? named : entry;
			n++;
		}
	}
	if (*ret || !named || (uuid_is_set(&partition->uuid) && partition->absent))
		return true;
	if (uuid_is_set(&partition->uuid)) {
		partition_refuse(p, goal, partition, "uuid", EEXIST,
				 planner_text(p, "leave out \"uuid\", or give it another name."),
				 "Partition %u of %s has the name \"%s\" and the uuid %s, which is "
				 "not changed.", named->number, table->name, partition->name,
				 named->uuid.text);
		return false;
	}
	if (n > 1) {
		partition_refuse(p, goal, partition, "name", ENOTUNIQ,
				 planner_text(p, "say which by \"uuid\"; partition %u has %s.",
					      named->number, named->uuid.text),
				 "%zu partitions of %s are named \"%s\".", n, table->name,
				 partition->name);
		return false;
	}
	*ret = named;
	return true;
}

static bool refuse_used(struct planner *p, struct goal *goal, const struct table_goal *table,
			const struct partition *partition, unsigned int number, const char *what)
{
	_cleanup_(freep) char *users =
		table->holders && table->holders->n ? describe_holders(p, table->holders) :
						      partition_users(p, table->disk, number);

	if (!users || !users[0])
		return false;
	partition_refuse(p, goal, partition, NULL, EBUSY,
			 planner_text(p, "stop what uses it, then apply again."),
			 "Partition %u of %s would have to %s, and it is in use by %s.", number,
			 table->name, what, users);
	return true;
}

static bool remove_entry(struct planner *p, struct goal *goal, struct table_goal *table,
			 const struct partition *partition, const struct table_entry *entry)
{
	if (refuse_used(p, goal, table, partition, entry->number, "be removed"))
		return false;
	table_remove(&table->table, entry->number);
	table->changed = table->destructive = true;
	return true;
}

/* What a table leaves to be divided. */
static uint64_t divisible(const struct table_goal *table)
{
	uint64_t end = round_down_to(range_end(table->table.usable), table->grain);

	return end > table->grain ? end - table->grain : 0;
}

/* 0: all that there is. */
static uint64_t wanted_size(const struct table_goal *table, const struct partition *partition)
{
	switch (partition->size.kind) {
	case SIZE_BYTES:
		return partition->size.bytes;
	case SIZE_PERCENT:
		return round_down_to(percent_of(divisible(table), partition->size.percent_x100),
				     table->grain);
	case SIZE_ALL:
		break;
	}
	return 0;
}

/* Why a table has no room at all for a partition. */
static char *why_full(struct planner *p, const struct table_goal *table)
{
	if (table->table.n_entries)
		return planner_text(p, "nothing is free in steps of %s; remove a partition.",
				    SIZE_STR(table->grain));
	return planner_text(p, "they begin and end at multiples of %s here: give the volume %s.",
			    SIZE_STR(table->grain),
			    table->grain > TABLE_GRAIN ? "a smaller \"align\", or a larger size" :
							 "a larger size");
}

/* size 0: any would do; fits 0: none does. */
static void refuse_space(struct planner *p, struct goal *goal, const struct table_goal *table,
			 const struct partition *partition, uint64_t size, uint64_t fits)
{
	char *hint = fits ? planner_text(p, "%s would fit.", SIZE_STR(fits)) : why_full(p, table);

	if (size)
		partition_refuse(p, goal, partition, "size", ENOSPC, hint,
				 "%s does not fit into what is free of %s.", SIZE_STR(size),
				 table->name);
	else
		partition_refuse(p, goal, partition, "size", ENOSPC, hint,
				 "%s has no room for %s.", table->name,
				 table->table.n_entries ? "another partition" : "partitions");
}

/* Is an extent free, but for one entry, and where a table may have partitions? */
static bool is_free(const struct partition_table *table, struct range extent, unsigned int but)
{
	uint64_t end;

	if (__builtin_add_overflow(extent.start, extent.size, &end) ||
	    extent.start < table->usable.start || end > range_end(table->usable))
		return false;
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];
		uint64_t other;

		if (entry->number != but && entry->extent.size &&
		    !__builtin_add_overflow(entry->extent.start, entry->extent.size, &other) &&
		    entry->extent.start < end && extent.start < other)
			return false;
	}
	return true;
}

static char *extent_text(struct planner *p, struct range extent)
{
	struct size_text size = size_format(extent.size), start = size_format(extent.start);

	return planner_text(p, "%s at %s", size.text, start.text);
}

static void tell_extent(struct planner *p, const struct goal *goal,
			const struct table_entry *entry, struct range want)
{
	_cleanup_(freep) char *have = extent_text(p, entry->extent), *to = extent_text(p, want);
	char attribute[32];

	(void)snprintf(attribute, sizeof(attribute), "partition %u", entry->number);
	planner_drift(p, goal, attribute, have ? have : "", to ? to : "");
}

/* size 0: there is none at all from there on. */
static void refuse_place(struct planner *p, struct goal *goal, const struct table_goal *table,
			 const struct partition *partition, uint64_t size)
{
	struct range gap = table_gap(&table->table, 0, table->grain);
	_cleanup_(freep) char *room = gap.size ? extent_text(p, gap) : NULL;

	partition_refuse(p, goal, partition, "start", ENOSPC,
			 room ? planner_text(p, "%s is the largest free space in steps of %s.",
					     room, SIZE_STR(table->grain)) :
				why_full(p, table),
			 "%s at %s is not all free in %s.", size ? SIZE_STR(size) : "A partition",
			 SIZE_STR(partition->start), table->name);
}

/* A percentage of little may be less than the smallest partition; no size at all means all. */
static bool refuse_nothing(struct planner *p, struct goal *goal, const struct table_goal *table,
			   const struct partition *partition, uint64_t size)
{
	if (size || partition->size.kind != SIZE_PERCENT)
		return false;
	partition_refuse(p, goal, partition, "size", EINVAL,
			 planner_text(p, "partitions are made in steps of %s.",
				      SIZE_STR(table->grain)),
			 "%g%% of %s is less than %s.", partition->size.percent_x100 / 100.0,
			 table->name, SIZE_STR(table->grain));
	return true;
}

/* In place, or elsewhere: what shrinks or moves loses data. */
static bool change_extent(struct planner *p, struct goal *goal, struct table_goal *table,
			  const struct partition *partition, struct table_entry *entry)
{
	uint64_t room = table_room_after(&table->table, entry->extent, table->grain);
	uint64_t size = wanted_size(table, partition);
	struct range extent = entry->extent;
	bool moves = partition->has_start && partition->start != extent.start;

	if (refuse_nothing(p, goal, table, partition, size))
		return false;
	if (moves)
		extent.start = partition->start;
	extent.size = size ? size : extent.size + (moves ? 0 : room);
	if (!moves && extent.size == entry->extent.size)
		return true;
	if (!is_free(&table->table, extent, entry->number)) {
		if (moves)
			refuse_place(p, goal, table, partition, extent.size);
		else
			refuse_space(p, goal, table, partition, extent.size,
				     entry->extent.size + room);
		return false;
	}
	if (moves || extent.size < entry->extent.size) {
		if (refuse_used(p, goal, table, partition, entry->number,
				moves ? "be moved" : "shrink"))
			return false;
		table->destructive = true;
	}
	tell_extent(p, goal, entry, extent);
	entry->extent = extent;
	table->changed = true;
	return true;
}

static void change_name(struct planner *p, struct goal *goal, struct table_goal *table,
			const struct partition *partition, struct table_entry *entry)
{
	if (partition->name &&
	    (!entry->name || strcmp(entry->name, partition->name) != 0)) {
		planner_drift(p, goal, "partition name", entry->name ? entry->name : "",
			      partition->name);
		free(entry->name);
		step_text(p, &entry->name, partition->name);
		table->changed = true;
	}
	if (uuid_is_set(&partition->type) && !uuid_equal(&entry->type, &partition->type)) {
		planner_drift(p, goal, "partition type", entry->type.text, partition->type.text);
		entry->type = partition->type;
		table->changed = true;
	}
}

static bool place_entry(struct planner *p, struct goal *goal, struct table_goal *table,
			const struct partition *partition, struct range *ret)
{
	struct range all = table_gap(&table->table, 0, table->grain), extent;
	uint64_t size = wanted_size(table, partition);

	*ret = (struct range){ 0 };
	if (refuse_nothing(p, goal, table, partition, size))
		return false;
	if (!partition->has_start) {
		extent = table_gap(&table->table, size, table->grain);
		if (extent.size == 0)
			refuse_space(p, goal, table, partition, size, all.size);
		*ret = extent;
		return extent.size > 0;
	}
	extent = (struct range){ partition->start, size };
	if (size == 0)
		extent.size = table_room_after(&table->table, (struct range){ partition->start, 1 },
					       ALIGN_4K) + 1;
	extent.size = size ? size : round_down_to(extent.size, ALIGN_4K);
	*ret = extent;
	if (extent.size && is_free(&table->table, extent, 0))
		return true;
	refuse_place(p, goal, table, partition, extent.size);
	return false;
}

/*
 * What a configuration lacks may be just what somebody has taken out of the table while it is in
 * use: an empty partition of its name would be put elsewhere, and that one not be found again.
 */
static bool refuse_orphan(struct planner *p, struct goal *goal, const struct table_goal *table,
			  const struct partition *partition)
{
	_cleanup_(freep) char *users = NULL;

	if (!table->orphan)
		return false;
	users = partition_users(p, table->disk, table->orphan);
	partition_refuse(p, goal, partition, NULL, EUCLEAN,
			 planner_text(p, "daxctl-ext part list says where it lies: write its entry "
					 "back, or stop what uses it, then apply again."),
			 "%s is not in the table of %s, nor is partition %u, which is in use by "
			 "%s: somebody has changed the table under it.",
			 json_show(partition->name).text, table->name, table->orphan,
			 users ? users : "");
	return true;
}

static bool add_entry(struct planner *p, struct goal *goal, struct table_goal *table,
		      const struct partition *partition)
{
	struct table_entry entry = { .number = table_free_number(&table->table) };

	if (entry.number == 0) {
		partition_refuse(p, goal, partition, NULL, ENOSPC, NULL,
				 "The table of %s has no entry left: it has %d.", table->name,
				 TABLE_ENTRIES_MAX);
		return false;
	}
	if (!partition->name) {
		partition_refuse(p, goal, partition, "uuid", ENOENT,
				 planner_text(p, "give it a \"name\" to make it."),
				 "%s has no partition with this uuid.", table->name);
		return false;
	}
	if (refuse_orphan(p, goal, table, partition) ||
	    !place_entry(p, goal, table, partition, &entry.extent))
		return false;
	entry.uuid = partition_goal_uuid(p, goal, partition);
	entry.type = partition->type;
	entry.name = partition->name;
	if (!uuid_is_set(&entry.type))
		(void)partition_type_from_word(PARTITION_TYPE_DEFAULT, &entry.type); /* it is one */
	if (table_add(&table->table, &entry) < 0)
		p->no_memory = true;
	table->changed = true;
	return true;
}

static enum turn turn_of(const struct partition *partition, const struct table_entry *entry)
{
	if (partition->absent)
		return TURN_REMOVE;
	if (entry)
		return partition->size.kind == SIZE_ALL ? TURN_ALL : TURN_CHANGE;
	if (partition->has_start)
		return TURN_EXACT;
	return partition->size.kind == SIZE_ALL ? TURN_ALL : TURN_SIZED;
}

static bool take_turn(struct planner *p, struct goal *goal, struct table_goal *table,
		      const struct partition *partition, enum turn turn)
{
	struct table_entry *entry;

	if (!find_entry(p, goal, table, partition, &entry))
		return false;
	if (turn_of(partition, entry) != turn || (partition->absent && !entry))
		return true;
	if (turn == TURN_REMOVE)
		return remove_entry(p, goal, table, partition, entry);
	if (!entry)
		return add_entry(p, goal, table, partition);
	change_name(p, goal, table, partition, entry);
	return change_extent(p, goal, table, partition, entry);
}

static bool is_wanted(const struct volume *volume)
{
	for (size_t i = 0; i < volume->n_partitions; i++)
		if (!volume->partitions[i].absent)
			return true;
	return false;
}

static void begin_anew(struct planner *p, struct goal *goal, struct table_goal *table)
{
	uint64_t sector = table->table.sector_size;

	table_clear(&table->table);
	table->table = (struct partition_table){ .kind = TABLE_GPT,
						 .guid = table_uuid(&p->topology->seed,
							     goal->volume, goal->ns),
						 .sector_size = sector ? sector : SECTOR_SIZE,
						 .usable = table_usable_of(table->device) };
	table->changed = true;
}

static bool refuse_kind(struct planner *p, struct goal *goal, const struct table_goal *table)
{
	const char *member = goal->volume->n_partitions ? "partitions" : "repair";

	switch (table->table.kind) {
	case TABLE_OTHER:
		goal_refuse(p, goal, member, EEXIST,
			    goal->volume->mode == MODE_DEVDAX ?
				    planner_text(p, "if nobody needs it, remove the volume and make "
						 "it anew.") :
				    planner_text(p, "if nobody needs it, wipefs -a /dev/%s takes it "
						 "away.", table->name),
			    "%s has no partition table: %s is on it.", table->name,
			    table->table.content ? table->table.content : "something else");
		return true;
	case TABLE_DOS:
		goal_refuse(p, goal, member, EOPNOTSUPP,
			    planner_text(p, "fdisk can change it, and make it a GPT."),
			    "The table of %s is a DOS one, which is only read.", table->name);
		return true;
	case TABLE_DAMAGED:
		goal_refuse(p, goal, member, EUCLEAN,
			    planner_text(p, "\"repair\": true writes a new, empty one."),
			    "The partition table of %s is damaged: neither copy can be read.",
			    table->name);
		return true;
	case TABLE_NONE:
	case TABLE_GPT:
	case TABLE_BACKUP:
		break;
	}
	if (!table->table.beyond)
		return false;
	goal_refuse(p, goal, member, E2BIG, NULL,
		    "The table of %s has more than %d entries, and is only read.", table->name,
		    TABLE_ENTRIES_MAX);
	return true;
}

/* Block devices that were made of it are all that tells where its partitions were. */
static bool refuse_lost(struct planner *p, struct goal *goal, const struct table_goal *table)
{
	const struct disk *disk = table->disk;
	unsigned int number = disk && disk->n_maps ? disk->maps[0].number : 0;

	for (size_t i = 0; disk && i < disk->n_natives; i++)
		if (disk->natives[i].holders.n)
			number = disk->natives[i].number;
	if ((table->table.kind != TABLE_NONE && table->table.kind != TABLE_DAMAGED) || number == 0)
		return false;
	goal_refuse(p, goal, goal->volume->n_partitions ? "partitions" : "repair", EUCLEAN,
		    planner_text(p, "daxctl-ext part list says where they lie: write the table back "
				    "(sfdisk). If nobody needs them, \"daxctl-ext part release %s\" "
				    "gives them up.", table->name),
		    "The partition table of %s is %s, and block devices of its partitions are there "
		    "still, such as that of %u.", table->name,
		    table->table.kind == TABLE_NONE ? "gone" : "damaged in both copies", number);
	return true;
}

static void repair(struct planner *p, struct goal *goal, struct table_goal *table)
{
	if (table->table.kind == TABLE_DAMAGED) {
		begin_anew(p, goal, table);
		table->destructive = true;
	} else if (table->table.kind == TABLE_BACKUP || table_lacks_copy(&table->table)) {
		table->table.kind = TABLE_GPT;
		table->table.half_written = false;
		table->changed = true;
	}
}

/* Its backup says where partitions are, which is good enough to use them, and not to change them. */
static bool check_backup(struct planner *p, struct goal *goal, const struct table_goal *table)
{
	if (table->table.kind != TABLE_BACKUP)
		return true;
	if (!table->changed) {
		planner_drift(p, goal, "table", "damaged: only its backup can be read",
			      "\"repair\": true writes it anew");
		return true;
	}
	goal_refuse(p, goal, "partitions", EUCLEAN,
		    planner_text(p, "\"repair\": true writes it anew from there."),
		    "The partition table of %s is damaged: only its backup can be read.",
		    table->name);
	return false;
}

/* Of what somebody uses, the part of the disk that no entry of the table speaks for any more. */
static void reserve(struct planner *p, struct table_goal *table, unsigned int number,
		    struct range extent)
{
	const struct table_entry *entry = table_find(&table->table, number);
	struct table_entry used = { .number = TABLE_ENTRIES_MAX + 1, .extent = extent };

	if (entry && entry->extent.start <= extent.start &&
	    range_end(extent) <= range_end(entry->extent))
		return;
	table->orphan = number;
	for (size_t i = 0; i < table->table.n_entries; i++)
		if (table->table.entries[i].number >= used.number)
			used.number = table->table.entries[i].number + 1;
	if (table_add(&table->table, &used) < 0)
		p->no_memory = true;
}

/*
 * An entry can be taken out of the table under a mounted file system, by any tool: until nobody
 * uses it any more, its space is as good as in the table.  Entries with numbers that no table has
 * stand for it while others are placed.
 */
static void reserve_used(struct planner *p, struct table_goal *table)
{
	const struct disk *disk = table->disk;

	for (size_t i = 0; disk && i < disk->n_natives; i++)
		if (disk->natives[i].holders.n)
			reserve(p, table, disk->natives[i].number, disk->natives[i].extent);
	for (size_t i = 0; disk && i < disk->n_maps; i++)
		if (disk_map_is_open(&disk->maps[i]))
			reserve(p, table, disk->maps[i].number, disk->maps[i].extent);
}

static void release_reserved(struct table_goal *table)
{
	while (table->table.n_entries &&
	       table->table.entries[table->table.n_entries - 1].number > TABLE_ENTRIES_MAX)
		table_remove(&table->table,
			     table->table.entries[table->table.n_entries - 1].number);
}

bool table_plan(struct planner *p, struct goal *goal, struct table_goal *table)
{
	const struct volume *volume = goal->volume;
	bool all = true;

	if ((volume->n_partitions || volume->repair) && refuse_lost(p, goal, table))
		return false;
	/* What was cut off is no damage: it is finished. */
	if (volume->repair || table->table.half_written)
		repair(p, goal, table);
	if (!volume->n_partitions && !volume->repair)
		return true;
	if (refuse_kind(p, goal, table))
		return false;
	if (table->table.kind == TABLE_NONE && !is_wanted(volume))
		return true;
	if (table->table.kind == TABLE_NONE)
		begin_anew(p, goal, table);
	reserve_used(p, table);
	for (enum turn turn = TURN_REMOVE; turn <= TURN_ALL; turn++)
		for (size_t i = 0; all && i < volume->n_partitions; i++)
			all = take_turn(p, goal, table, &volume->partitions[i], turn);
	release_reserved(table);
	if (!all || !check_backup(p, goal, table))
		return false;
	if (table->changed)
		table_copy_is_written(&table->table);
	return true;
}
