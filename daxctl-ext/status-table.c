/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status-table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/size.h"
#include "part-list.h"
#include "part-window.h"
#include "table.h"
#include "volumes.h"

/* The state: facts, separated by commas, that not every row has. */
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

/* The caller frees it. */
static char *facts_close(struct facts *facts)
{
	if (facts->out)
		(void)fclose(facts->out);
	return facts->text;
}

static void add_access(struct facts *facts, const struct access *node)
{
	if (node->owner)
		facts_add(facts, "%s:%s %04o", node->owner, node->group ? node->group : "",
			  node->perm);
	if (node->link)
		facts_add(facts, "%s", node->link);
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
}


enum column {
	COLUMN_NAME,
	COLUMN_MODE,
	COLUMN_SIZE,
	COLUMN_FREE,
	COLUMN_NUMA,
	COLUMN_TARGET,
	COLUMN_STATE,
	COLUMN_NODE,
	COLUMN_ALIGN,
	COLUMN_START,
	COLUMN_UUID,
	COLUMN_PATH,
};
#define N_COLUMNS 12
#define N_COLUMNS_DEFAULT 7 /* the first ones */

static const struct table_column known[N_COLUMNS] = {
	[COLUMN_NAME] = { "NAME", 0 },		     [COLUMN_MODE] = { "MODE", 0 },
	[COLUMN_SIZE] = { "SIZE", TABLE_RIGHT },     [COLUMN_FREE] = { "FREE", TABLE_RIGHT },
	[COLUMN_NUMA] = { "NUMA", TABLE_RIGHT },     [COLUMN_TARGET] = { "TARGET", TABLE_RIGHT },
	[COLUMN_STATE] = { "STATE", TABLE_WRAP },    [COLUMN_NODE] = { "NODE", 0 },
	[COLUMN_ALIGN] = { "ALIGN", TABLE_RIGHT },   [COLUMN_START] = { "START", TABLE_RIGHT },
	[COLUMN_UUID] = { "UUID", 0 },		     [COLUMN_PATH] = { "PATH", 0 },
};

/* One row with all columns; those that were chosen are printed. */
struct row {
	char *cells[N_COLUMNS];
	bool failed;
};

_printf_(3, 4) static void put(struct row *row, enum column column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(&row->cells[column], format, args) < 0) {
		row->cells[column] = NULL;
		row->failed = true;
	}
	va_end(args);
}

static void put_number(struct row *row, enum column column, int number)
{
	if (number < 0)
		put(row, column, "-");
	else
		put(row, column, "%d", number);
}

/* Gives the row to the table; false: there is no memory. */
static bool finish(struct row *row, struct table *table, const struct status_columns *columns)
{
	bool done = !row->failed;

	for (size_t i = 0; i < columns->n; i++) {
		const char *cell = row->cells[columns->columns[i]];

		table_cell(table, "%s", cell ? cell : "");
	}
	for (size_t i = 0; i < N_COLUMNS; i++)
		free(row->cells[i]);
	*row = (struct row){ 0 };
	return done;
}

static void add_namespace(struct row *row, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	struct facts facts;

	facts_open(&facts);
	if (volume_name(view))
		facts_add(&facts, "%s", ns->name);
	if (!ns->enabled)
		facts_add(&facts, "disabled");
	if (ns->size && ns->size != ns->range.size)
		facts_add(&facts, "%s usable", SIZE_STR(ns->size));
	if (ns->blockdev)
		facts_add(&facts, "%s", ns->blockdev);
	if (ns->device)
		add_device(&facts, ns->device);
	add_access(&facts, &ns->node);
	if (ns->disk && (ns->disk->table.n_entries || ns->disk->policy != PARTITIONING_KERNEL))
		facts_add(&facts, "%s table, partitions by %s",
			  table_kind_word(ns->disk->table.kind), part_policy(ns->disk).text);
	if (ns->device && ns->device->table)
		facts_add(&facts, "%s, windows", part_table_text(ns->device->table).text);
	row->cells[COLUMN_STATE] = facts_close(&facts);
	if (uuid_is_set(&ns->uuid))
		put(row, COLUMN_UUID, "%s", ns->uuid.text);
}

