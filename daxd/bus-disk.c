/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The partitions of a namespace's block device, as values of the bus. */
#include "bus-tree.h"

#include <string.h>

#include "core/table.h"

static int append_entry(sd_bus_message *message, const struct namespace *ns, size_t index)
{
	const struct partition_table *table = &ns->disk->table;
	const struct table_entry *entry = &table->entries[index];
	enum entry_fit fit = table_judge(table, index, ns->size, ns->align);

	return sd_bus_message_append(message, "a{sv}", 7, "number", "u", (uint32_t)entry->number,
				     "start", "t", entry->extent.start, "size", "t",
				     entry->extent.size, "uuid", "s", entry->uuid.text, "name", "s",
				     entry->name ? entry->name : "", "type", "s", entry->type.text,
				     "fit", "s", entry_fit_word(fit));
}

static int append_native(sd_bus_message *message, const struct native *native)
{
	return sd_bus_message_append(message, "a{sv}", 3, "number", "u", (uint32_t)native->number,
				     "start", "t", native->extent.start, "size", "t",
				     native->extent.size);
}

static int append_map(sd_bus_message *message, const struct disk_map *map)
{
	return sd_bus_message_append(message, "a{sv}", 5, "number", "u", (uint32_t)map->number,
				     "start", "t", map->extent.start, "size", "t",
				     map->extent.size, "name", "s", map->name, "linked", "b",
				     (int)map->linked);
}

/* The drifts of a volume that is called as the namespace is. */
static const struct drift *next_pending(const struct plan *plan, const char *name, size_t *at)
{
	while (plan && *at < plan->n_drifts) {
		const struct drift *drift = &plan->drifts[(*at)++];

		if (strcmp(drift->volume, name) == 0)
			return drift;
	}
	return NULL;
}

static int append_pending(sd_bus_message *message, const struct object *object)
{
	const struct drift *drift;
	size_t at = 0;
	int r = 0;

	while (r >= 0 && (drift = next_pending(object->disks, object->ns->name, &at)))
		r = sd_bus_message_append(message, "a{sv}", 3, "attribute", "s", drift->attribute,
					  "have", "s", drift->have, "want", "s", drift->want);
	return r;
}

static int append_items(sd_bus_message *message, enum bus_part part, const struct object *object)
{
	const struct disk *disk = object->ns->disk;
	int r = 0;

	if (!disk)
		return 0;
	switch (part) {
	case BUS_PARTITIONS:
		for (size_t i = 0; r >= 0 && i < disk->table.n_entries; i++)
			r = append_entry(message, object->ns, i);
		break;
	case BUS_NATIVES:
		for (size_t i = 0; r >= 0 && i < disk->n_natives; i++)
			r = append_native(message, &disk->natives[i]);
		break;
	case BUS_MAPS:
		for (size_t i = 0; r >= 0 && i < disk->n_maps; i++)
			r = append_map(message, &disk->maps[i]);
		break;
	case BUS_PENDING:
		return append_pending(message, object);
	}
	return r;
}

int bus_append_part(sd_bus_message *message, enum bus_part part, const struct object *object)
{
	int r = sd_bus_message_open_container(message, 'a', "a{sv}");

	if (r >= 0)
		r = append_items(message, part, object);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static bool same_tables(const struct disk *a, const struct disk *b)
{
	return a == b || (a && b && table_equal(&a->table, &b->table));
}

static bool same_natives(const struct disk *a, const struct disk *b)
{
	size_t n = a ? a->n_natives : 0;

	if (n != (b ? b->n_natives : 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (a->natives[i].number != b->natives[i].number ||
		    a->natives[i].extent.start != b->natives[i].extent.start ||
		    a->natives[i].extent.size != b->natives[i].extent.size)
			return false;
	return true;
}

static bool same_map(const struct disk_map *a, const struct disk_map *b)
{
	return a->number == b->number && a->extent.start == b->extent.start &&
	       a->extent.size == b->extent.size && a->linked == b->linked &&
	       strcmp(a->name, b->name) == 0;
}

static bool same_maps(const struct disk *a, const struct disk *b)
{
	size_t n = a ? a->n_maps : 0;

	if (n != (b ? b->n_maps : 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same_map(&a->maps[i], &b->maps[i]))
			return false;
	return true;
}

static bool same_pending(const struct plan *a, const struct plan *b, const char *name)
{
	const struct drift *one, *other;
	size_t i = 0, j = 0;

	do {
		one = next_pending(a, name, &i);
		other = next_pending(b, name, &j);
		if (!one != !other)
			return false;
		if (one && (strcmp(one->attribute, other->attribute) != 0 ||
			    strcmp(one->have, other->have) != 0 ||
			    strcmp(one->want, other->want) != 0))
			return false;
	} while (one);
	return true;
}

bool bus_same_part(enum bus_part part, const struct object *a, const struct object *b)
{
	switch (part) {
	case BUS_PARTITIONS:
		return same_tables(a->ns->disk, b->ns->disk);
	case BUS_NATIVES:
		return same_natives(a->ns->disk, b->ns->disk);
	case BUS_MAPS:
		return same_maps(a->ns->disk, b->ns->disk);
	case BUS_PENDING:
		return same_pending(a->disks, b->disks, a->ns->name);
	}
	return false;
}
