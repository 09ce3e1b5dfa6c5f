/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/json-write.h"
#include "core/topology-json.h"
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

struct part_table_text part_table_text(const struct partition_table *table)
{
	struct part_table_text text;
	bool none = table->kind == TABLE_NONE || table->kind == TABLE_OTHER;

	(void)snprintf(text.text, sizeof(text.text), "%s%s%s%s%s%s",
		       table->content ? table->content : table_kind_word(table->kind),
		       none ? "" : " table",
		       table->lacks_backup ? " without its copy at the end" : "",
		       table->backup_differs ? ", its copy at the end differs" : "",
		       table->extended ? " with an extended partition" : "",
		       table->beyond ? ", more than 128 entries" : "");
	return text;
}

void part_put_table(struct json_out *out, const struct partition_table *table, uint64_t grain)
{
	json_put_text(out, "table", table_kind_word(table->kind));
	if (table->lacks_backup)
		json_put_bool(out, "lacks_backup", true);
	if (table->backup_differs)
		json_put_bool(out, "backup_differs", true);
	if (table->extended)
		json_put_bool(out, "extended", true);
	json_put_text(out, "content", table->content);
	json_put_text(out, "uuid", table->guid.text);
	if (table->usable.size)
		json_put_u64(out, "largest_free", table_gap(table, 0, grain).size);
}

