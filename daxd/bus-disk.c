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

	return sd_bus_message_append(message, "(uttssss)", (uint32_t)entry->number,
				     entry->extent.start, entry->extent.size, entry->uuid.text,
				     entry->name ? entry->name : "", entry->type.text,
				     entry_fit_word(fit));
}

int bus_append_partitions(sd_bus_message *message, const struct namespace *ns)
{
	int r = sd_bus_message_open_container(message, 'a', "(uttssss)");

	for (size_t i = 0; r >= 0 && ns->disk && i < ns->disk->table.n_entries; i++)
		r = append_entry(message, ns, i);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int bus_append_natives(sd_bus_message *message, const struct disk *disk)
{
	int r = sd_bus_message_open_container(message, 'a', "(utt)");

	for (size_t i = 0; r >= 0 && disk && i < disk->n_natives; i++)
		r = sd_bus_message_append(message, "(utt)", (uint32_t)disk->natives[i].number,
					  disk->natives[i].extent.start,
					  disk->natives[i].extent.size);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int bus_append_maps(sd_bus_message *message, const struct disk *disk)
{
	int r = sd_bus_message_open_container(message, 'a', "(uttsb)");

	for (size_t i = 0; r >= 0 && disk && i < disk->n_maps; i++) {
		const struct disk_map *map = &disk->maps[i];

		r = sd_bus_message_append(message, "(uttsb)", (uint32_t)map->number,
					  map->extent.start, map->extent.size, map->name,
					  map->linked);
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
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

int bus_append_pending(sd_bus_message *message, const struct plan *plan, const char *name)
{
	int r = sd_bus_message_open_container(message, 'a', "(sss)");
	const struct drift *drift;
	size_t at = 0;

	while (r >= 0 && (drift = next_pending(plan, name, &at)))
		r = sd_bus_message_append(message, "(sss)", drift->attribute, drift->have,
					  drift->want);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

bool bus_same_partitions(const struct disk *a, const struct disk *b)
{
	return a == b || (a && b && table_equal(&a->table, &b->table));
}

bool bus_same_natives(const struct disk *a, const struct disk *b)
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

bool bus_same_maps(const struct disk *a, const struct disk *b)
{
	size_t n = a ? a->n_maps : 0;

	if (n != (b ? b->n_maps : 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same_map(&a->maps[i], &b->maps[i]))
			return false;
	return true;
}

bool bus_same_pending(const struct plan *a, const struct plan *b, const char *name)
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
