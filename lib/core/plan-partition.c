/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The partitions of a volume's block device: who makes block devices of them, and which there
 * are to be.  Taking away comes before the table is written, making after it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/planner.h"

/* The disk of a goal on its way. */
struct disk_goal {
	struct planner *p;
	struct goal *goal;
	struct table_goal table;
	bool fresh;
	enum partitioning policy; /* to be */
	bool managed;		  /* to be */
	uint64_t page;		  /* alignment of the data in physical memory */
};

#define DROPPED "daxd makes maps of its partitions"
#define AS_TABLE "so it is in the table"

static struct step *disk_step(struct disk_goal *d, struct step *step)
{
	if (d->goal->region->labels != LABELS_NONE)
		step->uuid = d->goal->uuid;
	return step;
}

static void name_object(struct disk_goal *d, struct step *step, unsigned int number)
{
	char text[64];

	if (d->fresh || !d->goal->ns->blockdev)
		return;
	(void)snprintf(text, sizeof(text), number ? "%.40s%s%u" : "%.40s", d->goal->ns->blockdev,
		       disk_infix(d->goal->ns->blockdev), number);
	step_text(d->p, &step->object, text);
}

static struct step *partition_step(struct disk_goal *d, struct together *together,
				   enum step_kind kind, unsigned int number, struct range extent,
				   const char *reason)
{
	struct step *step =
		disk_step(d, together_step(d->p, d->goal, together, kind, reason));

	step->number = number;
	step->extent = extent;
	name_object(d, step, number);
	return step;
}

static void pending(struct disk_goal *d, unsigned int number, const char *have, const char *want)
{
	char attribute[32];

	(void)snprintf(attribute, sizeof(attribute), "partition %u", number);
	planner_drift(d->p, d->goal, attribute, have, want);
}

static enum entry_fit fit_of(const struct disk_goal *d, const struct table_entry *entry)
{
	const struct partition_table *table = &d->table.table;

	return table_judge(table, (size_t)(entry - table->entries), d->table.device, d->page);
}

/* What is to be mapped of a number, or NULL. */
static const struct table_entry *wanted_entry(const struct disk_goal *d, unsigned int number)
{
	const struct table_entry *entry = table_find(&d->table.table, number);

	return entry && entry_fit_is_usable(fit_of(d, entry)) ? entry : NULL;
}

static bool all_fit(const struct disk_goal *d)
{
	for (size_t i = 0; i < d->table.table.n_entries; i++)
		if (!entry_fit_is_usable(fit_of(d, &d->table.table.entries[i])))
			return false;
	return !d->table.table.beyond;
}

/* Can daxd make block devices of what the table has, of all of it where the policy wants that? */
static bool suits(const struct disk_goal *d)
{
	return !d->table.table.extended && (d->policy != PARTITIONING_AUTO || all_fit(d));
}

static bool in_use(const struct disk_goal *d)
{
	return !d->fresh && !d->table.disk->n_maps && d->goal->ns->holders.n;
}

/* A mount of the disk, or of a partition of the kernel's, keeps device-mapper off all of it. */
static bool is_claimed(const struct disk_goal *d)
{
	const struct holder_list *holders;

	if (!in_use(d))
		return false;
	holders = &d->goal->ns->holders;
	for (size_t i = 0; i < holders->n; i++)
		if (holders->holders[i].kind != HOLDER_PROCESS)
			return true;
	return false;
}

/* The first one, or NULL. */
static const struct disk_map *find_open_map(const struct disk *disk)
{
	for (size_t i = 0; i < disk->n_maps; i++)
		if (disk_map_is_open(&disk->maps[i]))
			return &disk->maps[i];
	return NULL;
}

/*
 * Does what daxd has stay daxd's?  What is open cannot be given back, and of a table of which only
 * the backup can be read the kernel would make nothing.
 */
static bool stays_managed(const struct disk_goal *d)
{
	return suits(d) || d->table.table.kind == TABLE_BACKUP || find_open_map(d->table.disk);
}

static void tell_users(struct disk_goal *d)
{
	_cleanup_(freep) char *users = describe_holders(d->p, &d->goal->ns->holders);

	planner_drift(d->p, d->goal, "partitions", users ? users : "", "mapped, once idle");
}

/* Some of the partitions cannot be mapped; why, is told of each. */
static void tell_open(struct disk_goal *d)
{
	const struct disk_map *map = find_open_map(d->table.disk);
	_cleanup_(freep) char *users = map ? partition_users(d->p, d->table.disk, map->number) :
					     NULL;

	if (users)
		planner_drift(d->p, d->goal, "partitions", users, "the kernel's, once idle");
}

