/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes at the ends of a device: no crash, and what may be used lies in the device and on
 * nothing else.  A GPT takes another partition, or says why not, and is then read back so.
 *
 * The first byte says what is done to the rest: 1: the checksums of the first copy are put
 * right, 2: those of the second, 4: the second copy is one of the first; so that mutations get
 * past the checksums.  What follows are the first sectors, and from half of it on the last.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/gpt.h"
#include "base/macro.h"
#include "exec/table-image.h"

#define SIZE (UINT64_C(64) << 20)
#define SECTOR 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ends {
	unsigned char head[TABLE_IMAGE_END], tail[TABLE_IMAGE_END];
};

static unsigned char *find(struct ends *ends, uint64_t offset, size_t n)
{
	if (offset > SIZE || n > SIZE - offset)
		abort();
	if (offset < TABLE_IMAGE_END)
		return n <= TABLE_IMAGE_END - offset ? ends->head + offset : (abort(), NULL);
	if (offset < SIZE - TABLE_IMAGE_END)
		abort();
	return ends->tail + (offset - (SIZE - TABLE_IMAGE_END));
}

static int read_ends(void *userdata, uint64_t offset, void *to, size_t n)
{
	memcpy(to, find(userdata, offset, n), n);
	return 0;
}

static int write_ends(void *userdata, uint64_t offset, const void *from, size_t n)
{
	memcpy(find(userdata, offset, n), from, n);
	return 0;
}

static void fill(struct ends *ends, const uint8_t *data, size_t size)
{
	size_t half = size / 2;
	uint8_t what = data[0];
	unsigned char *last = ends->tail + TABLE_IMAGE_END - SECTOR;

	data++;
	size--;
	if (what & 4)
		half = size;
	if (half > TABLE_IMAGE_END)
		half = TABLE_IMAGE_END;
	memcpy(ends->head, data, half);
	memcpy(ends->tail + TABLE_IMAGE_END - (size - half), data + half, size - half);
	if (what & 1)
		gpt_sign(ends->head + SECTOR, ends->head + 2 * SECTOR, 32 * SECTOR);
	if (what & 4) {
		memcpy(last - 32 * SECTOR, ends->head + 2 * SECTOR, 32 * SECTOR);
		memcpy(last, ends->head + SECTOR, SECTOR);
		memcpy(last + 24, ends->head + SECTOR + 32, 8); /* this copy, and the other */
		memcpy(last + 32, ends->head + SECTOR + 24, 8);
		memset(last + 72, 0, 8);
		gpt_put_u32(last + 72, (uint32_t)(SIZE / SECTOR - 33));
	}
	if (what & 2)
		gpt_sign(last, last - 32 * SECTOR, 32 * SECTOR);
}

static void check_entries(const struct partition_table *table)
{
	if (table->n_entries > TABLE_ENTRIES_MAX ||
	    (table->n_entries && !table_has_entries(table)))
		abort();
	for (size_t i = 0; i < table->n_entries; i++) {
		const struct table_entry *entry = &table->entries[i];

		if (entry->name && strlen(entry->name) > 4 * PARTITION_NAME_MAX)
			abort();
		if (entry_fit_is_usable(table_judge(table, i, SIZE, TABLE_GRAIN)) &&
		    (entry->extent.size == 0 || entry->extent.size > SIZE ||
		     entry->extent.start > SIZE - entry->extent.size))
			abort();
	}
}

/* One more, where there is room; a table that is not sound may be refused. */
static void add_one(const struct table_device *device, const struct partition_table *table)
{
	_cleanup_(table_clear) struct partition_table after = { 0 }, got = { 0 };
	struct table_entry entry = { .number = table_free_number(table) };
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	entry.extent = table_gap(table, TABLE_GRAIN, TABLE_GRAIN);
	(void)partition_type_from_word("linux", &entry.type);
	(void)uuid_parse_text("00000000-0000-4000-8000-000000000001", &entry.uuid);
	if (!entry.number || !entry.extent.size || table_copy(&after, table) < 0 ||
	    table_add(&after, &entry) < 0)
		return;
	table_copy_is_written(&after);
	if (table_image_write(device, table, &after, &error) < 0)
		return;
	if (table_image_read(device, &got, &error) < 0 || !table_equal(&got, &after))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) struct ends *ends = calloc(1, sizeof(*ends));
	const struct table_device device = { .name = "fuzz", .size = SIZE, .sector_size = SECTOR,
					     .userdata = ends, .read = read_ends,
					     .write = write_ends };
	_cleanup_(table_clear) struct partition_table table = { 0 };
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	if (!ends || size < 2)
		return 0;
	fill(ends, data, size);
	if (table_image_read(&device, &table, &error) < 0)
		return 0;
	check_entries(&table);
	if (table.kind == TABLE_GPT)
		add_one(&device, &table);
	return 0;
}
