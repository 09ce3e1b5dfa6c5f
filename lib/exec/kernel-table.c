/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-table.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exec/table-image.h"

#define SECTOR 512

static int read_disk(void *userdata, uint64_t offset, void *to, size_t n)
{
	ssize_t done = pread(*(const int *)userdata, to, n, (off_t)offset);

	return done == (ssize_t)n ? 0 : done < 0 ? -errno : -EIO;
}

static int write_disk(void *userdata, uint64_t offset, const void *from, size_t n)
{
	int fd = *(const int *)userdata;
	ssize_t done = pwrite(fd, from, n, (off_t)offset);

	if (done != (ssize_t)n)
		return done < 0 ? -errno : -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

static int describe(int *fd, const char *name, unsigned int sector, struct table_device *ret,
		    struct error *reterr)
{
	off_t end = lseek(*fd, 0, SEEK_END);
	int size = SECTOR;

	if (end < 0)
		return error_set(reterr, errno, "Cannot tell how long %s is: %s.", name,
				 strerror(errno));
	if (!sector && ioctl(*fd, BLKSSZGET, &size) < 0)
		size = SECTOR; /* it is a file */
	*ret = (struct table_device){ .name = name, .size = (uint64_t)end, .userdata = fd,
				      .sector_size = sector ? sector : (unsigned int)size,
				      .read = read_disk, .write = write_disk };
	return 0;
}

int kernel_read_table(int fd, const char *name, unsigned int sector, struct partition_table *ret,
		      struct error *reterr)
{
	struct table_device device;
	int r = describe(&fd, name, sector, &device, reterr);

	return r < 0 ? r : table_image_read(&device, ret, reterr);
}

int kernel_write_table(int fd, const char *name, unsigned int sector,
		       const struct partition_table *before, const struct partition_table *after,
		       struct error *reterr)
{
	struct table_device device;
	int r = describe(&fd, name, sector, &device, reterr);

	return r < 0 ? r : table_image_write(&device, before, after, reterr);
}