/* What daxd has does not suit it any more, or the other way round. */
static void tell_policy(struct disk_goal *d)
{
	if (d->policy == PARTITIONING_KERNEL)
		return;
	if (!d->managed && in_use(d))
		tell_users(d);
	if (d->managed && !suits(d))
		tell_open(d);
	else if (!d->managed && !suits(d) && d->policy == PARTITIONING_DAXD)
		planner_drift(d->p, d->goal, "partitions",
			      "the kernel's, as the DOS table has an extended one", "mapped");
}

/*
 * What is in use of the kernel's stays the kernel's: udev would tell systemd that the partitions
 * of a managed disk are not there, and it would unmount them.
 */
static void decide_policy(struct disk_goal *d)
{
	const struct volume *volume = d->goal->volume;
	const struct disk *disk = d->table.disk;
	bool managed = disk && disk->managed;

	d->policy = disk ? disk->policy : PARTITIONING_KERNEL;
	if (volume->has_partitioning)
		d->policy = volume->partitioning;
	else if (volume->n_partitions && !volume->foreign)
		d->policy = PARTITIONING_AUTO;
	if (d->policy == PARTITIONING_KERNEL)
		d->managed = false;
	else
		d->managed = managed ? stays_managed(d) : suits(d) && !in_use(d);
	tell_policy(d);
}

static bool check_policy(struct disk_goal *d)
{
	const struct disk *disk = d->table.disk;

	if (d->policy != PARTITIONING_KERNEL && !d->fresh &&
	    !uuid_is_set(namespace_disk_uuid(d->goal->ns))) {
		goal_refuse(d->p, d->goal, "partitioning", ENODEV, NULL,
			    "%s has no uuid, by which maps of it could be known.", d->table.name);
		return false;
	}
	for (size_t i = 0; !d->managed && disk && i < disk->n_maps; i++) {
		_cleanup_(freep) char *users = NULL;

		if (!disk_map_is_open(&disk->maps[i]))
			continue;
		users = partition_users(d->p, disk, disk->maps[i].number);
		goal_refuse(d->p, d->goal,
			    d->goal->volume->has_partitioning ? "partitioning" : NULL, EBUSY,
			    planner_text(d->p, "stop what uses it, then apply again."),
			    "%s would have to be given back to the kernel, and it is in use by %s.",
			    disk->maps[i].name, users ? users : "");
		return false;
	}
	return true;
}

/* The policy, or where that stays the same, who makes the block devices. */
static const char *who(enum partitioning policy, bool managed, bool same)
{
	if (!same)
		return partitioning_word(policy);
	return partitioning_word(managed ? PARTITIONING_DAXD : PARTITIONING_KERNEL);
}

static void emit_policy(struct disk_goal *d)
{
	const struct disk *disk = d->table.disk;
	bool same = disk && disk->policy == d->policy;
	struct step *step;

	if (disk ? disk->policy == d->policy && disk->managed == d->managed :
		   d->policy == PARTITIONING_KERNEL)
		return;
	step = disk_step(d, emit_step(d->p, d->goal, d->goal->region, STEP_POLICY,
				      d->managed ? DROPPED :
				      disk && disk->managed && !suits(d) ?
						   "some of them cannot be mapped" :
						   "so it was asked for"));
	step->policy = d->policy;
	step->managed = d->managed;
	name_object(d, step, 0);
	if (disk)
		planner_drift(d->p, d->goal, "partitioning",
			      who(disk->policy, disk->managed, same), who(d->policy, d->managed, same));
}

static bool same_extent(struct range a, struct range b)
{
	return a.start == b.start && a.size == b.size;
}

/* silent: no table says where the partition of the map lies, so the map alone does. */
static const char *why_unmapped(const struct disk_goal *d, bool silent)
{
	if (d->managed)
		return "it is in the table no more";
	return silent ? "there is no table, and nothing else tells where it lies" :
			"the kernel makes them";
}

/*
 * Maps that are to go, or to become less, before the table says so.  What is open stays as it is,
 * whatever the table says; a table that cannot be read, or is gone, says nothing.
 */
