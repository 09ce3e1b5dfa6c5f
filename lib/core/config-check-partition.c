/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/config-check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/json-scan.h"

#define PAGE 4096u
#define PERCENT_100 10000u

static int compare_partition_names(const void *a, const void *b)
{
	const struct partition *const *x = a, *const *y = b;
	int r = strcmp((*x)->name ? (*x)->name : "", (*y)->name ? (*y)->name : "");

	return r ? r : ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

static void check_names(struct report *report, const struct volume *volume)
{
	_cleanup_(freep) const struct partition **sorted = NULL;
	struct volume_path at;

	sorted = calloc(volume->n_partitions, sizeof(sorted[0]));
	if (!sorted)
		abort(); /* as report_add() does: a check left out would let bad input through */
	for (size_t i = 0; i < volume->n_partitions; i++)
		sorted[i] = &volume->partitions[i];
	qsort(sorted, volume->n_partitions, sizeof(sorted[0]), compare_partition_names);
	for (size_t i = 1; i < volume->n_partitions; i++) {
		if (!sorted[i]->name || !sorted[i - 1]->name ||
		    strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		(void)report_add(report, partition_path(&at, volume, sorted[i], "name"), EEXIST,
				 "give each partition its own name",
				 "Partition %zu has the same name %s.", sorted[i - 1]->index,
				 json_show(sorted[i]->name).text);
	}
}

static void check_uuids(struct report *report, const struct volume *volume)
{
	struct volume_path at;

	for (size_t i = 0; i < volume->n_partitions; i++)
		for (size_t j = 0; j < i; j++)
			if (uuid_is_set(&volume->partitions[i].uuid) &&
			    uuid_equal(&volume->partitions[i].uuid, &volume->partitions[j].uuid))
				(void)report_add(report,
						 partition_path(&at, volume,
								&volume->partitions[i], "uuid"),
						 EEXIST, NULL, "Partition %zu has the same uuid.",
						 volume->partitions[j].index);
}

static void check_node(struct report *report, const struct volume *volume,
		       const struct partition *partition)
{
	bool given = partition->node.owner || partition->node.group || partition->has_perm;
	struct volume_path at;

	if (partition->node.owner)
		config_check_account(report, partition_path(&at, volume, partition, "owner"),
				     partition->node.owner);
	if (partition->node.group)
		config_check_account(report, partition_path(&at, volume, partition, "group"),
				     partition->node.group);
	if (volume->mode == MODE_FSDAX && given)
		(void)report_add(report, partition_path(&at, volume, partition, NULL), EINVAL,
				 "remove them",
				 "owner, group and perm belong to partitions of mode devdax.");
	/* The link is how daxd knows of which volume a window is. */
	if (volume->mode == MODE_DEVDAX && given && (volume->unlinked || volume->foreign))
		(void)report_add(report, partition_path(&at, volume, partition, NULL), EINVAL,
				 volume->unlinked ? "remove owner, group and perm, or \"link\"" :
						    "remove owner, group and perm, or \"adopt\"",
				 "What has no link, or is not adopted, is handed out to whom its "
				 "node belongs to.");
}

/* What one partition says; false: its size is none. */
static bool check_partition(struct report *report, const struct volume *volume,
			    const struct partition *partition)
{
	struct volume_path at;

	if (partition->name)
		config_check_name(report, partition_path(&at, volume, partition, "name"),
				  partition->name, PARTITION_NAME_MAX);
	config_check_uuid(report, partition_path(&at, volume, partition, "uuid"),
			  &partition->uuid);
	if (uuid_is_nil(&partition->type))
		(void)report_add(report, partition_path(&at, volume, partition, "type"), EINVAL,
				 "it is \"linux\", \"swap\", \"esp\" or a GUID",
				 "The type of all zeros is none: in a table it says that an entry is "
				 "not used.");
	check_node(report, volume, partition);
	if (partition->has_start && partition->start % PAGE)
		(void)report_add(report, partition_path(&at, volume, partition, "start"), EINVAL,
				 "2M is best: it allows huge pages",
				 "%s is not a multiple of 4K, and DAX would write to the wrong "
				 "place.", SIZE_STR(partition->start));
	return partition->absent ||
	       config_check_bytes(report, partition_path(&at, volume, partition, "size"),
				  &partition->size, 0);
}

void config_check_partitions(struct report *report, const struct volume *volume)
{
	uint64_t bytes = 0, percent = 0, n_all = 0;
	struct volume_path at;
	bool good = true;

	if (!volume->n_partitions)
		return;
	if (volume->n_partitions > TABLE_ENTRIES_MAX) {
		(void)report_add(report, volume_path(&at, volume, "partitions"), E2BIG, NULL,
				 "%zu partitions are more than a table has, %d.",
				 volume->n_partitions, TABLE_ENTRIES_MAX);
		return;
	}
	check_names(report, volume);
	check_uuids(report, volume);
	for (size_t i = 0; i < volume->n_partitions; i++) {
		const struct partition *partition = &volume->partitions[i];
		const struct size_spec *size = &partition->size;

		good = check_partition(report, volume, partition) && good;
		if (partition->absent)
			continue;
		if (size->kind == SIZE_BYTES && __builtin_add_overflow(bytes, size->bytes, &bytes))
			bytes = UINT64_MAX;
		percent += size->kind == SIZE_PERCENT ? size->percent_x100 : 0;
		if (size->kind == SIZE_ALL && ++n_all == 2)
			(void)report_add(report, partition_path(&at, volume, partition, "size"),
					 EINVAL, "give the others a size",
					 "Only one partition can take \"all\" that is left.");
	}
	if (!good)
		return;
	if (volume->size.kind == SIZE_BYTES && bytes > volume->size.bytes)
		(void)report_add(report, volume_path(&at, volume, "partitions"), ENOSPC,
				 "make the volume larger, or the partitions smaller",
				 "The partitions take %s together, the volume has only %s.",
				 SIZE_STR(bytes), SIZE_STR(volume->size.bytes));
	else if (percent > PERCENT_100)
		(void)report_add(report, volume_path(&at, volume, "partitions"), ENOSPC, NULL,
				 "The partitions take more than 100%% together.");
}

struct named_window {
	const struct volume *volume;
	const struct partition *partition;
};

static bool has_windows(const struct volume *volume)
{
	return !volume->absent && volume->mode == MODE_DEVDAX;
}

/* By name; those of one name in the order of the documents. */
static int compare_windows(const void *a, const void *b)
{
	const struct named_window *x = a, *y = b;
	int r = strcmp(x->partition->name, y->partition->name);

	if (r == 0)
		r = (x->volume > y->volume) - (x->volume < y->volume);
	return r;
}

static size_t count_windows(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_volumes; i++)
		n += has_windows(&config->volumes[i]) ? config->volumes[i].n_partitions : 0;
	return n;
}

void config_check_windows(struct report *report, const struct config *config)
{
	_cleanup_(freep) struct named_window *all = NULL;
	size_t room = count_windows(config), n = 0;
	struct volume_path at;

	if (!room)
		return;
	all = calloc(room, sizeof(*all));
	if (!all)
		abort(); /* as report_add() does: a check left out would let bad input through */
	for (size_t i = 0; i < config->n_volumes; i++)
		for (size_t j = 0; has_windows(&config->volumes[i]) &&
				   j < config->volumes[i].n_partitions; j++) {
			const struct partition *partition = &config->volumes[i].partitions[j];

			if (!partition->absent && partition->name)
				all[n++] = (struct named_window){ &config->volumes[i], partition };
		}
	qsort(all, n, sizeof(*all), compare_windows);
	for (size_t i = 1; i < n; i++)
		if (strcmp(all[i - 1].partition->name, all[i].partition->name) == 0 &&
		    all[i - 1].volume != all[i].volume)
			(void)report_add(report,
					 partition_path(&at, all[i].volume, all[i].partition, "name"),
					 EEXIST, "windows are found by their name alone",
					 "Volume %s has a window of the same name.",
					 json_show(all[i - 1].volume->name ?
							   all[i - 1].volume->name : "").text);
}