const char *part_state(const struct namespace *ns, const struct part *part)
{
	const struct table_entry *entry = part->entry;
	const struct disk_map *map = part->map;

	if (!entry && !map && ns->disk->table.extended)
		return "kernel"; /* it, or what lies in it, is in the table; that part is not read */
	if (!entry)
		return map ? "mapped, in no table" : "kernel, in no table";
	if (map && (map->extent.start != entry->extent.start ||
		    map->extent.size != entry->extent.size))
		return "mapped as it was before";
	if (map)
		return map->linked ? "mapped" : "mapped, no link";
	if (part->native)
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
static uint64_t align_of(const struct namespace *ns, const struct part *part)
{
	if (!part->entry)
		return 0;
	switch (fit_of(ns, part->entry)) {
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

static void put_part(struct json_out *out, const struct namespace *ns, const struct part *part)
{
	const struct table_entry *entry = part->entry;
	const char *type = entry ? partition_type_word(&entry->type) : NULL;
	const struct holder *holder;
	char path[128];

	(void)snprintf(path, sizeof(path), "/dev/%s", part_name(ns, part->number).text);
	json_open(out, NULL, '{');
	json_put_u64(out, "number", part->number);
	if (entry) {
		json_put_text(out, "name", entry->name);
		json_put_text(out, "uuid", entry->uuid.text);
		json_put_text(out, "type", type ? type : entry->type.text);
	}
	if (part->map ? part->map->linked : part->native != NULL)
		json_put_text(out, "path", path);
	json_put_u64(out, "offset", part->extent.start);
	json_put_u64(out, "size", part->extent.size);
	if (align_of(ns, part))
		json_put_u64(out, "align", align_of(ns, part));
	json_put_text(out, "state", part_state(ns, part));
	if (part_holder(part, 0)) {
		json_open(out, "holders", '[');
		for (size_t i = 0; (holder = part_holder(part, i)); i++)
			holder_put(out, holder);
		json_close(out, ']');
	}
	json_close(out, '}');
}

/* A disk is held by who holds a partition of it, too. */
static bool holds_part(const struct disk *disk, const struct holder *holder)
{
	const struct holder *other;
	struct part part;
	size_t at = 0;

	while (disk && part_next(disk, &at, &part))
		for (size_t i = 0; (other = part_holder(&part, i)); i++)
			if (other->kind == holder->kind && other->pid == holder->pid &&
			    strcmp(other->name, holder->name) == 0)
				return true;
	return false;
}

/* From *at on, who holds all of it; NULL: nobody else. */
static const struct holder *next_holder(const struct volume_view *view, size_t *at)
{
	const struct disk *disk = view->ns ? view->ns->disk : NULL;
	const struct holder *holder;

	while ((holder = volume_holder(view, (*at)++)))
		if (!holds_part(disk, holder))
			return holder;
	return NULL;
}

void part_list_put_holders(struct json_out *out, const struct volume_view *view)
{
	size_t at = 0;
	const struct holder *holder = next_holder(view, &at);

	if (!holder)
		return;
	json_open(out, "holders", '[');
	for (; holder; holder = next_holder(view, &at))
		holder_put(out, holder);
	json_close(out, ']');
}

static void put_disk(struct json_out *out, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	const struct partition_table *table = &ns->disk->table;
	struct part part;
	size_t at = 0;

	json_open(out, NULL, '{');
	json_put_text(out, "device", ns->blockdev);
	json_put_text(out, "volume", volume_name(view));
	json_put_u64(out, "size", ns->size);
	json_put_text(out, "policy", partitioning_word(ns->disk->policy));
	json_put_bool(out, "managed", ns->disk->managed);
	part_put_table(out, table, TABLE_GRAIN);
	json_open(out, "partitions", '[');
	while (part_next(ns->disk, &at, &part))
		put_part(out, ns, &part);
	json_close(out, ']');
	part_list_put_holders(out, view);
	json_close(out, '}');
}

static void add_holder(struct table *out, const struct holder *holder)
{
	table_cell(out, "    %s", holder->name);
	table_cell(out, "%s", holder_kind_word(holder->kind));
	for (size_t i = 0; i < 3; i++)
		table_cell(out, " ");
	table_cell(out, "%s", holder_describe(holder).text);
}

void part_list_add_holders(struct table *out, const struct volume_view *view)
{
	const struct holder *holder;
	size_t at = 0;

	while ((holder = next_holder(view, &at)))
		add_holder(out, holder);
}

static void add_part(struct table *out, const struct namespace *ns, const struct part *part)
{
	uint64_t align = align_of(ns, part);
	const struct holder *holder;

	table_cell(out, "  %s", part_name(ns, part->number).text);
	table_cell(out, "%s", part->entry && part->entry->name ? part->entry->name : "");
	table_cell(out, "%s", SIZE_STR(part->extent.size));
	table_cell(out, "%s", SIZE_STR(part->extent.start));
	table_cell(out, "%s", align ? SIZE_STR(align) : "-");
	table_cell(out, "%s", part_state(ns, part));
	for (size_t i = 0; (holder = part_holder(part, i)); i++)
		add_holder(out, holder);
}

static void add_rows(struct table *out, const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	const struct partition_table *table = &ns->disk->table;
	struct part part;
	size_t at = 0;

	table_cell(out, "%s", ns->blockdev);
	table_cell(out, "%s", volume_name(view) ? volume_name(view) : "");
	table_cell(out, "%s", SIZE_STR(ns->size));
	table_cell(out, " ");
	table_cell(out, " ");
	table_cell(out, "%s, partitions by %s", part_table_text(table).text,
		   part_policy(ns->disk).text);
	part_list_add_holders(out, view);
	while (part_next(ns->disk, &at, &part))
		add_part(out, ns, &part);
}

const char *part_why_none(const struct volume_view *view)
{
	if (part_window_is_possible(view))
		return NULL;
	if (view->device)
		return view->ns && view->device->driver == DRIVER_NONE ?
			       "It is disabled: nobody can tell its partitions." :
			       "It is no block device, and no dax device of a namespace.";
	if (!view->ns->blockdev)
		return "It is disabled, or no block device.";
	if (view->ns->disk)
		return NULL;
	switch (view->ns->mode) {
	case NAMESPACE_RAW:
		return "It is a raw namespace, and partitions are of fsdax and devdax ones only.";
	case NAMESPACE_SECTOR:
		return "It is a sector namespace, and partitions are of fsdax and devdax ones only.";
	case NAMESPACE_FSDAX:
	case NAMESPACE_DEVDAX:
		break;
	}
	return "Its partitions are not known.";
}

char *part_hint_none(const struct volume_view *view)
{
	const struct namespace *ns = view->ns;
	bool other = ns && (ns->mode == NAMESPACE_RAW || ns->mode == NAMESPACE_SECTOR);
	char *hint = NULL;
	int r = 0;

	if (ns && view->device && view->device->driver == DRIVER_NONE)
		r = asprintf(&hint, "\"daxctl-ext enable-device %s\" before", view->device->name);
	else if (ns && !view->device && !ns->enabled)
		r = asprintf(&hint, "\"ndctl enable-namespace %s\" before", ns->name);
	else if (other)
		r = asprintf(&hint, "fdisk and lsblk are for what the kernel makes of it; \"ndctl create-namespace -f -e %s "
			     "-m fsdax\" makes it one that daxd divides, and what it holds is lost",
			     ns->name);
	else if (view->device && !ns)
		hint = strdup("a device of such a region is divided by making several of them");
	return r < 0 ? NULL : hint;
}

bool part_is_lost(const struct volume_view *view)
{
	const struct disk *disk = view->ns ? view->ns->disk : NULL;

	return disk && disk->managed && disk->n_maps &&
	       (disk->table.kind == TABLE_NONE || disk->table.kind == TABLE_OTHER);
}

char *part_lost_text(const struct volume_view *view)
{
	const struct partition_table *table = &view->ns->disk->table;
	char *text;

	if (asprintf(&text, "Its partition table is gone%s%s, and maps of its partitions are there "
		     "still, such as %s; nothing takes them away by itself.",
		     table->content ? ", in its place there is " : "",
		     table->content ? table->content : "", view->ns->disk->maps[0].name) < 0)
		return NULL;
	return text;
}

char *part_lost_hint(const struct volume_view *view)
{
	char *hint;

	if (asprintf(&hint, "daxctl-ext part list says where they lie: write the table back "
		     "(sfdisk). If nobody needs them, \"daxctl-ext part release %s\" gives them up.",
		     view->ns->blockdev) < 0)
		return NULL;
	return hint;
}

static bool is_shown(const struct volume_view *view, const char *name)
{
	const struct disk *disk = view->ns ? view->ns->disk : NULL;

	if (name)
		return volume_is_called(view, name) && !part_why_none(view);
	if (!disk)
		return part_window_is_possible(view) && view->device->table;
	return disk->table.kind != TABLE_NONE || disk->n_natives || disk->n_maps ||
	       disk->policy != PARTITIONING_KERNEL;
}

static enum cli_exit print_json(struct cli *cli, const struct volumes *volumes, const char *name)
{
	struct json_out out = { .indent = cli->out_terminal };

	json_open(&out, NULL, '[');
	for (size_t i = 0; i < volumes->n; i++)
		if (is_shown(&volumes->views[i], name))
			(volumes->views[i].device ? part_window_put : put_disk)(&out, &volumes->views[i]);
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
			(volumes->views[i].device ? part_window_add_rows :
						    add_rows)(table, &volumes->views[i]);
	if (table_print(table, cli->out, cli->width, cli->colour_out) == 0)
		return CLI_DONE;
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

static void refuse(struct cli *cli, const struct volumes *volumes, const char *name)
{
	for (size_t i = 0; i < volumes->n; i++)
		if (volume_is_called(&volumes->views[i], name)) {
			_cleanup_(freep) char *hint = part_hint_none(&volumes->views[i]);

			problem_add(&cli->problems, ENODEV, hint, "%s: %s", name,
				    part_why_none(&volumes->views[i]));
			return;
		}
	problem_add(&cli->problems, ENOENT, "daxctl-ext status shows what is there.",
		    "There is no device or volume \"%s\".", name);
}

static void note_lost(struct cli *cli, const struct volumes *volumes, const char *name)
{
	_cleanup_(report_clear) struct report notes = REPORT_INIT;

	for (size_t i = 0; i < volumes->n; i++) {
		const struct volume_view *view = &volumes->views[i];
		_cleanup_(freep) char *text = NULL, *hint = NULL;

		if (!is_shown(view, name) || !part_is_lost(view))
			continue;
		text = part_lost_text(view);
		hint = part_lost_hint(view);
		problem_add(&notes, EUCLEAN, hint, "%s: %s", view->ns->blockdev, text ? text : "");
	}
	(void)fflush(cli->out); /* notes come after what they are about */
	problems_print_notes(&notes, cli->err, cli->colour_err);
}

enum cli_exit part_list(struct cli *cli, const struct volumes *volumes, const char *name)
{
	const struct volume_view *view = NULL;
	struct part part;
	size_t n = 0;

	if (name)
		view = part_find(volumes, name, &part);
	if (view)
		name = view->ns->blockdev;
	for (size_t i = 0; i < volumes->n; i++)
		n += is_shown(&volumes->views[i], name);
	if (name && !n) {
		refuse(cli, volumes, name);
		return CLI_INVALID;
	}
	if (cli->json)
		return print_json(cli, volumes, name);
	if (n) {
		enum cli_exit status = print_table(cli, volumes, name);

		note_lost(cli, volumes, name);
		return status;
	}
	(void)fputs("No disk has partitions.\n", cli->out);
	return CLI_DONE;
}