static void add_node_name(struct row *row, const struct volume_view *view)
{
	if (view->ns && view->ns->blockdev)
		put(row, COLUMN_NODE, "/dev/%s", view->ns->blockdev);
	else if (view->device && view->device->node.owner)
		put(row, COLUMN_NODE, "/dev/%s", view->device->name);
}

static void add_path(struct row *row, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;

	if (ns && ns->device && ns->claim)
		put(row, COLUMN_PATH, "%s/%s/%s", view->region->path, ns->claim, ns->device->name);
	else
		put(row, COLUMN_PATH, "%s/%s", view->region->path,
		    ns ? ns->name : view->device->name);
}

static bool add_volume(struct table *table, const struct status_columns *columns,
		       const struct volume_view *view)
{
	uint64_t align = view->device ? view->device->align : view->ns->align;
	struct facts facts;
	struct row row = { 0 };

	put(&row, COLUMN_NAME, "  %s", view->title);
	put(&row, COLUMN_MODE, "%s", view->mode);
	put(&row, COLUMN_SIZE, "%s", SIZE_STR(view->size));
	if (align)
		put(&row, COLUMN_ALIGN, "%s", SIZE_STR(align));
	if (view->ns)
		put(&row, COLUMN_START, "0x%" PRIx64, view->ns->range.start);
	else if (view->device->ranges.n)
		put(&row, COLUMN_START, "0x%" PRIx64, view->device->ranges.ranges[0].start);
	add_node_name(&row, view);
	add_path(&row, view);
	if (view->ns) {
		add_namespace(&row, view);
	} else {
		facts_open(&facts);
		add_device(&facts, view->device);
		row.cells[COLUMN_STATE] = facts_close(&facts);
	}
	return finish(&row, table, columns);
}

static bool add_partitions(struct table *table, const struct status_columns *columns,
			   const struct namespace *ns)
{
	bool done = true;
	struct part part;
	size_t at = 0;

	while (done && ns && ns->disk && part_next(ns->disk, &at, &part)) {
		const char *name = part.entry ? part.entry->name : NULL;
		struct row row = { 0 };

		put(&row, COLUMN_NAME, "    %s", part_name(ns, part.number).text);
		put(&row, COLUMN_MODE, "partition");
		put(&row, COLUMN_SIZE, "%s", SIZE_STR(part.extent.size));
		put(&row, COLUMN_STATE, "%s%s%s", name ? name : "", name ? ", " : "",
		    part_state(ns, &part));
		if (part.entry)
			put(&row, COLUMN_UUID, "%s", part.entry->uuid.text);
		done = finish(&row, table, columns);
	}
	return done;
}

/* They have no nodes, so they go by their own names. */
static bool add_windows(struct table *table, const struct status_columns *columns,
			const struct dax_device *device)
{
	bool done = true;

	for (size_t i = 0; done && device && device->table && i < device->table->n_entries; i++) {
		const struct table_entry *entry = &device->table->entries[i];
		struct row row = { 0 };

		if (entry->name)
			put(&row, COLUMN_NAME, "    %s", entry->name);
		else
			put(&row, COLUMN_NAME, "    %u", entry->number);
		put(&row, COLUMN_MODE, "partition");
		put(&row, COLUMN_SIZE, "%s", SIZE_STR(entry->extent.size));
		put(&row, COLUMN_STATE, "partition %u, %s", entry->number,
		    part_window_state(device, i));
		put(&row, COLUMN_ALIGN, "%s", SIZE_STR(device->align));
		put(&row, COLUMN_UUID, "%s", entry->uuid.text);
		done = finish(&row, table, columns);
	}
	return done;
}

/* Who uses a volume, one below the other. */
static bool add_holders(struct table *table, const struct status_columns *columns,
			const struct volume_view *view)
{
	const struct holder *holder;
	bool done = true;

	for (size_t i = 0; done && (holder = volume_holder(view, i)); i++) {
		struct row row = { 0 };

		put(&row, COLUMN_NAME, "    %s", holder->name);
		put(&row, COLUMN_MODE, "%s", holder_kind_word(holder->kind));
		put(&row, COLUMN_STATE, "%s", holder_describe(holder).text);
		done = finish(&row, table, columns);
	}
	return done;
}