static void emit_unmaps(struct disk_goal *d)
{
	struct together together = together_begin(d->goal);
	const struct disk *disk = d->table.disk;
	bool silent = !table_has_entries(&d->table.table);

	for (size_t i = 0; disk && i < disk->n_maps; i++) {
		const struct disk_map *map = &disk->maps[i];

		if (d->managed && (silent || wanted_entry(d, map->number)))
			continue;
		if (d->managed && disk_map_is_open(map))
			pending(d, map->number, "open", "not mapped");
		else
			partition_step(d, &together, STEP_UNMAP, map->number, map->extent,
				       why_unmapped(d, silent))->destructive = silent;
	}
	together_end(d->goal, &together);
	together = together_begin(d->goal);
	for (size_t i = 0; d->managed && disk && i < disk->n_maps; i++) {
		const struct disk_map *map = &disk->maps[i];
		const struct table_entry *entry = wanted_entry(d, map->number);

		if (!entry || (map->extent.start == entry->extent.start &&
			       map->extent.size <= entry->extent.size))
			continue;
		if (disk_map_is_open(map))
			pending(d, map->number, "open", "smaller or elsewhere");
		else
			(void)partition_step(d, &together, STEP_REMAP, map->number,
					     entry->extent, AS_TABLE);
	}
	together_end(d->goal, &together);
}

/* The kernel's go when there are to be maps, or when they are not as the table is to be. */
static bool is_dropped(const struct disk_goal *d, const struct native *native)
{
	const struct table_entry *entry = table_find(&d->table.table, native->number);

	if (d->managed)
		return !d->table.table.extended;
	return d->table.changed && (!entry || !same_extent(entry->extent, native->extent));
}

static bool emit_drops(struct disk_goal *d)
{
	struct together together = together_begin(d->goal);
	const struct disk *disk = d->table.disk;

	for (size_t i = 0; disk && i < disk->n_natives; i++) {
		const struct native *native = &disk->natives[i];
		_cleanup_(freep) char *users = NULL;

		if (!is_dropped(d, native))
			continue;
		users = partition_users(d->p, disk, native->number);
		if (!native->holders.n) {
			(void)partition_step(d, &together, STEP_DROP_PARTITION, native->number,
					     native->extent, d->managed ? DROPPED : AS_TABLE);
		} else if (d->managed) {
			pending(d, native->number, users ? users : "", "mapped");
		} else {
			goal_refuse(d->p, d->goal, "partitions", EBUSY,
				    planner_text(d->p, "stop what uses it, then apply again."),
				    "Partition %u of %s would have to change, and it is in use by "
				    "%s.", native->number, d->table.name, users ? users : "");
			return false;
		}
	}
	together_end(d->goal, &together);
	return true;
}

static void emit_table(struct disk_goal *d)
{
	static const struct partition_table none = { .kind = TABLE_NONE };
	struct step *step;

	if (!d->table.changed)
		return;
	step = disk_step(d, emit_step(d->p, d->goal, d->goal->region, STEP_WRITE_TABLE,
				      d->table.destructive ?
					      "a partition shrinks, moves or goes" :
					      "the partitions are to be as configured"));
	step->destructive = d->table.destructive;
	step->mode = NAMESPACE_FSDAX;
	name_object(d, step, 0);
	if (table_copy(&step->before_table, d->fresh ? &none : &d->table.disk->table) < 0 ||
	    table_copy(&step->after_table, &d->table.table) < 0)
		d->p->no_memory = true;
}

/* New maps, those that come again because their link is missing, and what has room to grow. */
static void emit_maps(struct disk_goal *d)
{
	struct together together = together_begin(d->goal);
	const struct partition_table *table = &d->table.table;

	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];
		const struct disk_map *map =
			d->table.disk ? disk_find_map(d->table.disk, entry->number) : NULL;
		const struct native *native =
			d->table.disk ? disk_find_native(d->table.disk, entry->number) : NULL;
		enum entry_fit fit = fit_of(d, entry);

		if (native && (native->holders.n || table->extended))
			continue; /* told already */
		if (!entry_fit_is_usable(fit))
			pending(d, entry->number, "not mapped", entry_fit_sentence(fit));
		else if (!map || (!map->linked && same_extent(map->extent, entry->extent)))
			partition_step(d, &together, STEP_MAP, entry->number, entry->extent,
				       map ? "its link is missing" : AS_TABLE)->read_only =
				d->goal->region->read_only;
	}
	together_end(d->goal, &together);
	together = together_begin(d->goal);
	for (size_t i = 0; d->table.disk && i < d->table.disk->n_maps; i++) {
		const struct disk_map *map = &d->table.disk->maps[i];
		const struct table_entry *entry = wanted_entry(d, map->number);

		if (entry && map->extent.start == entry->extent.start &&
		    map->extent.size < entry->extent.size)
			(void)partition_step(d, &together, STEP_REMAP, map->number,
					     entry->extent, AS_TABLE);
	}
	together_end(d->goal, &together);
	if (table->beyond)
		planner_drift(d->p, d->goal, "partitions", "more than 128", "not mapped");
}

