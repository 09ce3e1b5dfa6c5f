/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of a disk, and who makes block devices of it. */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exec/kernel-table.h"

#define STAMP_MAX 64
#define PARTITIONS_STAMP "DAXD_PARTITIONS_STAMP"

static int check_table(int fd, const char *name, const struct step *step, struct error *reterr)
{
	struct partition_table have = { 0 };
	bool same;
	int r = kernel_read_table(fd, name, 0, &have, reterr);

	if (r < 0)
		return r;
	same = table_equal(&have, &step->before_table);
	table_clear(&have);
	if (same)
		return 0;
	(void)error_set(reterr, ESTALE, "The table of %s is not the one that was planned for.",
			name);
	return error_hint(reterr, "Somebody has changed it meanwhile; plan again.");
}

static bool is_written(int fd, const char *name, const struct step *step)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct partition_table have = { 0 };
	bool same;

	if (kernel_read_table(fd, name, 0, &have, &error) < 0)
		return false;
	same = table_equal(&have, &step->after_table);
	table_clear(&have);
	return same;
}

static int write_table(const struct kernel_disk *disk, const struct step *step,
		       struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 8];
	/* What has none may be in use as a whole, by whoever would then have it alone. */
	int alone = step->before_table.kind == TABLE_NONE ? O_EXCL : 0;
	_cleanup_(closep) int fd = -1;
	int r;

	(void)snprintf(path, sizeof(path), "/dev/%s", disk->name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | alone);
	if (fd < 0 && errno == EBUSY)
		return error_set(reterr, EBUSY, "%s is in use as a whole: it gets no partition table.",
				 path);
	if (fd < 0)
		return error_set(reterr, errno, "Cannot open %s: %s.", path, strerror(errno));
	if (is_written(fd, disk->name, step))
		return 0;
	r = check_table(fd, disk->name, step, reterr);
	if (r < 0)
		return r;
	return kernel_write_table(fd, disk->name, 0, &step->before_table, &step->after_table,
				  reterr);
}

int kernel_write_partitions(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk disk = KERNEL_DISK_INIT;
	int r = kernel_find_disk(step, &disk, reterr);

	return r < 0 ? r : write_table(&disk, step, reterr);
}

int kernel_verify_table(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk disk = KERNEL_DISK_INIT;
	int r = kernel_find_disk(step, &disk, reterr);

	if (r < 0)
		return r;
	if (is_written(disk.node, disk.name, step))
		return 0;
	return error_set(reterr, EIO, "The table of %s is not the one that was written.", disk.name);
}

static int write_policy(const struct kernel_disk *disk, const struct step *step,
			char stamp[STAMP_MAX], struct error *reterr)
{
	char file[KERNEL_FILE_MAX], text[KERNEL_TEXT_MAX];
	int r;

	kernel_partitions_file(&disk->uuid, file);
	if (step->policy == PARTITIONING_KERNEL) {
		if (unlink(file) < 0 && errno != ENOENT)
			return error_set(reterr, errno, "Cannot remove %s: %s.", file,
					 strerror(errno));
		return 0;
	}
	r = kernel_make_stamp(stamp, STAMP_MAX, reterr);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text),
		       KERNEL_PARTITIONS "=%s\n" KERNEL_PARTITIONS_MANAGED "=%d\n"
		       PARTITIONS_STAMP "=%s\n",
		       partitioning_word(step->policy), step->managed, stamp);
	r = file_make_folders(KERNEL_PROPERTIES, reterr);
	return r < 0 ? r : file_replace(file, text, strlen(text), reterr);
}

int kernel_set_partitioning(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk disk = KERNEL_DISK_INIT;
	struct udev_trigger trigger = { .property = PARTITIONS_STAMP, .error = reterr };
	char stamp[STAMP_MAX] = "";
	int r;

	r = kernel_check_udev(reterr);
	if (r == 0)
		r = kernel_find_disk(step, &disk, reterr);
	if (r == 0)
		r = write_policy(&disk, step, stamp, reterr);
	if (r < 0)
		return r;
	trigger.fd = disk.sysfs;
	trigger.name = disk.name;
	trigger.dev = disk.dev;
	trigger.stamp = stamp[0] ? stamp : NULL;
	kernel_trigger_udev(&trigger, 1);
	return -reterr->code;
}

int kernel_verify_partitioning(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk disk = KERNEL_DISK_INIT;
	enum partitioning policy;
	bool managed;
	int r = kernel_find_disk(step, &disk, reterr);

	if (r < 0)
		return r;
	kernel_read_partitioning(&disk.uuid, &policy, &managed);
	if (policy == step->policy && managed == step->managed)
		return 0;
	return error_set(reterr, EIO, "The policy for partitions of %s is not the one that was set.",
			 disk.name);
}