static bool add_region(struct table *table, const struct status_columns *columns,
		       const struct region *region)
{
	struct facts facts;
	struct row row = { 0 };

	put(&row, COLUMN_NAME, "%s", region->name);
	put(&row, COLUMN_MODE, "%s", region_type_word(region->type));
	put(&row, COLUMN_SIZE, "%s", SIZE_STR(region->range.size));
	put(&row, COLUMN_FREE, "%s", SIZE_STR(region->available));
	put_number(&row, COLUMN_NUMA, region->numa);
	put_number(&row, COLUMN_TARGET, region->target_node);
	put(&row, COLUMN_ALIGN, "%s", SIZE_STR(region->align));
	put(&row, COLUMN_START, "0x%" PRIx64, region->range.start);
	put(&row, COLUMN_PATH, "%s", region->path);
	if (uuid_is_set(&region->uuid))
		put(&row, COLUMN_UUID, "%s", region->uuid.text);
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
	row.cells[COLUMN_STATE] = facts_close(&facts);
	return finish(&row, table, columns);
}

static bool add_all(struct table *table, const struct status_columns *columns,
		    const struct topology *topology, const struct volumes *volumes)
{
	size_t v = 0;

	for (size_t i = 0; i < topology->n_regions; i++) {
		if (!add_region(table, columns, &topology->regions[i]))
			return false;
		for (; v < volumes->n && volumes->views[v].region == &topology->regions[i]; v++)
			if (!add_volume(table, columns, &volumes->views[v]) ||
			    !add_partitions(table, columns, volumes->views[v].ns) ||
			    !add_windows(table, columns, volumes->views[v].device) ||
			    !add_holders(table, columns, &volumes->views[v]))
				return false;
	}
	return true;
}

static int find_column(const char *word, size_t length)
{
	for (int i = 0; i < N_COLUMNS; i++)
		if (strncasecmp(known[i].title, word, length) == 0 && !known[i].title[length])
			return i;
	return -1;
}

enum cli_exit status_columns_parse(struct cli *cli, const char *text, struct status_columns *ret)
{
	*ret = (struct status_columns){ .n = N_COLUMNS_DEFAULT };
	for (size_t i = 0; i < N_COLUMNS_DEFAULT; i++)
		ret->columns[i] = (int)i;
	if (!text)
		return CLI_DONE;
	ret->n = 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		int column = find_column(text, length);

		if (column < 0 || ret->n == ARRAY_SIZE(ret->columns)) {
			problem_add(&cli->problems, EINVAL,
				    "columns are name, mode, size, free, numa, target, state, "
				    "node, align, start, uuid, path",
				    column < 0 ? "There is no column \"%.*s\"." :
						 "There are too many columns before \"%.*s\".",
				    (int)length, text);
			return CLI_INVALID;
		}
		ret->columns[ret->n++] = column;
		if (!text[length])
			return CLI_DONE;
		text += length + 1;
	}
}

enum cli_exit status_table_print(struct cli *cli, const struct topology *topology,
				 const struct status_columns *columns)
{
	struct table_column shown[STATUS_COLUMNS_MAX];
	_cleanup_(table_freep) struct table *table = NULL;
	_cleanup_(volumes_clear) struct volumes volumes = { 0 };

	if (!topology->n_regions) {
		(void)fputs("The machine has no region of pmem, hmem or cxl.\n", cli->out);
		return CLI_DONE;
	}
	for (size_t i = 0; i < columns->n; i++) {
		shown[i] = known[columns->columns[i]];
		if (i + 1 < columns->n)
			shown[i].flags &= ~TABLE_WRAP;
	}
	table = table_new(shown, columns->n);
	if (volumes_fill(&volumes, topology) < 0 ||
	    !add_all(table, columns, topology, &volumes) ||
	    table_print(table, cli->out, cli->width, cli->colour_out) < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return CLI_DONE;
}
