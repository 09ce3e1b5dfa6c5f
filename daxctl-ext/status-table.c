/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status-table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/size.h"
#include "table.h"

/* The last column: facts, separated by commas, that not every row has. */
struct facts {
	FILE *out;
	char *text;
	size_t size;
};

static void facts_open(struct facts *facts)
{
	*facts = (struct facts){ 0 };
	facts->out = open_memstream(&facts->text, &facts->size);
}

_printf_(2, 3) static void facts_add(struct facts *facts, const char *format, ...)
{
	va_list args;

	if (!facts->out)
		return;
	if (ftell(facts->out) > 0)
		(void)fputs(", ", facts->out);
	va_start(args, format);
	(void)vfprintf(facts->out, format, args);
	va_end(args);
}

static void facts_close(struct facts *facts, struct table *table)
{
	if (facts->out)
		(void)fclose(facts->out);
	table_cell(table, "%s", facts->text ? facts->text : "");
	free(facts->text);
}

/* Records by where their first range starts, to name the devices of dynamic regions. */
struct record_index {
	const struct record **records;
	size_t n;
};

static void record_index_clear(struct record_index *index)
{
	free(index->records);
}

static int by_start(const void *a, const void *b)
{
	const struct record *const *left = a, *const *right = b;
	uint64_t l = (*left)->ranges.ranges[0].start, r = (*right)->ranges.ranges[0].start;

	return (l > r) - (l < r);
}

static int record_index_fill(struct record_index *index, const struct topology *topology)
{
	index->records = calloc(topology->n_records + 1, sizeof(*index->records));
	if (!index->records)
		return -ENOMEM;
	for (size_t i = 0; i < topology->n_records; i++)
		if (topology->records[i].ranges.n)
			index->records[index->n++] = &topology->records[i];
	qsort(index->records, index->n, sizeof(*index->records), by_start);
	return 0;
}

static const struct record *record_index_find(const struct record_index *index,
					      const struct dax_device *device)
{
	const struct record wanted = { .ranges = device->ranges }, *key = &wanted;
	const struct record **found;

	if (!device->ranges.n || !index->n)
		return NULL;
	found = bsearch(&key, index->records, index->n, sizeof(*index->records), by_start);
	return found && range_list_equal(&(*found)->ranges, &device->ranges) ? *found : NULL;
}

static void add_access(struct facts *facts, const struct access *node)
{
	if (node->owner)
		facts_add(facts, "%s:%s %04o", node->owner, node->group ? node->group : "",
			  node->perm);
	if (node->link)
		facts_add(facts, "%s", node->link);
}

static void add_holders(struct facts *facts, const struct holder_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct holder *holder = &list->holders[i];

		switch (holder->kind) {
		case HOLDER_MOUNT:
			facts_add(facts, "mounted on %s", holder->name);
			break;
		case HOLDER_SWAP:
			facts_add(facts, "swap %s", holder->name);
			break;
		case HOLDER_BLOCK:
			facts_add(facts, "used by %s", holder->name);
			break;
		case HOLDER_PROCESS:
			facts_add(facts, "used by %s[%d]", holder->name, holder->pid);
			break;
		}
	}
}

/* "online movable", "6 of 8 blocks online normal movable", "offline" */
static void add_memory(struct facts *facts, const struct dax_device *device)
{
	bool zones[N_ZONES] = { false };
	size_t online = 0;

	for (size_t i = 0; i < device->n_blocks; i++) {
		online += device->blocks[i].online;
		if (device->blocks[i].online)
			zones[device->blocks[i].zone] = true;
	}
	if (online == 0) {
		facts_add(facts, "offline");
		return;
	}
	if (online == device->n_blocks)
		facts_add(facts, "online");
	else
		facts_add(facts, "%zu of %zu blocks online", online, device->n_blocks);
	for (size_t z = ZONE_NORMAL; z < N_ZONES && facts->out; z++)
		if (zones[z])
			(void)fprintf(facts->out, " %s", zone_word((enum zone)z));
}

static void add_device(struct facts *facts, const struct dax_device *device)
{
	facts_add(facts, "%s", device->name);
	switch (device->driver) {
	case DRIVER_KMEM:
		add_memory(facts, device);
		break;
	case DRIVER_NONE:
		facts_add(facts, "disabled");
		break;
	case DRIVER_OTHER:
		facts_add(facts, "driver %s",
			  device->driver_name ? device->driver_name : "unknown");
		break;
	case DRIVER_DEVICE_DAX:
		break;
	}
	if (device->ranges.n > 1)
		facts_add(facts, "%zu ranges", device->ranges.n);
	if (device->align)
		facts_add(facts, "align %s", SIZE_STR(device->align));
	add_access(facts, &device->node);
	add_holders(facts, &device->holders);
}

