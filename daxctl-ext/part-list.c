/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/json-write.h"
#include "part-window.h"
#include "table.h"

static enum entry_fit fit_of(const struct namespace *ns, const struct table_entry *entry)
{
	const struct partition_table *table = &ns->disk->table;

	return table_judge(table, (size_t)(entry - table->entries), ns->size, ns->align);
}

struct part_policy part_policy(const struct disk *disk)
{
	struct part_policy policy;
	const char *now = disk->policy == PARTITIONING_KERNEL || disk->managed ? "" : " (kernel)";

	(void)snprintf(policy.text, sizeof(policy.text), "%s%s", partitioning_word(disk->policy),
		       now);
	return policy;
}

const char *part_state(const struct namespace *ns, const struct table_entry *entry)
{
	const struct disk_map *map = disk_find_map(ns->disk, entry->number);

	if (map && (map->extent.start != entry->extent.start ||
		    map->extent.size != entry->extent.size))
		return "mapped as it was before";
	if (map)
		return map->linked ? "mapped" : "mapped, no link";
	if (disk_find_native(ns->disk, entry->number))
		return "kernel";
	switch (fit_of(ns, entry)) {
	case FIT_OUTSIDE:
		return "outside of the device";
	case FIT_OVERLAP:
		return "overlaps another";
	case FIT_MISALIGNED:
		return "misaligned";
	case FIT_4K:
	case FIT_2M:
		break;
	}
	return "none";
}

/* The largest page that can be had of a partition: hypervisors want huge ones. */
static uint64_t align_of(const struct namespace *ns, const struct table_entry *entry)
{
	switch (fit_of(ns, entry)) {
	case FIT_2M:
		return ALIGN_2M;
	case FIT_4K:
		return ALIGN_4K;
	case FIT_OUTSIDE:
	case FIT_OVERLAP:
	case FIT_MISALIGNED:
		break;
	}
	return 0;
}

static bool has_node(const struct disk *disk, unsigned int number)
{
	const struct disk_map *map = disk_find_map(disk, number);

	return map ? map->linked : disk_find_native(disk, number) != NULL;
}

static void put_users(struct json_out *out, const struct disk *disk, unsigned int number)
{
	const struct disk_map *map = disk_find_map(disk, number);
	const struct native *native = disk_find_native(disk, number);
	const struct holder_list *list = map ? &map->holders : native ? &native->holders : NULL;

	if (!list || !list->n)
		return;
	json_open(out, "holders", '[');
	for (size_t i = 0; i < list->n; i++) {
		json_open(out, NULL, '{');
		json_put_text(out, "kind", holder_kind_word(list->holders[i].kind));
		json_put_text(out, "name", list->holders[i].name);
		if (list->holders[i].pid)
			json_put_int(out, "pid", list->holders[i].pid);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_entry(struct json_out *out, const struct namespace *ns,
		      const struct table_entry *entry)
{
	const char *type = partition_type_word(&entry->type);
	char path[128];

	(void)snprintf(path, sizeof(path), "/dev/%.64sp%u", ns->blockdev, entry->number);
	json_open(out, NULL, '{');
	json_put_u64(out, "number", entry->number);
	json_put_text(out, "name", entry->name);
	json_put_text(out, "uuid", entry->uuid.text);
	json_put_text(out, "type", type ? type : entry->type.text);
	if (has_node(ns->disk, entry->number))
		json_put_text(out, "path", path);
	json_put_u64(out, "offset", entry->extent.start);
	json_put_u64(out, "size", entry->extent.size);
	if (align_of(ns, entry))
		json_put_u64(out, "align", align_of(ns, entry));
	json_put_text(out, "state", part_state(ns, entry));
	put_users(out, ns->disk, entry->number);
	json_close(out, '}');
}

static void put_disk(struct json_out *out, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	const struct partition_table *table = &ns->disk->table;
	struct range gap = table_gap(table, 0, TABLE_GRAIN);

	json_open(out, NULL, '{');
	json_put_text(out, "device", ns->blockdev);
	json_put_text(out, "volume", volume_name(view));
	json_put_u64(out, "size", ns->size);
	json_put_text(out, "policy", partitioning_word(ns->disk->policy));
	json_put_bool(out, "managed", ns->disk->managed);
	json_put_text(out, "table", table_kind_word(table->kind));
	json_put_text(out, "content", table->content);
	json_put_text(out, "uuid", table->guid.text);
	if (table->usable.size)
		json_put_u64(out, "largest_free", gap.size);
	json_open(out, "partitions", '[');
	for (size_t i = 0; i < table->n_entries; i++)
		put_entry(out, ns, &table->entries[i]);
	json_close(out, ']');
	json_close(out, '}');
}

static void add_rows(struct table *out, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	const struct partition_table *table = &ns->disk->table;

	table_cell(out, "%s", ns->blockdev);
	table_cell(out, "%s", volume_name(view) ? volume_name(view) : "");
	table_cell(out, "%s", SIZE_STR(ns->size));
	table_cell(out, " ");
	table_cell(out, " ");
	table_cell(out, "%s%s%s, partitions by %s",
		   table->content ? table->content : table_kind_word(table->kind),
		   table->kind == TABLE_NONE || table->kind == TABLE_OTHER ? "" : " table",
		   table->beyond ? ", more than 128 entries" : "", part_policy(ns->disk).text);
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];
		uint64_t align = align_of(ns, entry);

		table_cell(out, "  %sp%u", ns->blockdev, entry->number);
		table_cell(out, "%s", entry->name ? entry->name : "");
		table_cell(out, "%s", SIZE_STR(entry->extent.size));
		table_cell(out, "%s", SIZE_STR(entry->extent.start));
		table_cell(out, "%s", align ? SIZE_STR(align) : "-");
		table_cell(out, "%s", part_state(ns, entry));
	}
}

