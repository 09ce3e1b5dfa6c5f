/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/export-partition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/window.h"

/* The table of a namespace, and what it lies on. */
struct subject {
	const struct topology *topology;
	const struct namespace *ns;
	const struct partition_table *table;
	const char *name; /* pmem0, dax0.0 */
	uint64_t size, align;
	bool windows;
};

static bool is_same_name(const struct table_entry *a, const struct table_entry *b)
{
	return a->name && b->name && strcmp(a->name, b->name) == 0;
}

static bool is_alone(const struct partition_table *table, size_t index, bool by_name)
{
	const struct table_entry *entry = &table->entries[index];

	for (size_t i = 0; i < table->n_entries; i++)
		if (i != index && (by_name ? is_same_name(&table->entries[i], entry) :
					     uuid_equal(&table->entries[i].uuid, &entry->uuid)))
			return false;
	return true;
}

static bool has_name(const struct namespace *ns, const struct table_entry *entry)
{
	const struct partition_table *table = ns->device ? ns->device->table : NULL;

	for (size_t i = 0; table && i < table->n_entries; i++)
		if (is_same_name(&table->entries[i], entry))
			return true;
	return false;
}

static bool is_elsewhere(const struct subject *s, const struct table_entry *entry)
{
	for (size_t i = 0; i < s->topology->n_regions; i++) {
		const struct region *region = &s->topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++)
			if (&region->namespaces[j] != s->ns &&
			    has_name(&region->namespaces[j], entry))
				return true;
	}
	return false;
}

/* What a configuration cannot say of an entry, or NULL. */
static const char *reason_of_entry(const struct subject *s, size_t index)
{
	const struct table_entry *entry = &s->table->entries[index];
	enum entry_fit fit = table_judge(s->table, index, s->size, s->align);

	if (!entry->name || !entry->name[0])
		return "has no name";
	if (!window_name_is_valid(entry->name) || strlen(entry->name) > PARTITION_NAME_MAX)
		return "has a name that is none of a configuration";
	if (!is_alone(s->table, index, true))
		return "has the name of another";
	if (!uuid_is_set(&entry->uuid) || uuid_is_nil(&entry->uuid) ||
	    !is_alone(s->table, index, false))
		return "has no uuid of its own";
	if (!entry_fit_is_usable(fit))
		return entry_fit_sentence(fit);
	if (!s->windows)
		return NULL;
	if (!s->align || entry->extent.start % s->align || entry->extent.size % s->align)
		return "does not begin and end at whole pages of its device";
	return is_elsewhere(s, entry) ? "has the name of a window of another device" : NULL;
}

/* And of all of the table; "": it has no partitions. */
static const char *reason_of_table(const struct subject *s)
{
	const struct disk *disk = s->ns->disk;

	switch (s->table->kind) {
	case TABLE_NONE:
		return !s->windows && (disk->n_maps || disk->n_natives) ? "the table is gone" : "";
	case TABLE_OTHER:
		return "";
	case TABLE_DOS:
		return s->table->n_entries ? "the table is a DOS one, which is only read" : "";
	case TABLE_DAMAGED:
		return "neither copy of the table can be read";
	case TABLE_BACKUP:
		return "only the backup of the table can be read";
	case TABLE_GPT:
		break;
	}
	return s->table->beyond ? "the table has more entries than are read" : NULL;
}

static void note(struct report *notes, const struct subject *s, const char *why)
{
	(void)report_add(notes, NULL, EOPNOTSUPP, NULL, "The partitions of %s are left out: %s.",
			 s->name, why);
}

static bool is_expressible(const struct subject *s, struct report *notes)
{
	const char *why = reason_of_table(s);
	char text[160];

	if (why && why[0])
		note(notes, s, why);
	if (why)
		return false;
	for (size_t i = 0; i < s->table->n_entries; i++) {
		why = reason_of_entry(s, i);
		if (!why)
			continue;
		(void)snprintf(text, sizeof(text), "partition %u %s", s->table->entries[i].number,
			       why);
		note(notes, s, text);
		return false;
	}
	return true;
}

static int add_partition(struct volume *volume, const struct table_entry *entry)
{
	struct partition *partition = ARRAY_APPEND(volume->partitions, volume->n_partitions);
	const char *type = partition_type_word(&entry->type);

	if (!partition)
		return -ENOMEM;
	partition->name = strdup(entry->name);
	if (!partition->name)
		return -ENOMEM;
	partition->index = volume->n_partitions++;
	partition->size = (struct size_spec){ .kind = SIZE_BYTES, .bytes = entry->extent.size };
	partition->has_start = true;
	partition->start = entry->extent.start;
	partition->uuid = entry->uuid;
	if (!type || strcmp(type, PARTITION_TYPE_DEFAULT) != 0)
		partition->type = entry->type;
	return 0;
}

/* Whose partitions are the kernel's, that must be said: they would be daxd's by default. */
static void set_policy(struct volume *volume, const struct disk *disk)
{
	if (disk->policy == PARTITIONING_KERNEL && !volume->n_partitions)
		return;
	volume->has_partitioning = true;
	volume->partitioning = disk->policy;
}

int export_partitions(const struct topology *topology, const struct namespace *ns,
		      struct volume *volume, struct report *notes)
{
	struct subject s = { .topology = topology, .ns = ns };
	int r = 0;

	if (volume->mode == MODE_FSDAX && ns->disk) {
		s.table = &ns->disk->table;
		s.name = ns->blockdev ? ns->blockdev : ns->name;
		s.size = ns->size;
		s.align = ns->align;
	} else if (volume->mode == MODE_DEVDAX && ns->device && ns->device->table) {
		s.table = ns->device->table;
		s.name = ns->device->name;
		s.size = ns->device->size;
		s.align = ns->device->align;
		s.windows = true;
	}
	if (!s.table)
		return 0;
	if (is_expressible(&s, notes))
		for (size_t i = 0; r == 0 && i < s.table->n_entries; i++)
			r = add_partition(volume, &s.table->entries[i]);
	if (!s.windows)
		set_policy(volume, ns->disk);
	return r;
}
