/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who keeps devices in use.  All questions are answered by one pass over /proc: a list of
 * targets, each with the list that its holders go to.  The pass over processes is left out
 * when there are only dax devices and the module that serves them has no open files.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define MAPS_BUFFER 16384
#define SETTLE_MS 500
#define SETTLE_NAP_MS 20

struct target {
	char name[SYSFS_NAME_MAX]; /* dax1.0, pmem1, pmem1p1, dm-0 */
	dev_t dev;		   /* of block devices */
	bool block;
	struct holder_list *list;
	struct holder_list *own; /* of a partition: its alone, NULL: none; list is the disk's */
};

struct targets {
	struct target *targets;
	size_t n;
};

static void targets_clear(struct targets *targets)
{
	free(targets->targets);
	*targets = (struct targets){ 0 };
}

static int add_target(struct targets *targets, const char *name, bool block, dev_t dev,
		      struct holder_list *list, struct holder_list *own)
{
	struct target *target = ARRAY_APPEND(targets->targets, targets->n);

	if (!target)
		return -ENOMEM;
	(void)snprintf(target->name, sizeof(target->name), "%s", name);
	target->block = block;
	target->dev = dev;
	target->list = list;
	target->own = own;
	targets->n++;
	return 0;
}

static int hold(const struct target *target, enum holder_kind kind, const char *name, int pid)
{
	int r = holder_list_add(target->list, kind, name, pid);

	return r < 0 || !target->own ? r : holder_list_add(target->own, kind, name, pid);
}

static int add_blockdev_at(struct targets *targets, int fd, const char *attribute,
			   const char *name, struct holder_list *list, struct holder_list *own)
{
	dev_t dev;

	if (kernel_read_dev(fd, attribute, &dev) < 0)
		return 0; /* it went away meanwhile */
	return add_target(targets, name, true, dev, list, own);
}

/* A map of ours holds the disk for as long as somebody holds the map. */
static int add_map(struct targets *targets, const char *dm, unsigned int number,
		   const struct disk *disk, struct holder_list *list)
{
	struct disk_map *map = disk_find_map(disk, number);
	char path[SYSFS_NAME_MAX + 32];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/holders", dm);
	dir = sysfs_open_dir(AT_FDCWD, path);
	if (!map || !dir)
		return 0; /* it went away meanwhile, or came */
	while ((entry = sysfs_next(dir)))
		if (holder_list_add(list, HOLDER_BLOCK, entry->d_name, 0) < 0 ||
		    holder_list_add(&map->holders, HOLDER_BLOCK, entry->d_name, 0) < 0)
			return -ENOMEM;
	return add_blockdev_at(targets, dirfd(dir), "../dev", dm, list, &map->holders);
}

