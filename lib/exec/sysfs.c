/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

int sysfs_open(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

DIR *sysfs_open_dir(int at, const char *path)
{
	int fd = sysfs_open(at, path);
	DIR *dir;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (!dir)
		(void)close(fd); /* only to give it back: the errno of fdopendir() counts */
	return dir;
}

const struct dirent *sysfs_next(DIR *dir)
{
	const struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && entry->d_name[0] == '.');
	return entry;
}

void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* nothing can be done at scope exit */
}

int sysfs_read(int at, const char *attribute, char *buffer, size_t size)
{
	_cleanup_(closep) int fd = openat(at, attribute, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buffer, size - 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	while (n > 0 && buffer[n - 1] == '\n')
		n--;
	buffer[n] = 0;
	return (int)n;
}

static int parse_number(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (strchr("0123456789abcdefABCDEF", text[0]) == NULL || text[0] == 0)
		return -EINVAL; /* strtoull() would take signs and spaces */
	errno = 0;
	*ret = strtoull(text, &end, base);
	if (errno)
		return -errno;
	return *end ? -EINVAL : 0;
}

static int read_number(int at, const char *attribute, int base, uint64_t *ret)
{
	char text[64];
	int r;

	r = sysfs_read(at, attribute, text, sizeof(text));
	return r < 0 ? r : parse_number(text, base, ret);
}

int sysfs_read_u64(int at, const char *attribute, uint64_t *ret)
{
	return read_number(at, attribute, 0, ret);
}

int sysfs_read_hex(int at, const char *attribute, uint64_t *ret)
{
	return read_number(at, attribute, 16, ret);
}

int sysfs_read_int(int at, const char *attribute, int *ret)
{
	char text[64];
	uint64_t value;
	bool negative;
	int r;

	r = sysfs_read(at, attribute, text, sizeof(text));
	if (r < 0)
		return r;
	negative = text[0] == '-';
	r = parse_number(text + negative, 10, &value);
	if (r < 0)
		return r;
	if (value > INT_MAX)
		return -ERANGE;
	*ret = negative ? -(int)value : (int)value;
	return 0;
}

int sysfs_read_text(int at, const char *attribute, char **ret)
{
	char text[SYSFS_VALUE_MAX];
	char *copy;
	int r;

	r = sysfs_read(at, attribute, text, sizeof(text));
	if (r < 0)
		return r;
	if (r == 0) {
		*ret = NULL;
		return 0;
	}
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int sysfs_read_link(int at, const char *link, char *buffer, size_t size)
{
	char target[PATH_MAX];
	const char *last;
	ssize_t n;

	n = readlinkat(at, link, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	(void)memcpy(buffer, last, strlen(last) + 1);
	return 0;
}

int sysfs_write(int at, const char *attribute, const char *value)
{
	_cleanup_(closep) int fd = openat(at, attribute, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	/* Not again after EINTR: a store may have had its effect. */
	n = write(fd, value, length);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

int sysfs_name_number(const char *name, const char *prefix, uint64_t *ret)
{
	size_t length = strlen(prefix);

	if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9')
		return -EINVAL;
	return parse_number(name + length, 10, ret);
}
