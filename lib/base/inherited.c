/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/inherited.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#define PATH_SIZE 256 /* what is longer is none of these */

/* As kernel-holders.c knows them: by name, below any folder. */
static bool is_device(int folder, const char *link)
{
	char path[PATH_SIZE];
	const char *name;
	struct stat st;
	ssize_t n = readlinkat(folder, link, path, sizeof(path) - 1);

	if (n < 0)
		return false;
	path[n] = 0;
	name = strrchr(path, '/');
	return name && (strncmp(name, "/dax", 4) == 0 || strncmp(name, "/pmem", 5) == 0) &&
	       fstatat(folder, link, &st, 0) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

void inherited_close_devices(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		long fd = strtol(entry->d_name, NULL, 10); /* "." is 0 */

		if (fd > STDERR_FILENO && is_device(dirfd(dir), entry->d_name))
			(void)close((int)fd); /* it was not written to by us */
	}
	if (dir)
		(void)closedir(dir); /* it was only read */
}
