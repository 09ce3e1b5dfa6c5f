/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/words.h"

#define PAGE UINT64_C(4096)

static const char *const table_kinds[] = { "none", "gpt", "dos", "other", "damaged",
					   "backup-only" };
static const char *const entry_fits[] = { "outside", "overlap", "misaligned", "4K", "2M" };
static const char *const partitionings[] = { "kernel", "daxd", "auto" };

DEFINE_WORDS(table_kind, enum table_kind, table_kinds)
DEFINE_WORDS(entry_fit, enum entry_fit, entry_fits)
DEFINE_WORDS(partitioning, enum partitioning, partitionings)

static const struct {
	const char *word;
	struct uuid uuid;
} types[] = {
	{ "linux", { "0fc63daf-8483-4772-8e79-3d69d8477de4" } },
	{ "swap", { "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f" } },
	{ "esp", { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" } },
};

int partition_type_from_word(const char *word, struct uuid *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(word, types[i].word) == 0) {
			*ret = types[i].uuid;
			return 0;
		}
	return -EINVAL;
}

const char *partition_type_word(const struct uuid *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (uuid_equal(type, &types[i].uuid))
			return types[i].word;
	return NULL;
}

void table_entry_clear(struct table_entry *entry)
{
	free(entry->name);
	*entry = (struct table_entry){ 0 };
}

void table_clear(struct partition_table *table)
{
	for (size_t i = 0; i < table->n_entries; i++)
		table_entry_clear(&table->entries[i]);
	free(table->entries);
	free(table->content);
	*table = (struct partition_table){ 0 };
}

static int compare_entries(const void *a, const void *b)
{
	const struct table_entry *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

void table_sort(struct partition_table *table)
{
	if (table->n_entries > 1)
		qsort(table->entries, table->n_entries, sizeof(table->entries[0]),
		      compare_entries);
}

static int append(struct partition_table *table, const struct table_entry *entry)
{
	struct table_entry *slot = ARRAY_APPEND(table->entries, table->n_entries);
	char *name;

	if (!slot)
		return -ENOMEM;
	name = entry->name ? strdup(entry->name) : NULL;
	if (entry->name && !name)
		return -ENOMEM;
	*slot = *entry;
	slot->name = name;
	table->n_entries++;
	return 0;
}

int table_add(struct partition_table *table, const struct table_entry *entry)
{
	int r = append(table, entry);

	if (r == 0)
		table_sort(table);
	return r;
}

void table_remove(struct partition_table *table, unsigned int number)
{
	struct table_entry *entry = table_find(table, number);

	if (!entry)
		return;
	table_entry_clear(entry);
	ARRAY_REMOVE(table->entries, table->n_entries, entry);
}

int table_copy(struct partition_table *to, const struct partition_table *from)
{
	struct partition_table copy = *from;

	copy.entries = NULL;
	copy.n_entries = 0;
	copy.content = NULL;
	if (from->content) {
		copy.content = strdup(from->content);
		if (!copy.content)
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->n_entries; i++)
		if (append(&copy, &from->entries[i]) < 0) {
			table_clear(&copy);
			return -ENOMEM;
		}
	*to = copy;
	return 0;
}

bool table_entry_equal(const struct table_entry *a, const struct table_entry *b)
{
	return a->number == b->number && a->extent.start == b->extent.start &&
	       a->extent.size == b->extent.size && uuid_equal(&a->uuid, &b->uuid) &&
	       uuid_equal(&a->type, &b->type) &&
	       strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0;
}

bool table_equal(const struct partition_table *a, const struct partition_table *b)
{
	if (a->kind != b->kind || a->lacks_backup != b->lacks_backup ||
	    a->backup_differs != b->backup_differs ||
	    a->half_written != b->half_written || a->extended != b->extended ||
	    a->n_entries != b->n_entries || !uuid_equal(&a->guid, &b->guid))
		return false;
	for (size_t i = 0; i < a->n_entries; i++)
		if (!table_entry_equal(&a->entries[i], &b->entries[i]))
			return false;
	return true;
}

struct table_entry *table_find(const struct partition_table *table, unsigned int number)
{
	for (size_t i = 0; i < table->n_entries; i++)
		if (table->entries[i].number == number)
			return &table->entries[i];
	return NULL;
}

unsigned int table_free_number(const struct partition_table *table)
{
	unsigned int number = 1;

	while (table_find(table, number))
		number++;
	return number <= TABLE_ENTRIES_MAX ? number : 0;
}

bool table_has_entries(const struct partition_table *table)
{
	switch (table->kind) {
	case TABLE_GPT:
	case TABLE_DOS:
	case TABLE_BACKUP:
		return true;
	case TABLE_NONE:
	case TABLE_OTHER:
	case TABLE_DAMAGED:
		break;
	}
	return false;
}

bool table_lacks_copy(const struct partition_table *table)
{
	return table->lacks_backup || table->backup_differs;
}

void table_copy_is_written(struct partition_table *table)
{
	table->lacks_backup = table->backup_differs = false;
}

/* The end of an extent; false: it is empty or wraps around. */
static bool extent_end(struct range extent, uint64_t *ret)
{
	return extent.size && !__builtin_add_overflow(extent.start, extent.size, ret);
}

enum entry_fit table_judge(const struct partition_table *table, size_t index, uint64_t device, uint64_t page)
{
	const struct table_entry *entry = &table->entries[index];
	uint64_t end, other;

	if (!extent_end(entry->extent, &end) || end > device)
		return FIT_OUTSIDE;
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *before = &table->entries[i];

		if (before->number < entry->number && extent_end(before->extent, &other) &&
		    before->extent.start < end && entry->extent.start < other)
			return FIT_OVERLAP;
	}
	if (entry->extent.start % PAGE || entry->extent.size % PAGE)
		return FIT_MISALIGNED;
	return entry->extent.start % TABLE_GRAIN || page % TABLE_GRAIN ? FIT_4K : FIT_2M;
}

bool entry_fit_is_usable(enum entry_fit fit)
{
	return fit == FIT_4K || fit == FIT_2M;
}

const char *entry_fit_sentence(enum entry_fit fit)
{
	switch (fit) {
	case FIT_OUTSIDE:
		return "is empty or ends beyond the device";
	case FIT_OVERLAP:
		return "overlaps another partition";
	case FIT_MISALIGNED:
		return "does not begin and end at multiples of 4K, and DAX would write to the "
		       "wrong place";
	case FIT_4K:
		return "does not begin at a multiple of 2M, so it has no huge pages";
	case FIT_2M:
		break;
	}
	return "is good";
}

/* The least start of an entry at or after offset, or the end of what can be used. */
static uint64_t next_used(const struct partition_table *table, uint64_t offset)
{
	uint64_t least = range_end(table->usable), end;

	for (size_t i = 0; i < table->n_entries; i++) {
		struct range extent = table->entries[i].extent;

		if (extent_end(extent, &end) && extent.start >= offset && extent.start < least)
			least = extent.start;
	}
	return least;
}

/* Past every entry that has the byte at offset. */
static uint64_t skip_used(const struct partition_table *table, uint64_t offset, uint64_t grain)
{
	bool again = true;
	uint64_t end;

	while (again) {
		again = false;
		for (size_t i = 0; i < table->n_entries; i++) {
			struct range extent = table->entries[i].extent;

			if (!extent_end(extent, &end) || extent.start > offset || end <= offset)
				continue;
			if (round_up_to(end, grain, &offset) < 0)
				return UINT64_MAX;
			again = true;
		}
	}
	return offset;
}

struct range table_gap(const struct partition_table *table, uint64_t size, uint64_t grain)
{
	struct range best = { 0 };
	uint64_t at, limit = range_end(table->usable);

	if (round_up_to(table->usable.start, grain, &at) < 0)
		return best;
	for (at = skip_used(table, at, grain); at < limit; at = skip_used(table, at, grain)) {
		uint64_t next = next_used(table, at), room = round_down_to(next - at, grain);

		if (size && room >= size)
			return (struct range){ at, size };
		if (!size && room > best.size)
			best = (struct range){ at, room };
		if (round_up_to(next, grain, &at) < 0)
			break;
	}
	return best;
}

uint64_t table_room_after(const struct partition_table *table, struct range extent, uint64_t grain)
{
	uint64_t end, next;

	if (!extent_end(extent, &end) || end >= range_end(table->usable))
		return 0;
	next = next_used(table, end);
	/* The end lands on a multiple of grain. */
	next = round_down_to(next, grain);
	return next > end ? next - end : 0;
}

struct range table_usable_of(uint64_t device)
{
	uint64_t end = round_down_to(device, PAGE);

	if (end <= 2 * TABLE_RESERVED)
		return (struct range){ 0 };
	return (struct range){ TABLE_RESERVED, end - 2 * TABLE_RESERVED };
}