/* What the kernel would make of the table, where it is not told by itself. */
static void emit_adds(struct disk_goal *d)
{
	struct together together = together_begin(d->goal);
	const struct disk *disk = d->table.disk;
	const struct partition_table *table = &d->table.table;
	bool given_back = disk && (disk->managed || disk->n_maps);
	/* Giving back may have been cut short after the policy: what is declared is finished. */
	bool declared = d->goal->volume->has_partitioning && table->kind == TABLE_GPT;

	if (!given_back && !d->table.changed && !declared)
		return;
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];
		const struct native *native = disk ? disk_find_native(disk, entry->number) : NULL;
		enum entry_fit fit = fit_of(d, entry);

		if (fit != FIT_OUTSIDE && fit != FIT_OVERLAP && table->kind != TABLE_BACKUP &&
		    (!native || (!same_extent(native->extent, entry->extent) &&
				 (given_back || d->table.changed))))
			(void)partition_step(d, &together, STEP_ADD_PARTITION, entry->number,
					     entry->extent,
					     d->table.changed ? AS_TABLE : "it makes them");
	}
	together_end(d->goal, &together);
}

static void emit_all(struct disk_goal *d)
{
	bool claimed = d->managed && is_claimed(d);

	if (d->managed)
		emit_policy(d);
	emit_unmaps(d);
	if (!d->managed)
		emit_policy(d);
	if (claimed)
		tell_users(d);
	else if (!emit_drops(d))
		return;
	emit_table(d);
	if (d->managed && !claimed)
		emit_maps(d);
	else if (!d->managed)
		emit_adds(d);
}

/* What is used without a table, and without a signature, may be all of it data. */
static bool check_first(struct disk_goal *d)
{
	const struct namespace *ns = d->goal->ns;

	return d->fresh || !d->table.changed || d->table.disk->table.kind != TABLE_NONE ||
	       !goal_refuse_held(d->p, d->goal, ns->blockdev ? ns->blockdev : ns->name,
				 &ns->holders, "get a partition table");
}

/* A table that is less than it was, and that nobody has asked to be repaired. */
static void tell_table(struct disk_goal *d)
{
	enum table_kind kind = d->table.table.kind;

	if (!d->managed || d->goal->volume->n_partitions)
		return; /* or told already */
	if (kind == TABLE_DAMAGED || kind == TABLE_BACKUP)
		planner_drift(d->p, d->goal, "table", kind == TABLE_BACKUP ?
			      "damaged: only its backup can be read" :
			      "damaged: neither copy can be read",
			      kind == TABLE_BACKUP ? "\"repair\": true writes it anew" :
						     "\"repair\": true writes an empty one");
	else if (kind == TABLE_NONE && d->table.disk && d->table.disk->n_maps)
		planner_drift(d->p, d->goal, "table", "gone, and its maps are there still",
			      "written back, or given up by \"part release\"");
}

void partition_emit_build(struct planner *p, struct goal *goal, bool fresh)
{
	const struct namespace *ns = goal->ns;
	struct disk_goal d = { .p = p, .goal = goal, .fresh = fresh, .page = goal->align };
	struct range whole;

	if (!volume_has_table(goal->volume) && (fresh || !ns || !ns->disk))
		return;
	if (goal->verdict == VERDICT_KEEP && (fresh || !ns->disk)) {
		/* It has to be enabled before anybody can look what is on it. */
		planner_drift(p, goal, "partitions", "not known", "as configured");
		return;
	}
	whole = fresh && !goal->ranges.n ? ns->range : fresh ? goal->ranges.ranges[0] :
							       ns->range;
	d.table.disk = fresh ? NULL : ns->disk;
	d.table.grain = TABLE_GRAIN;
	d.table.name = fresh || !ns->blockdev ? goal->volume->name : ns->blockdev;
	d.table.device = fresh ? namespace_data(whole, goal->align, goal->map).size : ns->size;
	if (!fresh && table_copy(&d.table.table, &ns->disk->table) < 0)
		p->no_memory = true;
	if (table_plan(p, goal, &d.table)) {
		decide_policy(&d);
		if (check_policy(&d) && check_first(&d))
			emit_all(&d);
		tell_table(&d);
	}
	table_clear(&d.table.table);
}

void partition_emit_teardown(struct planner *p, struct goal *goal, const char *reason)
{
	struct disk_goal d = { .p = p, .goal = goal };
	struct together together = together_begin(goal);
	const struct disk *disk = goal->ns->disk;
	struct uuid kept = goal->uuid;

	goal->uuid = goal->ns->uuid;
	for (size_t i = 0; disk && i < disk->n_maps; i++)
		(void)partition_step(&d, &together, STEP_UNMAP, disk->maps[i].number,
				     disk->maps[i].extent, reason);
	together_end(goal, &together);
	goal->uuid = kept;
}
