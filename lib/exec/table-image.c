/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/table-image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/crash.h"
#include "exec/table-bytes.h"

#define GPT_END (UINT64_C(64) << 10) /* sectors of 4 KiB, and room for more than 128 entries */

static int unreadable(const struct table_device *device, int r, struct error *reterr)
{
	return error_set(reterr, -r, "Cannot read the partition table of %s: %s.", device->name,
			 strerror(-r));
}

/* The outermost bytes of either end. */
static int load(const struct table_device *device, struct table_bytes *bytes, uint64_t known,
		struct error *reterr)
{
	int r;

	if (device->size < TABLE_DEVICE_MIN)
		return 0; /* nothing fits */
	r = table_bytes_new(bytes, device->name, device->size, device->sector_size, reterr);
	if (r < 0)
		return r;
	bytes->known = known;
	r = device->read(device->userdata, 0, bytes->head, known);
	if (r == 0)
		r = device->read(device->userdata, device->size - known,
				 bytes->tail + TABLE_IMAGE_END - known, known);
	if (r < 0)
		return unreadable(device, r, reterr);
	return table_bytes_fill(bytes, reterr);
}

/*
 * Nearly each table that there is is a GPT that lies in the outermost bytes, whole: nothing else
 * need be read.  ret->kind is TABLE_NONE otherwise.
 */
static int read_whole_gpt(const struct table_device *device, struct partition_table *ret,
			  struct error *reterr)
{
	_cleanup_(table_bytes_clear) struct table_bytes bytes = TABLE_BYTES_INIT;
	int r = load(device, &bytes, GPT_END, reterr);

	if (r < 0 || bytes.fd < 0 || !table_bytes_hold_gpt(&bytes))
		return r;
	r = table_bytes_parse(&bytes, ret, reterr);
	if (r == 0 && ret->kind != TABLE_GPT)
		table_clear(ret);
	return r;
}

int table_image_read(const struct table_device *device, struct partition_table *ret,
		     struct error *reterr)
{
	_cleanup_(table_bytes_clear) struct table_bytes bytes = TABLE_BYTES_INIT;
	int r = read_whole_gpt(device, ret, reterr);

	if (r < 0 || ret->kind == TABLE_GPT)
		return r;
	r = load(device, &bytes, TABLE_IMAGE_END, reterr);
	if (r < 0 || bytes.fd < 0)
		return r;
	return table_bytes_parse(&bytes, ret, reterr);
}

static int put(const struct table_device *device, uint64_t offset, const void *from, size_t n,
	       struct error *reterr)
{
	int r;

	crash_point();
	r = device->write(device->userdata, offset, from, n);
	if (r < 0)
		return error_set(reterr, -r, "Cannot write the partition table of %s: %s.",
				 device->name, strerror(-r));
	return 0;
}

/* What has changed between two places of one end, from the first such sector to the last. */
static int put_changes(const struct table_device *device, uint64_t at, const unsigned char *old,
		       const unsigned char *new, uint64_t from, uint64_t to, struct error *reterr)
{
	uint64_t sector = device->sector_size;

	while (from < to && memcmp(old + from, new + from, sector) == 0)
		from += sector;
	while (from < to && memcmp(old + to - sector, new + to - sector, sector) == 0)
		to -= sector;
	return from < to ? put(device, at + from, new + from, to - from, reterr) : 0;
}

/* The part of an end that holds what nobody reads without a header. */
static int put_copy(const struct table_device *device, const struct table_bytes *old,
		    const struct table_bytes *new, struct error *reterr)
{
	uint64_t sector = device->sector_size, tail = device->size - TABLE_IMAGE_END;
	const uint64_t end = TABLE_IMAGE_END;
	int r;

	r = put_changes(device, tail, old->tail, new->tail, 0, end - sector, reterr);
	return r < 0 ? r : put_changes(device, tail, old->tail, new->tail, end - sector, end,
				       reterr);
}

static int put_entries(const struct table_device *device, const struct table_bytes *old,
		       const struct table_bytes *new, struct error *reterr)
{
	return put_changes(device, 0, old->head, new->head, 2 * device->sector_size,
			   TABLE_IMAGE_END, reterr);
}

static int put_mbr(const struct table_device *device, const struct table_bytes *old,
		   const struct table_bytes *new, struct error *reterr)
{
	return put_changes(device, 0, old->head, new->head, 0, device->sector_size, reterr);
}