static bool is_shown(const struct volume_view *view, const char *name)
{
	if (part_window_is_shown(view))
		return !name || volume_is_called(view, name);
	if (!view->ns || !view->ns->disk)
		return false;
	if (name)
		return volume_is_called(view, name);
	return view->ns->disk->table.kind != TABLE_NONE ||
	       view->ns->disk->policy != PARTITIONING_KERNEL;
}

static enum cli_exit print_json(struct cli *cli, const struct volumes *volumes, const char *name)
{
	struct json_out out = { .indent = cli->out_terminal };

	json_open(&out, NULL, '[');
	for (size_t i = 0; i < volumes->n; i++)
		if (is_shown(&volumes->views[i], name))
			(part_window_is_shown(&volumes->views[i]) ?
				 part_window_put : put_disk)(&out, &volumes->views[i]);
	json_close(&out, ']');
	return cli_print_json(cli, json_out_finish(&out));
}

static enum cli_exit print_table(struct cli *cli, const struct volumes *volumes, const char *name)
{
	static const struct table_column columns[] = {
		{ "DEVICE", 0 },	    { "NAME", 0 },	     { "SIZE", TABLE_RIGHT },
		{ "START", TABLE_RIGHT }, { "ALIGN", TABLE_RIGHT }, { "STATE", TABLE_WRAP },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < volumes->n; i++)
		if (is_shown(&volumes->views[i], name))
			(part_window_is_shown(&volumes->views[i]) ?
				 part_window_add_rows : add_rows)(table, &volumes->views[i]);
	if (table_print(table, cli->out, cli->width, cli->colour_out) == 0)
		return CLI_DONE;
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

enum cli_exit part_list(struct cli *cli, const struct volumes *volumes, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < volumes->n; i++)
		n += is_shown(&volumes->views[i], name);
	if (name && !n) {
		problem_add(&cli->problems, ENOENT, "daxctl-ext status shows what is there.",
			    "There is no device or volume \"%s\".", name);
		return CLI_INVALID;
	}
	if (cli->json)
		return print_json(cli, volumes, name);
	if (n)
		return print_table(cli, volumes, name);
	(void)fputs("No disk has partitions.\n", cli->out);
	return CLI_DONE;
}
