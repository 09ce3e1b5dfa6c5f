/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a device free for what a step is about to do to it? */
#include "exec/kernel-holders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAX_DEVICES "/sys/bus/dax/devices"
#define OWN_NAP_MS 5
#define OWN_PATIENCE_MS 10000

static int busy(const char *name, const struct holder_list *list, struct error *reterr)
{
	char text[512] = "";
	size_t used = 0;

	if (list->n == 0)
		return 0;
	for (size_t i = 0; i < list->n && i < 4; i++) {
		const struct holder *holder = &list->holders[i];
		size_t left = sizeof(text) - used;
		int n;

		if (holder->kind == HOLDER_PROCESS)
			n = snprintf(text + used, left, "%s%.100s (pid %d%s)", i ? ", " : "",
				     holder->name, holder->pid,
				     holder->mapped ? ", mapped" : "");
		else
			n = snprintf(text + used, left, "%s%s %.100s%s%.100s%s", i ? ", " : "",
				     holder_kind_word(holder->kind), holder->name,
				     holder->mapping ? " (" : "", holder->mapping ?: "",
				     holder->mapping ? ")" : "");
		used += (size_t)n < left ? (size_t)n : left - 1;
	}
	(void)error_set(reterr, EBUSY, "%s is in use: %s%s.", name, text,
			list->n > 4 ? " and others" : "");
	return error_hint(reterr, "Stop or unmount what uses it first.");
}

static void drop_open(struct holder_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->holders[i].mapped)
			list->holders[kept++] = list->holders[i];
		else
			holder_clear(&list->holders[i]);
	}
	list->n = kept;
}

static bool none_held(const struct targets *targets)
{
	for (size_t i = 0; i < targets->n; i++)
		if (targets->targets[i].list->n)
			return false;
	return true;
}

/* The same for who is about to change something: past scans that are under way. */
static int read_targets_alone(struct targets *targets, struct error *reterr)
{
	const struct timespec nap = { .tv_nsec = OWN_NAP_MS * 1000000L };
	int r = targets_read(targets, true, reterr);

	for (int ms = 0; r == 0 && targets->own && none_held(targets); ms += OWN_NAP_MS) {
		if (ms > OWN_PATIENCE_MS)
			return error_set(reterr, EBUSY, "Another daxd-worker has been looking at "
					 "%s for %d s.", targets->targets[0].name,
					 OWN_PATIENCE_MS / 1000);
		targets->own = false;
		(void)nanosleep(&nap, NULL); /* sooner than asked for is as good */
		r = targets_read(targets, true, reterr);
	}
	return r;
}

int kernel_check_device_free(const char *device, bool ignore_open, struct error *reterr)
{
	_cleanup_(holder_list_clear) struct holder_list list = { 0 };
	_cleanup_(targets_clear) struct targets targets = { 0 };
	int r;

	if (targets_nothing_open())
		return 0;
	if (targets_add_dax(&targets, device, &list) < 0)
		return error_oom(reterr);
	r = read_targets_alone(&targets, reterr);
	if (r < 0)
		return r;
	if (ignore_open)
		drop_open(&list);
	return busy(device, &list, reterr);
}

int kernel_check_blockdev_free(const char *blockdev, struct error *reterr)
{
	_cleanup_(holder_list_clear) struct holder_list list = { 0 };
	_cleanup_(targets_clear) struct targets targets = { 0 };
	int r;

	if (targets_add_blockdev(&targets, blockdev, NULL, &list) < 0)
		return error_oom(reterr);
	r = read_targets_alone(&targets, reterr);
	return r < 0 ? r : busy(blockdev, &list, reterr);
}

int kernel_pin_blockdev(const char *blockdev, int *ret, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 8];

	(void)snprintf(path, sizeof(path), "/dev/%s", blockdev);
	*ret = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NOFOLLOW);
	if (*ret >= 0 || errno == ENOENT || errno == ENXIO)
		return 0; /* without a node nobody can use it */
	if (errno != EBUSY)
		return error_set(reterr, errno, "Cannot open %s: %s.", path, strerror(errno));
	(void)error_set(reterr, EBUSY, "%s is in use, and nothing that can be seen tells by whom.",
			blockdev);
	return error_hint(reterr, "It may be mounted in a container, or have been unmounted "
			  "(umount -l) while files on it were open.");
}

int kernel_check_window_free(const char *device, const char *window, struct range extent,
			     struct error *reterr)
{
	_cleanup_(holder_list_clear) struct holder_list list = { 0 };
	_cleanup_(targets_clear) struct targets targets = { 0 };
	char name[SYSFS_NAME_MAX + 64];
	int r;

	if (targets_nothing_open())
		return 0;
	if (targets_add_dax(&targets, device, &list) < 0)
		return error_oom(reterr);
	if (targets.n)
		targets.targets[0].extent = extent;
	r = read_targets_alone(&targets, reterr);
	(void)snprintf(name, sizeof(name), "Window %.40s of %s", window ?: "without a name", device);
	return r < 0 ? r : busy(name, &list, reterr);
}

/* All devices of the bus without a driver, each with a list of its own. */
static int add_driverless(struct targets *targets)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, DAX_DEVICES);
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		char path[SYSFS_NAME_MAX + 16];

		(void)snprintf(path, sizeof(path), "%s/driver", entry->d_name);
		if (kernel_is_device_name(entry->d_name) &&
		    faccessat(dirfd(dir), path, F_OK, 0) < 0 &&
		    targets_add_dax(targets, entry->d_name, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kernel_check_driverless_free(struct error *reterr)
{
	_cleanup_(targets_clear) struct targets targets = { 0 };
	struct holder_list *lists;
	int r;

	if (targets_nothing_open())
		return 0;
	if (add_driverless(&targets) < 0)
		return error_oom(reterr);
	lists = calloc(targets.n ? targets.n : 1, sizeof(*lists));
	if (!lists)
		return error_oom(reterr);
	for (size_t i = 0; i < targets.n; i++)
		targets.targets[i].list = &lists[i];
	r = read_targets_alone(&targets, reterr);
	for (size_t i = 0; r == 0 && i < targets.n; i++)
		r = busy(targets.targets[i].name, &lists[i], reterr);
	if (r == -EBUSY)
		(void)error_hint(reterr, "It was open when its driver was taken away; to bind it, or "
				 "any other device, now would break it for good.");
	for (size_t i = 0; i < targets.n; i++)
		holder_list_clear(&lists[i]);
	free(lists);
	return r;
}
