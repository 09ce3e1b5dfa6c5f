/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/table-json.h"

#include <errno.h>
#include <inttypes.h>

const struct json_words json_partitionings = { partitioning_word, 0, N_PARTITIONINGS };

static const struct json_words kinds = { table_kind_word, 0, N_TABLE_KINDS };
static const struct json_limits numbers = { 1, UINT32_MAX };

void json_put_extent(struct json_out *out, const char *key, struct range extent)
{
	json_open(out, key, '{');
	json_put_u64(out, "start", extent.start);
	json_put_u64(out, "size", extent.size);
	json_close(out, '}');
}

void json_put_table(struct json_out *out, const char *key, const struct partition_table *table)
{
	json_open(out, key, '{');
	json_put_text(out, "kind", table_kind_word(table->kind));
	json_put_text(out, "guid", table->guid.text);
	if (table->sector_size)
		json_put_u64(out, "sector_size", table->sector_size);
	if (table->usable.size)
		json_put_extent(out, "usable", table->usable);
	if (table->lacks_backup)
		json_put_bool(out, "lacks_backup", true);
	if (table->backup_differs)
		json_put_bool(out, "backup_differs", true);
	if (table->half_written)
		json_put_bool(out, "half_written", true);
	if (table->extended)
		json_put_bool(out, "extended", true);
	if (table->n_entries)
		json_open(out, "entries", '[');
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];

		json_open(out, NULL, '{');
		json_put_u64(out, "number", entry->number);
		json_put_u64(out, "start", entry->extent.start);
		json_put_u64(out, "size", entry->extent.size);
		json_put_text(out, "uuid", entry->uuid.text);
		json_put_text(out, "type", entry->type.text);
		json_put_text(out, "name", entry->name);
		json_close(out, '}');
	}
	if (table->n_entries)
		json_close(out, ']');
	if (table->beyond)
		json_put_u64(out, "beyond", table->beyond);
	json_put_text(out, "content", table->content);
	json_close(out, '}');
}

void json_extent(struct report *report, const struct json_value *value, const struct path *at,
		 void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("start", json_u64, struct range, start, .required = true),
		JSON_FIELD("size", json_u64, struct range, size, .required = true),
	};
	static const struct json_table table = JSON_TABLE("an extent", fields);

	(void)arg;
	json_object(report, value, at, to, &table);
}

static const struct json_field entry_fields[] = {
	JSON_FIELD("number", json_unsigned, struct table_entry, number, .arg = &numbers,
		   .required = true),
	JSON_FIELD("start", json_u64, struct table_entry, extent.start, .required = true),
	JSON_FIELD("size", json_u64, struct table_entry, extent.size, .required = true),
	JSON_FIELD("uuid", json_uuid, struct table_entry, uuid),
	JSON_FIELD("type", json_uuid, struct table_entry, type),
	JSON_FIELD("name", json_text, struct table_entry, name),
};
static const struct json_table entry_table = JSON_TABLE("a partition entry", entry_fields);
static const struct json_list entry_list = { sizeof(struct table_entry), json_object,
					     &entry_table };

static const struct json_field table_fields[] = {
	JSON_FIELD("kind", json_word, struct partition_table, kind, .arg = &kinds, .required = true),
	JSON_FIELD("guid", json_uuid, struct partition_table, guid),
	JSON_FIELD("sector_size", json_u64, struct partition_table, sector_size),
	JSON_FIELD("usable", json_extent, struct partition_table, usable),
	JSON_FIELD("lacks_backup", json_bool, struct partition_table, lacks_backup),
	JSON_FIELD("backup_differs", json_bool, struct partition_table, backup_differs),
	JSON_FIELD("half_written", json_bool, struct partition_table, half_written),
	JSON_FIELD("extended", json_bool, struct partition_table, extended),
	JSON_FIELD("entries", json_array, struct partition_table, entries, .arg = &entry_list),
	JSON_FIELD("beyond", json_u64, struct partition_table, beyond),
	JSON_FIELD("content", json_text, struct partition_table, content),
};

void json_table_of_partitions(struct report *report, const struct json_value *value,
			      const struct path *at, void *to, const void *arg)
{
	static const struct json_table description = JSON_TABLE("a partition table", table_fields);
	struct partition_table *table = to;
	uint64_t end;

	(void)arg;
	json_object(report, value, at, table, &description);
	table_sort(table);
	if (__builtin_add_overflow(table->usable.start, table->usable.size, &end)) {
		(void)report_add(report, at, EINVAL, NULL,
				 "What is usable of the table goes past the end of 64 bits.");
		table->usable = (struct range){ 0 };
	}
	if (table->n_entries > TABLE_ENTRIES_MAX)
		(void)report_add(report, at, E2BIG, NULL, "%zu entries are more than %d.",
				 table->n_entries, TABLE_ENTRIES_MAX);
	for (size_t i = 1; i < table->n_entries; i++)
		if (table->entries[i - 1].number == table->entries[i].number)
			(void)report_add(report, at, EEXIST, NULL,
					 "Two entries have the number %u.",
					 table->entries[i].number);
}
