/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of properties for each map that is about to be made, which udev's rules import in the
 * first event of the map.  The files are there until udev has been through these events: what is
 * on a map later, udev sees for itself.
 *
 * Partitions hold what their users have written, and libblkid goes by it: how much it reads, say.
 * So a child looks, with limits of its own.  If it does not come to an end, some maps have no file.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "exec/kernel-blkid-library.h"
#include "exec/kernel-dm.h"
#include "exec/map-properties.h"

#define PATH_SIZE (sizeof(RUN_MAPS) + DM_UUID_MAX)
/* Of the child, which needs a small part of both. */
#define MEMORY_MAX (UINT64_C(128) << 20)
#define SECONDS_MAX 10

static void describe(const struct map_properties *properties, const struct kernel_disk *disk,
		     const struct step *step)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *text =
		map_properties_describe(properties, step->number, step->extent);
	char uuid[DM_UUID_MAX], file[PATH_SIZE];

	if (!text)
		return;
	dm_map_uuid(&disk->uuid, step->number, uuid);
	(void)snprintf(file, sizeof(file), RUN_MAPS "/%s", uuid);
	(void)file_replace(file, text, strlen(text), &error); /* else there is none */
}

/*
 * What is written to a partition or a map goes past the pages that the kernel keeps of the disk,
 * and it keeps them as long as there is a map.  What is kept of it now may be old, and what is read
 * here would be later.
 */
static void drop_pages(const struct kernel_disk *disk)
{
	(void)posix_fadvise(disk->node, 0, 0, POSIX_FADV_DONTNEED); /* it is a valid one */
}

static void describe_all(const struct kernel_disk *disk, const struct step_group *group,
			 size_t first)
{
	_cleanup_(map_properties_freep) struct map_properties *properties = NULL;
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	if (map_properties_new(disk->node, disk->dev, &properties, &error) < 0)
		return;
	drop_pages(disk);
	for (size_t i = first; i < group->n; i++)
		if (kernel_disk_has(disk, group->steps[i]))
			describe(properties, disk, group->steps[i]);
	drop_pages(disk);
}

static bool limit_child(pid_t worker)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	(void)alarm(SECONDS_MAX);
	/* It has the worker's lock, which must not outlive the worker. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == worker &&
	       setrlimit(RLIMIT_AS, &memory) == 0;
}

void kernel_describe_maps(const struct kernel_disk *disk, const struct step_group *group,
			  size_t first)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	pid_t worker = getpid(), child;

	/* Loaded here, it is so for the next child, too. */
	if (blkid_library_load(&error) < 0 || file_make_folders(RUN_MAPS, &error) < 0)
		return;
	child = fork();
	if (child == 0) {
		if (limit_child(worker))
			describe_all(disk, group, first);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}

void kernel_forget_maps(void)
{
	_cleanup_(closedirp) DIR *dir = opendir(RUN_MAPS);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), entry->d_name, 0); /* nobody else removes it */
}
