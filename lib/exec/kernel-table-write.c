/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "exec/kernel-fdisk-library.h"
#include "exec/kernel-table.h"

/* Blocks at either end that a GPT of 128 entries has: two (one) for headers, the rest entries. */
#define HEAD_BLOCKS 34
#define TAIL_BLOCKS 33
#define BLOCK_MAX 4096

static void context_freep(struct fdisk_context **cxt)
{
	if (*cxt)
		fdisk_unref_context(*cxt);
}

static void partition_freep(struct fdisk_partition **partition)
{
	if (*partition)
		fdisk_unref_partition(*partition);
}

static int refused(const char *name, const char *what, int code, struct error *reterr)
{
	return error_set(reterr, -code, "Cannot %s the partition table of %s: %s.", what, name,
			 strerror(-code));
}

/* What of an entry differs; NULL members of the partition are left as they are. */
static int describe(struct fdisk_context *cxt, const struct table_entry *entry, uint64_t sector,
		    struct fdisk_partition *partition)
{
	struct fdisk_parttype *type =
		fdisk_label_parse_parttype(fdisk_get_label(cxt, "gpt"), entry->type.text);
	int r = type ? 0 : -EINVAL;

	if (r == 0)
		r = fdisk_partition_set_type(partition, type);
	if (type)
		fdisk_unref_parttype(type);
	if (r == 0)
		r = fdisk_partition_set_partno(partition, entry->number - 1);
	if (r == 0)
		r = fdisk_partition_set_start(partition, entry->extent.start / sector);
	if (r == 0)
		r = fdisk_partition_set_size(partition, entry->extent.size / sector);
	if (r == 0)
		r = fdisk_partition_size_explicit(partition, 1);
	if (r == 0)
		r = fdisk_partition_set_uuid(partition, entry->uuid.text);
	if (r == 0)
		r = fdisk_partition_set_name(partition, entry->name ? entry->name : "");
	return r;
}

static int write_entry(struct fdisk_context *cxt, const struct table_entry *entry,
		       uint64_t sector, bool is_there)
{
	_cleanup_(partition_freep) struct fdisk_partition *partition = fdisk_new_partition();
	int r = partition ? describe(cxt, entry, sector, partition) : -ENOMEM;

	if (r == 0 && is_there)
		r = fdisk_set_partition(cxt, entry->number - 1, partition);
	else if (r == 0)
		r = fdisk_add_partition(cxt, partition, NULL);
	return r;
}

/* Space is given up before it is asked for. */
static int change_entries(struct fdisk_context *cxt, uint64_t sector,
			  const struct partition_table *before,
			  const struct partition_table *after)
{
	bool all_new = !table_has_entries(before);
	int r = 0;

	for (size_t i = 0; r == 0 && !all_new && i < before->n_entries; i++) {
		const struct table_entry *had = &before->entries[i];
		const struct table_entry *wanted = table_find(after, had->number);

		if (!wanted || wanted->extent.start != had->extent.start ||
		    wanted->extent.size < had->extent.size)
			r = fdisk_delete_partition(cxt, had->number - 1);
	}
	for (size_t i = 0; r == 0 && i < after->n_entries; i++) {
		const struct table_entry *entry = &after->entries[i];
		const struct table_entry *had = all_new ? NULL : table_find(before, entry->number);

		if (had && table_entry_equal(had, entry))
			continue;
		r = write_entry(cxt, entry, sector,
				had && had->extent.start == entry->extent.start &&
					had->extent.size <= entry->extent.size);
	}
	return r;
}

static int open_context(int fd, const char *name, unsigned int sector,
			struct fdisk_context **ret, struct error *reterr)
{
	_cleanup_(context_freep) struct fdisk_context *cxt = fdisk_new_context();
	int r;

	if (!cxt)
		return error_oom(reterr);
	r = fdisk_disable_dialogs(cxt, 1);
	if (r == 0 && sector)
		r = fdisk_save_user_sector_size(cxt, sector, sector);
	if (r == 0)
		r = fdisk_assign_device_by_fd(cxt, fd, name, 0);
	if (r < 0)
		return refused(name, "open", r, reterr);
	*ret = TAKE(cxt);
	return 0;
}

static int write_gpt(int fd, const char *name, unsigned int sector,
		     const struct partition_table *before, const struct partition_table *after,
		     bool wipe, struct error *reterr)
{
	_cleanup_(context_freep) struct fdisk_context *cxt = NULL;
	uint64_t block = after->sector_size ? after->sector_size : before->sector_size;
	int r = open_context(fd, name, sector, &cxt, reterr);

	if (r < 0)
		return r;
	if (!table_has_entries(before)) {
		r = fdisk_enable_wipe(cxt, wipe);
		if (r == 0)
			r = fdisk_create_disklabel(cxt, "gpt");
		if (r == 0)
			r = fdisk_set_disklabel_id_from_string(cxt, after->guid.text);
	}
	if (r == 0)
		r = change_entries(cxt, block ? block : 512, before, after);
	if (r == 0)
		r = fdisk_write_disklabel(cxt);
	(void)fdisk_deassign_device(cxt, 1); /* it is synced below, alone */
	return r < 0 ? refused(name, "write", r, reterr) : 0;
}

static int zero(int fd, off_t at, size_t size)
{
	_cleanup_(freep) char *zeros = calloc(1, size);
	ssize_t n = zeros ? pwrite(fd, zeros, size, at) : -1;

	if (!zeros)
		return -ENOMEM;
	return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

/* The copy at the end last: whatever happens in between, one of them can be read. */
static int erase_gpt(int fd, const char *name, uint64_t block, struct error *reterr)
{
	off_t end = lseek(fd, 0, SEEK_END);
	int r = end < 0 ? -errno : 0;

	if (block == 0 || block > BLOCK_MAX)
		block = 512;
	if (r == 0)
		r = zero(fd, 0, HEAD_BLOCKS * block);
	if (r == 0)
		r = zero(fd, end - (off_t)(TAIL_BLOCKS * block), TAIL_BLOCKS * block);
	return r < 0 ? refused(name, "erase", r, reterr) : 0;
}

int kernel_write_table(int fd, const char *name, unsigned int sector,
		       const struct partition_table *before, const struct partition_table *after,
		       bool wipe, struct error *reterr)
{
	int r;

	r = fdisk_library_load(reterr);
	if (r == 0 && after->kind == TABLE_GPT)
		r = write_gpt(fd, name, sector, before, after, wipe, reterr);
	else if (r == 0)
		r = erase_gpt(fd, name, before->sector_size, reterr);
	if (r == 0 && fsync(fd) < 0)
		return refused(name, "write", -errno, reterr);
	return r;
}
