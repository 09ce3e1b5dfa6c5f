/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who keeps devices in use.  All questions are answered by one pass over /proc: a list of
 * targets, each with the list that its holders go to.  The pass over processes is left out
 * when there are only dax devices and the module that serves them has no open files.
 */
#include "exec/kernel-holders.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define MAPS_BUFFER 16384
#define STACK_DEPTH 8 /* encryption on RAID on maps on partitions is four */
#define SETTLE_MS 500
#define SETTLE_NAP_MS 20

void targets_clear(struct targets *targets)
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

/* Whoever holds a partition holds its disk; own NULL: it is none. */
static int add_holder(struct holder_list *list, struct holder_list *own, enum holder_kind kind,
		      const char *name, int pid)
{
	int r = holder_list_add(list, kind, name, pid);

	return r < 0 || !own ? r : holder_list_add(own, kind, name, pid);
}

/* Anybody chooses where to mount and what a process is called, and this goes into documents. */
static int hold(const struct target *target, enum holder_kind kind, const char *name)
{
	const struct holder_list *list = target->own ? target->own : target->list;
	_cleanup_(freep) char *clean = text_clean(name);

	if (!clean)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		if (list->holders[i].kind == kind && strcmp(list->holders[i].name, clean) == 0)
			return 0; /* a mount is told of once, whatever namespaces it is in */
	return add_holder(target->list, target->own, kind, clean, 0);
}

static int add_blockdev_at(struct targets *targets, int fd, const char *attribute,
			   const char *name, struct holder_list *list, struct holder_list *own)
{
	dev_t dev;

	if (kernel_read_dev(fd, attribute, &dev) < 0)
		return 0; /* it went away meanwhile */
	return add_target(targets, name, true, dev, list, own);
}

static int name_mapping(struct holder_list *list, const char *mapping)
{
	struct holder *holder = &list->holders[list->n - 1];

	holder->mapping = text_clean(mapping);
	return holder->mapping ? 0 : -ENOMEM;
}

/* A block device on top of it; of device-mapper people know the name, and not the number. */
static int add_upper(struct holder_list *list, struct holder_list *own, const char *name)
{
	char path[SYSFS_NAME_MAX + 32], mapping[SYSFS_VALUE_MAX];

	if (add_holder(list, own, HOLDER_BLOCK, name, 0) < 0)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", name);
	if (sysfs_read(AT_FDCWD, path, mapping, sizeof(mapping)) <= 0)
		return 0;
	if (name_mapping(list, mapping) < 0 || (own && name_mapping(own, mapping) < 0))
		return -ENOMEM;
	return 0;
}

/* What is mounted on it, and on what is on top of that, keeps the device below in use. */
static int add_tower(struct targets *targets, const char *name, struct holder_list *list,
		     struct holder_list *own, unsigned int depth)
{
	char path[SYSFS_NAME_MAX + 32];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	size_t before = targets->n;

