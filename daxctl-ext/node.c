/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEV "/dev/"

static bool same_number(const char *path, const char *device)
{
	struct stat a, b;
	char own[256];

	(void)snprintf(own, sizeof(own), DEV "%s", device);
	return stat(path, &a) == 0 && (S_ISCHR(a.st_mode) || S_ISBLK(a.st_mode)) &&
	       stat(own, &b) == 0 && (a.st_mode & S_IFMT) == (b.st_mode & S_IFMT) &&
	       a.st_rdev == b.st_rdev;
}

bool node_is(const char *path, const char *device, const struct access *node)
{
	if (strncmp(path, DEV, strlen(DEV)) == 0 && strcmp(path + strlen(DEV), device) == 0)
		return true;
	if (!strchr(path, '/'))
		return false;
	return (node->link && strcmp(node->link, path) == 0) || same_number(path, device);
}