static int put_mark(const struct table_device *device, const struct uuid *guid,
		    struct error *reterr)
{
	unsigned char mark[TABLE_MARK_SIZE];

	table_bytes_mark(guid, mark);
	return put(device, device->sector_size, mark, sizeof(mark), reterr);
}

/* The mark is in its place, whatever was there before. */
static int put_header(const struct table_device *device, const struct table_bytes *new,
		      struct error *reterr)
{
	return put(device, device->sector_size, new->head + device->sector_size,
		   device->sector_size, reterr);
}

/* Copy and mark, in the order in which there is a table at any moment; where there was none, none. */
static int begin(const struct table_device *device, const struct table_bytes *old,
		 const struct table_bytes *new, const struct partition_table *before,
		 const struct partition_table *after, struct error *reterr)
{
	int r = 0;

	if (before->kind == TABLE_GPT)
		r = put_copy(device, old, new, reterr);
	if (r == 0)
		r = put_mark(device, &after->guid, reterr);
	if (r == 0 && before->kind != TABLE_GPT)
		r = put_copy(device, old, new, reterr);
	return r;
}

/* Backwards: what is left at any moment is a table, or is none. */
static int store_none(const struct table_device *device, const struct table_bytes *old,
		      const struct table_bytes *new, const struct partition_table *before,
		      struct error *reterr)
{
	int r = put_mark(device, &before->guid, reterr);

	if (r == 0)
		r = put_mbr(device, old, new, reterr);
	if (r == 0)
		r = put_entries(device, old, new, reterr);
	if (r == 0)
		r = put_copy(device, old, new, reterr);
	return r < 0 ? r : put_header(device, new, reterr);
}

static int store(const struct table_device *device, const struct table_bytes *old,
		 const struct table_bytes *new, const struct partition_table *before,
		 const struct partition_table *after, struct error *reterr)
{
	bool copy_only = memcmp(old->head, new->head, TABLE_IMAGE_END) == 0;
	int r;

	if (after->kind == TABLE_NONE) {
		r = store_none(device, old, new, before, reterr);
	} else if (copy_only) {
		r = put_copy(device, old, new, reterr);
	} else {
		r = begin(device, old, new, before, after, reterr);
		if (r == 0)
			r = put_entries(device, old, new, reterr);
		if (r == 0)
			r = put_mbr(device, old, new, reterr);
		if (r == 0)
			r = put_header(device, new, reterr);
	}
	crash_point();
	return r;
}

/* now knows more than before: what of the device is the table's. */
static int check_before(const struct table_device *device, const struct partition_table *now,
			const struct partition_table *before, struct error *reterr)
{
	if (table_equal(now, before))
		return 0;
	return error_set(reterr, ESTALE, "The partition table of %s is not the one that this was "
			 "planned for.", device->name);
}

/* Is it what was asked for, down to the last byte that is to be read back? */
static int check_after(const struct table_device *device, const struct table_bytes *bytes,
		       const struct partition_table *after, struct error *reterr)
{
	_cleanup_(table_clear) struct partition_table got = { 0 };
	int r = table_bytes_parse(bytes, &got, reterr);

	if (r < 0 || table_equal(&got, after))
		return r;
	return error_set(reterr, EIO, "libfdisk would write another partition table to %s than "
			 "was asked for.", device->name);
}

int table_image_write(const struct table_device *device, const struct partition_table *before,
		      const struct partition_table *after, struct error *reterr)
{
	_cleanup_(table_bytes_clear) struct table_bytes old = TABLE_BYTES_INIT;
	_cleanup_(table_bytes_clear) struct table_bytes new = TABLE_BYTES_INIT;
	_cleanup_(table_clear) struct partition_table now = { 0 };
	int r;

	r = load(device, &old, TABLE_IMAGE_END, reterr);
	if (r == 0 && old.fd < 0)
		r = error_set(reterr, ENOSPC, "%s is too small for partitions.", device->name);
	if (r == 0)
		r = table_bytes_parse(&old, &now, reterr);
	if (r < 0 || table_equal(&now, after))
		return r;
	r = check_before(device, &now, before, reterr);
	if (r == 0)
		r = table_bytes_copy(&new, &old, reterr);
	if (r == 0)
		r = table_bytes_edit(&new, &now, after, reterr);
	if (r == 0)
		r = check_after(device, &new, after, reterr);
	return r < 0 ? r : store(device, &old, &new, &now, after, reterr);
}