static int add_stacked(struct targets *targets, int fd, const char *folder,
		       const struct namespace *ns, struct holder_list *list,
		       struct holder_list *own)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, folder);
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		unsigned int number =
			ns && ns->disk ? kernel_map_number(entry->d_name, namespace_disk_uuid(ns)) : 0;

		if (number) {
			if (add_map(targets, entry->d_name, number, ns->disk, list) < 0)
				return -ENOMEM;
		} else if (holder_list_add(list, HOLDER_BLOCK, entry->d_name, 0) < 0 ||
			   (own && holder_list_add(own, HOLDER_BLOCK, entry->d_name, 0) < 0)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static struct holder_list *holders_of_native(const struct namespace *ns, int fd, const char *name)
{
	char attribute[SYSFS_NAME_MAX + 16];
	struct native *native;
	uint64_t number;

	(void)snprintf(attribute, sizeof(attribute), "%s/partition", name);
	if (!ns || !ns->disk || sysfs_read_u64(fd, attribute, &number) < 0)
		return NULL;
	native = disk_find_native(ns->disk, (unsigned int)number);
	return native ? &native->holders : NULL;
}

/*
 * A block device and its partitions, and at once what is stacked on them.  ns NULL: maps of ours
 * are holders like any others.
 */
static int add_blockdev(struct targets *targets, const char *name, const struct namespace *ns,
			struct holder_list *list)
{
	char path[SYSFS_NAME_MAX + 32];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	dir = sysfs_open_dir(AT_FDCWD, path);
	if (!dir)
		return 0; /* it went away meanwhile */
	if (add_blockdev_at(targets, dirfd(dir), "dev", name, list, NULL) < 0 ||
	    add_stacked(targets, dirfd(dir), "holders", ns, list, NULL) < 0)
		return -ENOMEM;
	while ((entry = sysfs_next(dir))) {
		char attribute[SYSFS_NAME_MAX + 16];
		struct holder_list *own;

		if (strncmp(entry->d_name, name, strlen(name)) != 0)
			continue;
		own = holders_of_native(ns, dirfd(dir), entry->d_name);
		(void)snprintf(attribute, sizeof(attribute), "%s/dev", entry->d_name);
		if (add_blockdev_at(targets, dirfd(dir), attribute, entry->d_name, list, own) < 0)
			return -ENOMEM;
		(void)snprintf(attribute, sizeof(attribute), "%s/holders", entry->d_name);
		if (add_stacked(targets, dirfd(dir), attribute, NULL, list, own) < 0)
			return -ENOMEM;
	}
	return 0;
}

static struct target *find_by_dev(const struct targets *targets, dev_t dev)
{
	for (size_t i = 0; i < targets->n; i++)
		if (targets->targets[i].block && targets->targets[i].dev == dev)
			return &targets->targets[i];
	return NULL;
}

/* Put back the characters that mountinfo writes as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *c = text; *c; c++) {
		if (c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] && c[3]) {
			*to++ = (char)((c[1] - '0') * 64 + (c[2] - '0') * 8 + (c[3] - '0'));
			c += 3;
		} else {
			*to++ = *c;
		}
	}
	*to = 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static int read_mount(const struct targets *targets, char *line)
{
	char *fields[5], *rest = line, *source;
	struct target *target = NULL;
	unsigned int maj, min;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return 0;
	}
	if (sscanf(fields[2], "%u:%u", &maj, &min) == 2)
		target = find_by_dev(targets, makedev(maj, min));
	source = strstr(rest, " - ");
	/* Some file systems (btrfs) have a number of their own: their source says where they lie. */
	if (!target && source && strncmp(fields[2], "0:", 2) == 0) {
		source = strchr(source + 3, ' ');
		source = source ? source + 1 : NULL;
		if (source && strncmp(source, "/dev/", 5) == 0) {
			source[strcspn(source, " \n")] = 0;
			if (stat(source, &st) == 0 && S_ISBLK(st.st_mode))
				target = find_by_dev(targets, st.st_rdev);
		}
	}
	if (!target)
		return 0;
	unescape(fields[4]);
	return hold(target, HOLDER_MOUNT, fields[4], 0);
}

static int read_swap(const struct targets *targets, char *line)
{
	const struct target *target;
	struct stat st;

	line[strcspn(line, " \t\n")] = 0;
	unescape(line);
	if (line[0] != '/' || stat(line, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	target = find_by_dev(targets, st.st_rdev);
	return target ? hold(target, HOLDER_SWAP, target->name, 0) : 0;
}

/*
 * A loop device reads and writes what it stands on without claiming it, so nothing else tells
 * of a file system on top.
 */
static int read_loops(const struct targets *targets, struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, "/sys/block");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		char path[SYSFS_NAME_MAX + 32], backing[SYSFS_VALUE_MAX];
		struct target *target = NULL;
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/loop/backing_file", entry->d_name);
		if (strncmp(entry->d_name, "loop", 4) == 0 &&
		    sysfs_read(dirfd(dir), path, backing, sizeof(backing)) > 0 &&
		    stat(backing, &st) == 0 && S_ISBLK(st.st_mode))
			target = find_by_dev(targets, st.st_rdev);
		if (target && hold(target, HOLDER_BLOCK, entry->d_name, 0) < 0)
			return error_oom(reterr);
	}
	return 0;
}

static int read_lines(const char *path, const struct targets *targets,
		      int (*read_line)(const struct targets *targets, char *line),
		      struct error *reterr)
{
	_cleanup_(freep) char *line = NULL;
	FILE *file = fopen(path, "re");
	size_t room = 0;
	int r = 0;

	if (!file && errno == ENOENT)
		return 0; /* a kernel without swap */
	if (!file)
		return error_set(reterr, errno, "Cannot open %s: %s.", path, strerror(errno));
	while (r == 0 && getline(&line, &room, file) > 0)
		r = read_line(targets, line);
	(void)fclose(file); /* it was only read */
	return r < 0 ? error_oom(reterr) : 0;
}