	if (add_upper(list, own, name) < 0)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/holders", name);
	dir = sysfs_open_dir(AT_FDCWD, path);
	if (!dir || !depth)
		return 0; /* it went away meanwhile */
	if (add_blockdev_at(targets, dirfd(dir), "../dev", name, list, own) < 0)
		return -ENOMEM;
	for (size_t i = before; i < targets->n; i++)
		targets->targets[i].stacked = true;
	while ((entry = sysfs_next(dir)))
		if (add_tower(targets, entry->d_name, list, own, depth - 1) < 0)
			return -ENOMEM;
	return 0;
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
		if (add_tower(targets, entry->d_name, list, &map->holders, STACK_DEPTH) < 0)
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
		} else if (add_tower(targets, entry->d_name, list, own, STACK_DEPTH) < 0) {
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
int targets_add_blockdev(struct targets *targets, const char *name, const struct namespace *ns,
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

/* name NULL: that of the device.  What lies on several devices has a target for each. */
static int hold_all(const struct targets *targets, dev_t dev, enum holder_kind kind,
		    const char *name)
{
	for (size_t i = 0; i < targets->n; i++) {
		const struct target *target = &targets->targets[i];

		if (target->block && target->dev == dev &&
		    hold(target, kind, name ? name : target->name) < 0)
			return -ENOMEM;
	}
	return 0;
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

/* Some file systems (btrfs) have a number of their own: their source says where they lie. */
static dev_t mounted_dev(const char *number, char *rest)
{
	char *source = strstr(rest, " - ");
	unsigned int maj, min;
	struct stat st;

	if (sscanf(number, "%u:%u", &maj, &min) != 2)
		return 0;
	source = source && maj == 0 ? strchr(source + 3, ' ') : NULL;
	if (!source || strncmp(source + 1, "/dev/", 5) != 0)
		return makedev(maj, min);
	source[1 + strcspn(source + 1, " \n")] = 0;
	return stat(source + 1, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static int read_mount(const struct targets *targets, char *line)
{
	char *fields[5], *rest = line;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return 0;
	}
	unescape(fields[4]);
	return hold_all(targets, mounted_dev(fields[2], rest), HOLDER_MOUNT, fields[4]);
}

static int read_swap(const struct targets *targets, char *line)
{
	struct stat st;

	line[strcspn(line, " \t\n")] = 0;
	unescape(line);
	if (line[0] != '/' || stat(line, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	return hold_all(targets, st.st_rdev, HOLDER_SWAP, NULL);
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
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/loop/backing_file", entry->d_name);
		if (strncmp(entry->d_name, "loop", 4) == 0 &&
		    sysfs_read(dirfd(dir), path, backing, sizeof(backing)) > 0 &&
		    stat(backing, &st) == 0 && S_ISBLK(st.st_mode) &&
		    hold_all(targets, st.st_rdev, HOLDER_BLOCK, entry->d_name) < 0)
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

/* What a link in /proc leads to, wherever its node is; a server that is away is not asked. */
static struct target *find_by_link(const struct targets *targets, int dir, const char *link)
{
	struct statx st;
	dev_t dev;

	if (statx(dir, link, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
	    (!S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode)))
		return NULL;
	dev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	for (size_t i = 0; i < targets->n; i++)
		if (targets->targets[i].dev == dev && !targets->targets[i].stacked &&
		    targets->targets[i].block == S_ISBLK(st.stx_mode))
			return &targets->targets[i];
	return NULL;
}

/*
 * A run of this program that scans opens devices with tables, for a moment.  That is no use of
 * them; who is about to take something away waits for its end.
 */
static bool is_own(int proc_fd)
{
	char own[SYSFS_VALUE_MAX], other[SYSFS_VALUE_MAX];
	ssize_t n = readlinkat(AT_FDCWD, "/proc/self/exe", own, sizeof(own));

	return n > 0 && readlinkat(proc_fd, "exe", other, sizeof(other)) == n &&
	       memcmp(own, other, (size_t)n) == 0;
}

static struct holder *find_process(const struct holder_list *list, int pid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->holders[i].pid == pid)
			return &list->holders[i];
	return NULL;
}

static int add_process_to(struct holder_list *list, const char *command, int pid, bool mapped)
{
	struct holder *holder = find_process(list, pid);

	if (!holder && holder_list_add(list, HOLDER_PROCESS, command, pid) < 0)
		return -ENOMEM;
	if (!holder)
		holder = &list->holders[list->n - 1];
	holder->mapped |= mapped;
	return 0;
}

static int add_process(struct targets *targets, struct target *target, int proc_fd, int pid,
		       bool mapped)
{
	const struct holder *holder = find_process(target->own ? target->own : target->list, pid);
	_cleanup_(freep) char *clean = NULL;
	char command[64];

	if (holder && (holder->mapped || !mapped))
		return 0;
	if (is_own(proc_fd)) {
		targets->own = targets->own || pid != getpid();
		return 0;
	}
	if (sysfs_read(proc_fd, "comm", command, sizeof(command)) < 0)
		return 0; /* it ended meanwhile */
	/* It has a look at what has come or changed, and leaves again. */
	if (strcmp(command, "(udev-worker)") == 0)
		return 0;
	/* The kernel cuts it after 15 bytes, in the middle of a character if need be. */
	clean = text_clean(command);
	if (!clean || add_process_to(target->list, clean, pid, mapped) < 0)
		return -ENOMEM;
	return target->own ? add_process_to(target->own, clean, pid, mapped) : 0;
}

static int read_open_files(struct targets *targets, int proc_fd, int pid)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(proc_fd, "fd");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		struct target *target = find_by_link(targets, dirfd(dir), entry->d_name);

		if (target && add_process(targets, target, proc_fd, pid, false) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Of a part of a device, those mappings count that have some of it. */
static bool maps_extent(const char *addresses, const char *offset, struct range extent)
{
	uint64_t start, end, at;

	if (extent.size == 0 || sscanf(addresses, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 ||
	    sscanf(offset, "%" SCNx64, &at) != 1)
		return true;
	return range_overlaps((struct range){ at, end - start }, extent);
}

/*
 * "7f1c00200000-7f1c00400000 rw-s 00000000 00:06 120    /dev/dax0.0": what the node is only the
 * link in map_files tells.  Mappings of dax devices are shared ones.
 */
static int read_mapping(struct targets *targets, int proc_fd, int pid, char *line)
{
	char *fields[5], *rest = line, link[128];
	struct target *target;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return 0;
	}
	if (!strchr(fields[1], 's') || strcmp(fields[4], "0") == 0)
		return 0;
	(void)snprintf(link, sizeof(link), "map_files/%s", fields[0]);
	target = find_by_link(targets, proc_fd, link);
	if (!target || !maps_extent(fields[0], fields[2], target->extent))
		return 0;
	return add_process(targets, target, proc_fd, pid, true);
}

/* A mapping outlives the descriptor it was made with. */
static int read_mapped_files(struct targets *targets, int proc_fd, int pid)
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
	while (r == 0 && getline(&line, &room, file) > 0)
		r = read_mapping(targets, proc_fd, pid, line);
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

static int read_processes(struct targets *targets, struct error *reterr)
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
bool targets_nothing_open(void)
{
	uint64_t n;

	return sysfs_read_u64(AT_FDCWD, "/sys/module/device_dax/refcnt", &n) == 0 && n == 0;
}

/*
 * The host's mounts: a service does not see all of them (of daxd's sandbox /home is not a part), and
 * our own, which need not be the host's.
 */
static int read_mounts(const struct targets *targets, struct error *reterr)
{
	struct stat host, own;
	int r = 0;

	if (stat("/proc/1/ns/mnt", &host) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	    host.st_ino != own.st_ino)
		r = read_lines("/proc/1/mountinfo", targets, read_mount, reterr);
	return r < 0 ? r : read_lines("/proc/self/mountinfo", targets, read_mount, reterr);
}

int targets_read(struct targets *targets, bool with_processes, struct error *reterr)
{
	bool blocks = false;
	int r = 0;

	for (size_t i = 0; i < targets->n; i++)
		blocks = blocks || targets->targets[i].block;
	if (blocks) {
		r = read_mounts(targets, reterr);
		if (r == 0)
			r = read_lines("/proc/swaps", targets, read_swap, reterr);
		if (r == 0)
			r = read_loops(targets, reterr);
	}
	if (r == 0 && with_processes && targets->n)
		r = read_processes(targets, reterr);
	return r;
}

/* One without a driver, or that is memory now, may have been opened before. */
int targets_add_dax(struct targets *targets, const char *device, struct holder_list *list)
{
	char path[SYSFS_NAME_MAX + 32];
	dev_t dev;

	(void)snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/dev", device);
	if (kernel_read_dev(AT_FDCWD, path, &dev) < 0)
		return 0; /* it went away meanwhile */
	return add_target(targets, device, false, dev, list, NULL);
}

static bool any_unexplained(struct region *region)
{
	bool any = false;

	for (size_t i = 0; i < region->n_namespaces; i++) {
		struct disk *disk = region->namespaces[i].disk;

		for (size_t j = 0; disk && j < disk->n_maps; j++) {
			struct disk_map *map = &disk->maps[j];

			if (map->open_count && !map->holders.n && kernel_recount_map(map))
				any = true;
		}
	}
	return any;
}

/* Open, and by nobody that can be found: by somebody in a container, or only by udev, for a moment. */
static void settle_maps(struct topology *topology, const struct scope *scope)
{
	const struct timespec nap = { .tv_nsec = SETTLE_NAP_MS * 1000000L };
	bool again = true;

	for (int ms = 0; again && ms < SETTLE_MS; ms += SETTLE_NAP_MS) {
		again = false;
		for (size_t i = 0; i < topology->n_regions; i++)
			if (scope_has(scope, topology->regions[i].path))
				again = any_unexplained(&topology->regions[i]) || again;
		if (again)
			(void)nanosleep(&nap, NULL); /* sooner than asked for is as good */
	}
}

static int add_region(struct targets *targets, struct region *region)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < region->n_devices; i++)
		r = targets_add_dax(targets, region->devices[i].name, &region->devices[i].holders);
	for (size_t i = 0; r == 0 && i < region->n_namespaces; i++) {
		struct namespace *ns = &region->namespaces[i];

		if (ns->blockdev)
			r = targets_add_blockdev(targets, ns->blockdev, ns, &ns->holders);
		if (r == 0 && ns->device)
			r = targets_add_dax(targets, ns->device->name, &ns->device->holders);
	}
	return r;
}

int kernel_scan_holders(struct topology *topology, const struct scope *scope, struct error *reterr)
{
	_cleanup_(targets_clear) struct targets targets = { 0 };
	bool dax = false, blocks = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < topology->n_regions; i++)
		if (scope_has(scope, topology->regions[i].path))
			r = add_region(&targets, &topology->regions[i]);
	if (r < 0)
		return error_oom(reterr);
	for (size_t i = 0; i < targets.n; i++) {
		dax = dax || !targets.targets[i].block;
		blocks = blocks || targets.targets[i].block;
	}
	r = targets_read(&targets, blocks || (dax && !targets_nothing_open()), reterr);
	if (r == 0)
		settle_maps(topology, scope);
	return r;
}
