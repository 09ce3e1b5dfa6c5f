/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "node.h"

#define UDEV_DATA "/run/udev/data"
#define RECORD_MAX (64u << 10)

static struct part part_of(const struct disk *disk, unsigned int number)
{
	const struct native *native = disk_find_native(disk, number);
	const struct disk_map *map = disk_find_map(disk, number);

	return (struct part){
		.number = number,
		.extent = map ? map->extent : native ? native->extent : (struct range){ 0 },
		.entry = table_find(&disk->table, number),
		.native = native,
		.map = map,
	};
}

bool part_next(const struct disk *disk, size_t *at, struct part *ret)
{
	const size_t n = disk->table.n_entries, kernels = n + disk->n_natives;

	while (*at < kernels + disk->n_maps) {
		size_t i = (*at)++;

		if (i < n) {
			*ret = part_of(disk, disk->table.entries[i].number);
			ret->entry = &disk->table.entries[i]; /* others may have its number */
			ret->extent = ret->entry->extent;
			return true;
		}
		*ret = part_of(disk, i < kernels ? disk->natives[i - n].number :
						   disk->maps[i - kernels].number);
		if (!ret->entry && (i < kernels || !ret->native))
			return true;
	}
	return false;
}

const struct holder *part_holder(const struct part *part, size_t i)
{
	size_t ours = part->map ? part->map->holders.n : 0;

	if (i < ours)
		return &part->map->holders.holders[i];
	i -= ours;
	return part->native && i < part->native->holders.n ? &part->native->holders.holders[i] :
							     NULL;
}

struct part_name part_name(const struct namespace *ns, unsigned int number)
{
	struct part_name name;

	(void)snprintf(name.text, sizeof(name.text), "%.64s%s%u", ns->blockdev,
		       disk_infix(ns->blockdev), number);
	return name;
}

char *part_content(const struct namespace *ns, unsigned int number)
{
	static const char key[] = "\nE:ID_FS_TYPE=";
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *text = NULL;
	char path[128];
	const char *found;
	struct stat st;
	size_t length;

	(void)snprintf(path, sizeof(path), "/dev/%s", part_name(ns, number).text);
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return NULL;
	(void)snprintf(path, sizeof(path), UDEV_DATA "/b%u:%u", major(st.st_rdev),
		       minor(st.st_rdev));
	if (file_read(path, RECORD_MAX, &text, &length, &error) < 0)
		return NULL;
	found = strstr(text, key);
	return found ? strndup(found + strlen(key), strcspn(found + strlen(key), "\n")) : NULL;
}

static bool is_called(const struct namespace *ns, const struct part *part, const char *name)
{
	const struct access no_link = { 0 };
	struct part_name own = part_name(ns, part->number);

	return strcmp(own.text, name) == 0 || node_is(name, own.text, &no_link);
}

const struct volume_view *part_find(const struct volumes *volumes, const char *name,
				    struct part *ret)
{
	for (size_t i = 0; i < volumes->n; i++) {
		const struct namespace *ns = volumes->views[i].ns;
		size_t at = 0;

		while (ns && ns->disk && part_next(ns->disk, &at, ret))
			if (is_called(ns, ret, name))
				return &volumes->views[i];
	}
	return NULL;
}
