/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where hmem regions start, kept until the next boot.  No file of sysfs says it while every
 * device has a size, and /proc/iomem has no soft-reserved ranges any more (7.2, 7.3).  But as
 * long as nobody has changed what the kernel made at boot it can be seen: who sees it notes it.
 */
#include "exec/kernel.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define REGIONS RUN_FOLDER "/regions"
#define NOTE_MAX 64

static void note_path(const struct region *region, char *path, size_t size)
{
	int n = snprintf(path, size, REGIONS "/%s", region->path + 1);

	for (size_t i = strlen(REGIONS "/"); n > 0 && i < size && path[i]; i++)
		if (path[i] == '/')
			path[i] = '!';
}

static bool read_note(const struct region *region, struct range *ret)
{
	struct error error = ERROR_INIT;
	_cleanup_(freep) char *text = NULL;
	char path[PATH_MAX];
	size_t length;
	bool good;

	note_path(region, path, sizeof(path));
	good = file_read(path, NOTE_MAX, &text, &length, &error) == 0 &&
	       sscanf(text, "%" SCNx64 " %" SCNx64, &ret->start, &ret->size) == 2;
	error_clear(&error);
	return good;
}

void kernel_note_region(const struct region *region)
{
	struct error error = ERROR_INIT;
	char path[PATH_MAX], text[NOTE_MAX];
	struct range noted;
	int n;

	if (read_note(region, &noted) && noted.start == region->range.start &&
	    noted.size == region->range.size)
		return;
	note_path(region, path, sizeof(path));
	n = snprintf(text, sizeof(text), "%#" PRIx64 " %#" PRIx64 "\n", region->range.start,
		     region->range.size);
	/* Without the note a later scan knows less, which is no reason to fail this one. */
	if (file_make_folders(REGIONS, &error) == 0)
		(void)file_replace(path, text, (size_t)n, &error);
	error_clear(&error);
}

bool kernel_recall_region(struct region *region, uint64_t address)
{
	struct range noted;

	if (!read_note(region, &noted) || noted.size != region->range.size ||
	    address < noted.start || address - noted.start >= noted.size)
		return false;
	region->range.start = noted.start;
	return true;
}
