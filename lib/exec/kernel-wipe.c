/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wiping a namespace through its raw block device: info blocks, which would make of it what an
 * earlier one was, and where a partition table will come, what might be taken for one.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/geometry.h"
#include "exec/table-image.h"

#define INFO_BLOCK_SIZE 4096
#define INFO_BLOCK_OFFSET 4096

/* The raw block device of a namespace. */
struct raw {
	int fd;
	char path[SYSFS_NAME_MAX + 16];
};

#define RAW_INIT { .fd = -1 }

static void raw_close(struct raw *raw)
{
	closep(&raw->fd);
}

static bool is_info_block(const char *block)
{
	static const char *const signatures[] = { "NVDIMM_PFN_INFO", "NVDIMM_DAX_INFO",
						  "BTT_ARENA_INFO" };

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (memcmp(block, signatures[i], strlen(signatures[i])) == 0)
			return true;
	return false;
}

/* pfn and dax keep theirs at 4 KiB; btt at 4 KiB or, since version 2, at the start. */
static int wipe_info(const struct raw *raw, struct error *reterr)
{
	char block[INFO_BLOCK_SIZE];

	for (off_t at = 0; at <= INFO_BLOCK_OFFSET; at += INFO_BLOCK_SIZE) {
		if (pread(raw->fd, block, sizeof(block), at) != (ssize_t)sizeof(block))
			return error_set(reterr, EIO, "Cannot read the info block of %s.",
					 raw->path);
		if (!is_info_block(block))
			continue;
		memset(block, 0, sizeof(block));
		if (pwrite(raw->fd, block, sizeof(block), at) != (ssize_t)sizeof(block))
			return error_set(reterr, EIO, "Cannot wipe the info block of %s.",
					 raw->path);
	}
	return 0;
}

/* Where in the namespace its data will be. */
static int find_data(int region_fd, const char *name, const struct step *step, struct range *ret,
		     struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 16];
	struct range whole = { 0 };
	int r;

	(void)snprintf(path, sizeof(path), "%s/resource", name);
	r = sysfs_read_u64(region_fd, path, &whole.start);
	(void)snprintf(path, sizeof(path), "%s/size", name);
	if (r == 0)
		r = sysfs_read_u64(region_fd, path, &whole.size);
	if (r < 0)
		return kernel_unreadable(reterr, name, path + strlen(name) + 1, -r);
	*ret = namespace_data(whole, step->align, step->map);
	ret->start -= whole.start;
	return 0;
}

/* Both ends of the data, as far as anybody looks for a table or a signature there. */
static int wipe_ends(const struct raw *raw, struct range data, struct error *reterr)
{
	_cleanup_(freep) char *zeros = calloc(1, TABLE_IMAGE_END);
	const ssize_t n = (ssize_t)TABLE_IMAGE_END;

	if (!zeros)
		return error_oom(reterr);
	if (data.size < TABLE_IMAGE_END)
		return 0; /* too small for a table; the planner has said so */
	if (pwrite(raw->fd, zeros, (size_t)n, (off_t)data.start) != n ||
	    pwrite(raw->fd, zeros, (size_t)n, (off_t)range_end(data) - n) != n)
		return error_set(reterr, EIO, "Cannot wipe the ends of %s.", raw->path);
	return 0;
}

static int open_raw(int region_fd, const char *name, struct raw *ret, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 16];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "%s/block", name);
	dir = sysfs_open_dir(region_fd, path);
	entry = dir ? sysfs_next(dir) : NULL;
	if (!entry)
		return error_set(reterr, ENXIO, "%s has no block device to wipe it through.",
				 name);
	(void)snprintf(ret->path, sizeof(ret->path), "/dev/%s", entry->d_name);
	ret->fd = open(ret->path, O_RDWR | O_EXCL | O_CLOEXEC | O_SYNC);
	return ret->fd < 0 ? error_set(reterr, errno, "Cannot open %s alone: %s.", ret->path,
				       strerror(errno)) : 0;
}

int kernel_wipe_namespace(int region_fd, const char *name, const struct step *step,
			  struct error *reterr)
{
	_cleanup_(raw_close) struct raw raw = RAW_INIT;
	struct range data;
	int r = open_raw(region_fd, name, &raw, reterr);

	if (r == 0)
		r = wipe_info(&raw, reterr);
	if (r == 0 && step->fresh) {
		r = find_data(region_fd, name, step, &data, reterr);
		if (r == 0)
			r = wipe_ends(&raw, data, reterr);
	}
	if (r == 0 && fsync(raw.fd) < 0)
		r = error_set(reterr, errno, "Cannot write to %s: %s.", raw.path, strerror(errno));
	return r;
}