static const char *device_mode(const struct dax_device *device)
{
	return device->driver == DRIVER_KMEM ? "system-ram" : "devdax";
}

static void add_namespace(struct table *table, const struct namespace *ns)
{
	const struct dax_device *device = ns->device;
	struct facts facts;

	table_cell(table, "  %s", ns->label && *ns->label ? ns->label : ns->name);
	table_cell(table, "%s", device ? device_mode(device) : namespace_mode_word(ns->mode));
	table_cell(table, "%s", SIZE_STR(ns->range.size));
	for (int i = 0; i < 3; i++) /* free, numa, target: they are the region's */
		table_cell(table, "%s", "");
	facts_open(&facts);
	if (ns->label && *ns->label)
		facts_add(&facts, "%s", ns->name);
	if (!ns->enabled)
		facts_add(&facts, "disabled");
	if (ns->size && ns->size != ns->range.size)
		facts_add(&facts, "%s usable", SIZE_STR(ns->size));
	if (ns->blockdev)
		facts_add(&facts, "%s", ns->blockdev);
	if (device)
		add_device(&facts, device);
	add_access(&facts, &ns->node);
	add_holders(&facts, &ns->holders);
	facts_close(&facts, table);
}

static void add_dynamic(struct table *table, const struct record_index *index,
			const struct dax_device *device)
{
	const struct record *record = record_index_find(index, device);
	struct facts facts;

	if (device->size == 0) /* the kernel's seed: nothing is there yet */
		return;
	table_cell(table, "  %s", record ? record->volume : device->name);
	table_cell(table, "%s", device_mode(device));
	table_cell(table, "%s", SIZE_STR(device->size));
	for (int i = 0; i < 3; i++) /* free, numa, target: they are the region's */
		table_cell(table, "%s", "");
	facts_open(&facts);
	add_device(&facts, device);
	facts_close(&facts, table);
}

static void add_node(struct table *table, int node)
{
	if (node < 0)
		table_cell(table, "-");
	else
		table_cell(table, "%d", node);
}

static void add_region(struct table *table, const struct region *region)
{
	struct facts facts;

	table_cell(table, "%s", region->name);
	table_cell(table, "%s", region_type_word(region->type));
	table_cell(table, "%s", SIZE_STR(region->range.size));
	table_cell(table, "%s", SIZE_STR(region->available));
	add_node(table, region->numa);
	add_node(table, region->target_node);
	facts_open(&facts);
	if (!region->enabled)
		facts_add(&facts, "disabled");
	if (region->read_only)
		facts_add(&facts, "read-only");
	if (!region_is_dynamic(region) && region->labels == LABELS_NONE)
		facts_add(&facts, "no labels");
	else if (!region_is_dynamic(region))
		facts_add(&facts, "labels %s", label_state_word(region->labels));
	for (size_t i = 0; i < region->n_dimms; i++)
		facts_add(&facts, "%s%s", i ? "" : "on ", region->dimms[i]);
	facts_close(&facts, table);
}

enum cli_exit status_table_print(struct cli *cli, const struct topology *topology)
{
	static const struct table_column columns[] = {
		{ "NAME", 0 },		 { "MODE", 0 },		  { "SIZE", TABLE_RIGHT },
		{ "FREE", TABLE_RIGHT }, { "NUMA", TABLE_RIGHT }, { "TARGET", TABLE_RIGHT },
		{ "STATE", TABLE_WRAP },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_(record_index_clear) struct record_index index = { 0 };
	int r;

	if (!topology->n_regions) {
		(void)fputs("The machine has no region of pmem, hmem or cxl.\n", cli->out);
		return CLI_DONE;
	}
	r = record_index_fill(&index, topology);
	for (size_t i = 0; r == 0 && i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		add_region(table, region);
		for (size_t j = 0; j < region->n_namespaces; j++)
			add_namespace(table, &region->namespaces[j]);
		for (size_t j = 0; j < region->n_devices; j++)
			add_dynamic(table, &index, &region->devices[j]);
	}
	if (r == 0)
		r = table_print(table, cli->out, cli->width, cli->colour_out);
	if (r < 0) {
		problem_add(&cli->problems, -r, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return CLI_DONE;
}
