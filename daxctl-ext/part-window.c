/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part-window.h"

#include <stdio.h>

#include "base/size.h"
#include "core/window.h"
#include "part-list.h"

bool part_window_is_possible(const struct volume_view *view)
{
	return view->ns && view->device &&
	       (view->device->table || view->device->driver == DRIVER_DEVICE_DAX);
}

const char *part_window_state(const struct dax_device *device, size_t index)
{
	const struct table_entry *entry = &device->table->entries[index];

	if (table_is_window(device->table, index, device->size, device->align))
		return device->driver == DRIVER_DEVICE_DAX ? "window" : "the device is disabled";
	switch (table_judge(device->table, index, device->size, device->align)) {
	case FIT_OUTSIDE:
		return "outside of the device";
	case FIT_OVERLAP:
		return "overlaps another";
	case FIT_MISALIGNED:
	case FIT_4K:
	case FIT_2M:
		break;
	}
	if (entry->extent.start % device->align || entry->extent.size % device->align)
		return "misaligned";
	return window_name_is_valid(entry->name) ? "its name is there twice" :
						   "its name is none of a window";
}

static void put_entry(struct json_out *out, const struct dax_device *device, size_t index)
{
	const struct table_entry *entry = &device->table->entries[index];
	const char *type = partition_type_word(&entry->type);
	char path[128];

	(void)snprintf(path, sizeof(path), "/dev/%.64s", device->name);
	json_open(out, NULL, '{');
	json_put_u64(out, "number", entry->number);
	json_put_text(out, "name", entry->name);
	json_put_text(out, "uuid", entry->uuid.text);
	json_put_text(out, "type", type ? type : entry->type.text);
	if (table_is_window(device->table, index, device->size, device->align))
		json_put_text(out, "path", path);
	json_put_u64(out, "offset", entry->extent.start);
	json_put_u64(out, "size", entry->extent.size);
	json_put_u64(out, "align", device->align);
	json_put_text(out, "state", part_window_state(device, index));
	json_close(out, '}');
}

static uint64_t grain_of(const struct dax_device *device)
{
	return device->align > TABLE_GRAIN ? device->align : TABLE_GRAIN;
}

static void put_table(struct json_out *out, const struct dax_device *device)
{
	const struct partition_table *table = device->table;

	part_put_table(out, table, grain_of(device));
	json_open(out, "partitions", '[');
	for (size_t i = 0; i < table->n_entries; i++)
		put_entry(out, device, i);
	json_close(out, ']');
}

void part_window_put(struct json_out *out, const struct volume_view *view)
{
	const struct dax_device *device = view->device;

	json_open(out, NULL, '{');
	json_put_text(out, "device", device->name);
	json_put_text(out, "volume", volume_name(view));
	json_put_u64(out, "size", device->size);
	if (device->table) {
		put_table(out, device);
	} else {
		json_put_text(out, "table", table_kind_word(TABLE_NONE));
		json_open(out, "partitions", '[');
		json_close(out, ']');
	}
	part_list_put_holders(out, view);
	json_close(out, '}');
}

static void add_entry(struct table *out, const struct dax_device *device, size_t index)
{
	const struct table_entry *entry = &device->table->entries[index];

	table_cell(out, "  %u", entry->number);
	table_cell(out, "%s", entry->name ? entry->name : "");
	table_cell(out, "%s", SIZE_STR(entry->extent.size));
	table_cell(out, "%s", SIZE_STR(entry->extent.start));
	table_cell(out, "%s", SIZE_STR(device->align));
	table_cell(out, "%s", part_window_state(device, index));
}

void part_window_add_rows(struct table *out, const struct volume_view *view)
{
	const struct dax_device *device = view->device;
	const struct partition_table *table = device->table;

	table_cell(out, "%s", device->name);
	table_cell(out, "%s", volume_name(view) ? volume_name(view) : "");
	table_cell(out, "%s", SIZE_STR(device->size));
	table_cell(out, " ");
	table_cell(out, "%s", SIZE_STR(device->align));
	if (table)
		table_cell(out, "%s, windows", part_table_text(table).text);
	else
		table_cell(out, "no partition table that daxd knows of; part add makes one");
	part_list_add_holders(out, view);
	for (size_t i = 0; table && i < table->n_entries; i++)
		add_entry(out, device, i);
}
