/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From one table to another, by libfdisk: what both have keeps what only libfdisk knows of it. */
#include "exec/table-bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "exec/kernel-fdisk-library.h"
#include "exec/table-fdisk.h"
#include "exec/table-image.h"

/* Everything but where it starts, which cannot be changed of an entry that is there. */
static int describe(struct fdisk_context *context, const struct table_entry *entry,
		    uint64_t sector, struct fdisk_partition *partition)
{
	struct fdisk_label *label = fdisk_get_label(context, NULL);
	struct fdisk_parttype *type = fdisk_label_parse_parttype(label, entry->type.text);
	int r = type ? fdisk_partition_set_type(partition, type) : -EINVAL;

	if (type)
		fdisk_unref_parttype(type);
	if (r == 0)
		r = fdisk_partition_set_uuid(partition, entry->uuid.text);
	if (r == 0)
		r = fdisk_partition_set_name(partition, entry->name ? entry->name : "");
	if (r == 0)
		r = fdisk_partition_set_size(partition, entry->extent.size / sector);
	return r ?: fdisk_partition_size_explicit(partition, 1);
}

static int add(struct fdisk_context *context, const struct table_entry *entry, uint64_t sector)
{
	struct fdisk_partition *partition = fdisk_new_partition();
	int r = partition ? fdisk_partition_set_partno(partition, entry->number - 1) : -ENOMEM;

	if (r == 0)
		r = fdisk_partition_set_start(partition, entry->extent.start / sector);
	if (r == 0)
		r = describe(context, entry, sector, partition);
	if (r == 0)
		r = fdisk_add_partition(context, partition, NULL);
	fdisk_unref_partition(partition);
	return r;
}

static int change(struct fdisk_context *context, const struct table_entry *entry,
		  uint64_t sector)
{
	struct fdisk_partition *partition = fdisk_new_partition();
	int r = partition ? describe(context, entry, sector, partition) : -ENOMEM;

	if (r == 0)
		r = fdisk_set_partition(context, entry->number - 1, partition);
	fdisk_unref_partition(partition);
	return r;
}

/* The same partition, perhaps longer or of another name? */
static bool is_same(const struct table_entry *a, const struct table_entry *b)
{
	return a->extent.start == b->extent.start && uuid_equal(&a->uuid, &b->uuid);
}

/* What goes makes room for what comes. */
static int edit(struct fdisk_context *context, const struct partition_table *before,
		const struct partition_table *after, uint64_t sector)
{
	int r = 0;

	for (size_t i = 0; r == 0 && before && i < before->n_entries; i++) {
		const struct table_entry *old = &before->entries[i];
		const struct table_entry *new = table_find(after, old->number);

		if (!new || !is_same(old, new))
			r = fdisk_delete_partition(context, old->number - 1);
		else if (new->extent.size < old->extent.size)
			r = change(context, new, sector);
	}
	for (size_t i = 0; r == 0 && i < after->n_entries; i++) {
		const struct table_entry *new = &after->entries[i];
		const struct table_entry *old = before ? table_find(before, new->number) : NULL;

		if (!old || !is_same(old, new))
			r = add(context, new, sector);
		else if (!table_entry_equal(old, new) && new->extent.size >= old->extent.size)
			r = change(context, new, sector);
	}
	return r;
}

/* The first copy is the table; libfdisk would keep of the second what is in its header. */
static int forget_copy(const struct table_bytes *bytes)
{
	unsigned char zeros[4096] = { 0 };
	size_t size = bytes->sector_size < sizeof(zeros) ? bytes->sector_size : sizeof(zeros);
	off_t last = (off_t)(bytes->size / bytes->sector_size - 1) * (off_t)bytes->sector_size;

	return pwrite(bytes->fd, zeros, size, last) == (ssize_t)size ? 0 : -EIO;
}

static int write_gpt(struct table_bytes *bytes, const struct partition_table *before,
		     const struct partition_table *after)
{
	struct fdisk_context *context;
	int r = before && before->backup_differs ? forget_copy(bytes) : 0;

	if (r == 0)
		r = table_fdisk_open(bytes, bytes->fd, false, &context);

	if (r < 0)
		return r;
	if (!before)
		r = fdisk_create_disklabel(context, "gpt");
	if (r == 0)
		r = fdisk_set_disklabel_id_from_string(context, after->guid.text);
	if (r == 0)
		r = edit(context, before, after, bytes->sector_size);
	if (r == 0)
		r = fdisk_write_disklabel(context);
	table_fdisk_close(context);
	return r;
}

/* No table: all zeros, but for what belongs to partitions. */
static void wipe(struct table_bytes *bytes, const struct partition_table *before)
{
	uint64_t first = before->usable.start, end = range_end(before->usable);
	uint64_t tail = bytes->size - TABLE_IMAGE_END;

	memset(bytes->head, 0, first < TABLE_IMAGE_END ? first : TABLE_IMAGE_END);
	if (end > tail)
		memset(bytes->tail + (end - tail), 0, bytes->size - end);
	else
		memset(bytes->tail, 0, TABLE_IMAGE_END);
}

/* For libfdisk there is no such thing as no table. */
static int erase(struct table_bytes *bytes, const struct partition_table *before,
		 struct error *reterr)
{
	wipe(bytes, before);
	if (ftruncate(bytes->fd, 0) < 0 || ftruncate(bytes->fd, (off_t)bytes->size) < 0)
		return error_set(reterr, errno, "Cannot empty a file in memory: %s.",
				 strerror(errno));
	return table_bytes_fill(bytes, reterr);
}

/* With entries that wrap or overlap libfdisk looks for free space for ever. */
static int check_sound(const struct table_bytes *bytes, const struct partition_table *table,
		       struct error *reterr)
{
	if (table->beyond)
		return error_set(reterr, E2BIG, "The partition table of %s has %" PRIu64
				 " entries, more than the %d that daxd changes.", bytes->name,
				 table->n_entries + table->beyond, TABLE_ENTRIES_MAX);
	for (size_t i = 0; i < table->n_entries; i++) {
		enum entry_fit fit = table_judge(table, i, bytes->size, TABLE_GRAIN);

		if (fit == FIT_OUTSIDE || fit == FIT_OVERLAP)
			return error_set(reterr, EINVAL, "daxd does not change the partition table "
					 "of %s: partition %u %s.", bytes->name,
					 table->entries[i].number, entry_fit_sentence(fit));
	}
	return 0;
}

int table_bytes_edit(struct table_bytes *bytes, const struct partition_table *before,
		     const struct partition_table *after, struct error *reterr)
{
	bool gpt = before->kind == TABLE_GPT || before->kind == TABLE_BACKUP;
	int r;

	if (after->kind == TABLE_NONE && gpt && before->usable.size)
		return erase(bytes, before, reterr);
	r = fdisk_library_load(reterr);
	if (r == 0)
		r = check_sound(bytes, before, reterr);
	if (r < 0)
		return r;
	if (after->kind != TABLE_GPT)
		return error_set(reterr, EINVAL, "daxd writes no partition table of kind %s.",
				 table_kind_word(after->kind));
	r = table_bytes_protect(bytes, reterr);
	if (r < 0)
		return r;
	r = write_gpt(bytes, gpt ? before : NULL, after);
	if (r < 0)
		return error_set(reterr, -r, "libfdisk does not make the partition table of %s: "
				 "%s.", bytes->name, strerror(-r));
	return table_bytes_read_back(bytes, reterr);
}