/* The target that a path of an open or mapped file names; its folder may be any but sysfs. */
static struct target *find_by_path(const struct targets *targets, const char *path)
{
	const char *name = strrchr(path, '/');

	if (!name || (strncmp(name, "/dax", 4) != 0 && strncmp(name, "/pmem", 5) != 0 &&
		      strncmp(name, "/dm-", 4) != 0))
		return NULL;
	if (strncmp(path, "/sys/", 5) == 0)
		return NULL;
	for (size_t i = 0; i < targets->n; i++)
		if (strcmp(targets->targets[i].name, name + 1) == 0)
			return &targets->targets[i];
	return NULL;
}

static int add_process(struct target *target, int proc_fd, int pid)
{
	const struct holder_list *list = target->own ? target->own : target->list;
	char command[64];

	for (size_t i = 0; i < list->n; i++)
		if (list->holders[i].pid == pid)
			return 0;
	if (sysfs_read(proc_fd, "comm", command, sizeof(command)) < 0)
		return 0; /* it ended meanwhile */
	/* It has a look at what has come or changed, and leaves again. */
	if (strcmp(command, "(udev-worker)") == 0)
		return 0;
	return hold(target, HOLDER_PROCESS, command, pid);
}

/* A file may have the name of a device and be none. */
static bool is_node(int dir, const char *link)
{
	struct stat st;

	return fstatat(dir, link, &st, 0) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

static int read_open_files(const struct targets *targets, int proc_fd, int pid)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(proc_fd, "fd");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		char path[SYSFS_VALUE_MAX];
		struct target *target;
		ssize_t length;

		length = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);
		if (length < 0)
			continue;
		path[length] = 0;
		target = find_by_path(targets, path);
		if (target && is_node(dirfd(dir), entry->d_name) &&
		    add_process(target, proc_fd, pid) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A mapping outlives the descriptor it was made with. */
static int read_mapped_files(const struct targets *targets, int proc_fd, int pid)
{
	int fd = openat(proc_fd, "maps", O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *line = NULL;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t room = 0;
	int r = 0;

	if (!file) {
		closep(&fd);
		return 0; /* it ended meanwhile, or is not ours to look at */
	}
	/* What /proc says its block size is makes for four times as many reads. */
	(void)setvbuf(file, NULL, _IOFBF, MAPS_BUFFER);
	while (r == 0 && getline(&line, &room, file) > 0) {
		char *path = strchr(line, '/');
		struct target *target;

		if (!path)
			continue;
		path[strcspn(path, "\n")] = 0;
		target = find_by_path(targets, path);
		if (target)
			r = add_process(target, proc_fd, pid);
	}
	(void)fclose(file); /* it was only read */
	return r;
}

/* Kernel threads, which are most of a small machine, have no program, no memory and no files. */
static bool has_program(int proc, uint64_t pid)
{
	char path[32], first;

	(void)snprintf(path, sizeof(path), "%" PRIu64 "/exe", pid);
	return readlinkat(proc, path, &first, 1) >= 0 || errno != ENOENT;
}

static int read_processes(const struct targets *targets, struct error *reterr)
{
	_cleanup_(closedirp) DIR *proc = sysfs_open_dir(AT_FDCWD, "/proc");
	const struct dirent *entry;

	if (!proc)
		return error_set(reterr, errno, "Cannot list /proc: %s.", strerror(errno));
	while ((entry = sysfs_next(proc))) {
		_cleanup_(closep) int fd = -1;
		uint64_t pid;
		int r;

		if (sysfs_name_number(entry->d_name, "", &pid) < 0)
			continue;
		if (!has_program(dirfd(proc), pid))
			continue;
		fd = sysfs_open(dirfd(proc), entry->d_name);
		if (fd < 0)
			continue; /* it ended meanwhile */
		r = read_open_files(targets, fd, (int)pid);
		if (r >= 0)
			r = read_mapped_files(targets, fd, (int)pid);
		if (r < 0)
			return error_oom(reterr);
	}
	return 0;
}

/* Each open file of a dax device counts in the module that serves it. */
static bool nothing_open(void)
{
	uint64_t n;

	return sysfs_read_u64(AT_FDCWD, "/sys/module/device_dax/refcnt", &n) == 0 && n == 0;
}

static int read_targets(const struct targets *targets, bool with_processes,
			struct error *reterr)
{
	bool blocks = false;
	int r = 0;

	for (size_t i = 0; i < targets->n; i++)
		blocks = blocks || targets->targets[i].block;
	if (blocks) {
		r = read_lines("/proc/self/mountinfo", targets, read_mount, reterr);
		if (r == 0)
			r = read_lines("/proc/swaps", targets, read_swap, reterr);
		if (r == 0)
			r = read_loops(targets, reterr);
	}
	if (r == 0 && with_processes && targets->n)
		r = read_processes(targets, reterr);
	return r;
}

static int add_dax_target(struct targets *targets, struct dax_device *device)
{
	if (device->driver != DRIVER_DEVICE_DAX)
		return 0; /* the node of no other driver can be opened */
	return add_target(targets, device->name, false, 0, &device->holders, NULL);
}

static bool any_unexplained(struct namespace *ns)
{
	bool any = false;

	for (size_t i = 0; ns->disk && i < ns->disk->n_maps; i++) {
		struct disk_map *map = &ns->disk->maps[i];

		if (map->open_count && !map->holders.n && kernel_recount_map(map))
			any = true;
	}
	return any;
}

/* Open, and by nobody that can be found: by somebody in a container, or only by udev, for a moment. */
static void settle_maps(struct topology *topology)
{
	const struct timespec nap = { .tv_nsec = SETTLE_NAP_MS * 1000000L };
	bool again = true;

	for (int ms = 0; again && ms < SETTLE_MS; ms += SETTLE_NAP_MS) {
		again = false;
		for (size_t i = 0; i < topology->n_regions; i++)
			for (size_t j = 0; j < topology->regions[i].n_namespaces; j++)
				again = any_unexplained(&topology->regions[i].namespaces[j]) || again;
		if (again)
			(void)nanosleep(&nap, NULL); /* sooner than asked for is as good */
	}
}

int kernel_scan_holders(struct topology *topology, struct error *reterr)
{
	_cleanup_(targets_clear) struct targets targets = { 0 };
	bool dax = false, blocks = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < topology->n_regions; i++) {
		struct region *region = &topology->regions[i];

		for (size_t j = 0; r == 0 && j < region->n_devices; j++)
			r = add_dax_target(&targets, &region->devices[j]);
		for (size_t j = 0; r == 0 && j < region->n_namespaces; j++) {
			struct namespace *ns = &region->namespaces[j];

			if (ns->blockdev)
				r = add_blockdev(&targets, ns->blockdev, ns, &ns->holders);
			if (r == 0 && ns->device)
				r = add_dax_target(&targets, ns->device);
		}
	}
	if (r < 0)
		return error_oom(reterr);
	for (size_t i = 0; i < targets.n; i++) {
		dax = dax || !targets.targets[i].block;
		blocks = blocks || targets.targets[i].block;
	}
	r = read_targets(&targets, blocks || (dax && !nothing_open()), reterr);
	if (r == 0)
		settle_maps(topology);
	return r;
}

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
			n = snprintf(text + used, left, "%s%.100s (pid %d)", i ? ", " : "",
				     holder->name, holder->pid);
		else
			n = snprintf(text + used, left, "%s%s %.100s", i ? ", " : "",
				     holder_kind_word(holder->kind), holder->name);
		used += (size_t)n < left ? (size_t)n : left - 1;
	}
	(void)error_set(reterr, EBUSY, "%s is in use: %s%s.", name, text,
			list->n > 4 ? " and others" : "");
	return error_hint(reterr, "Stop or unmount what uses it first.");
}

int kernel_check_device_free(const char *device, struct error *reterr)
{
	_cleanup_(holder_list_clear) struct holder_list list = { 0 };
	_cleanup_(targets_clear) struct targets targets = { 0 };
	int r;

	if (nothing_open())
		return 0;
	if (add_target(&targets, device, false, 0, &list, NULL) < 0)
		return error_oom(reterr);
	r = read_targets(&targets, true, reterr);
	return r < 0 ? r : busy(device, &list, reterr);
}

int kernel_check_blockdev_free(const char *blockdev, struct error *reterr)
{
	_cleanup_(holder_list_clear) struct holder_list list = { 0 };
	_cleanup_(targets_clear) struct targets targets = { 0 };
	int r;

	if (add_blockdev(&targets, blockdev, NULL, &list) < 0)
		return error_oom(reterr);
	r = read_targets(&targets, true, reterr);
	return r < 0 ? r : busy(blockdev, &list, reterr);
}
