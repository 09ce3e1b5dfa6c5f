/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scan says of the partitions of a block device: table, the kernel's, ours, whose they are. */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"
#include "exec/kernel-dm.h"
#include "exec/kernel-table.h"

#define SECTOR UINT64_C(512) /* of sysfs, whatever the device has */
#define PATH_SIZE (SYSFS_NAME_MAX + 64)

int kernel_read_dev(int at, const char *attribute, dev_t *ret)
{
	unsigned int maj, min;
	char text[64];
	int r = sysfs_read(at, attribute, text, sizeof(text));

	if (r < 0)
		return r;
	if (sscanf(text, "%u:%u", &maj, &min) != 2)
		return -EINVAL;
	*ret = makedev(maj, min);
	return 0;
}

/* The text of DAXD_KEY in a file of properties; false: it is not there. */
static bool find_property(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) != 0 || line[length] != '=')
			continue;
		(void)snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\n"),
			       line + length + 1);
		return true;
	}
	return false;
}

void kernel_partitions_file(const struct uuid *disk, char file[KERNEL_FILE_MAX])
{
	(void)snprintf(file, KERNEL_FILE_MAX, KERNEL_PROPERTIES "/%s.partitions", disk->text);
}

/* What is not there, or is no word of ours, is the kernel's. */
void kernel_read_partitioning(const struct uuid *uuid, enum partitioning *ret, bool *managed)
{
	char file[KERNEL_FILE_MAX], text[KERNEL_TEXT_MAX], word[32];

	*ret = PARTITIONING_KERNEL;
	*managed = false;
	if (!uuid_is_set(uuid))
		return;
	kernel_partitions_file(uuid, file);
	if (sysfs_read(AT_FDCWD, file, text, sizeof(text)) < 0 ||
	    !find_property(text, KERNEL_PARTITIONS, word, sizeof(word)) ||
	    partitioning_from_word(word, ret) < 0)
		return;
	*managed = find_property(text, KERNEL_PARTITIONS_MANAGED, word, sizeof(word)) &&
		   strcmp(word, "1") == 0;
}

int kernel_read_extent(int fd, const char *name, struct range *ret)
{
	char attribute[PATH_SIZE];
	uint64_t start = 0, size;
	int r;

	(void)snprintf(attribute, sizeof(attribute), "%s/start", name);
	r = sysfs_read_u64(fd, attribute, &start);
	(void)snprintf(attribute, sizeof(attribute), "%s/size", name);
	if (r == 0)
		r = sysfs_read_u64(fd, attribute, &size);
	if (r < 0)
		return r;
	*ret = (struct range){ start * SECTOR, size * SECTOR };
	return 0;
}

static int read_natives(int fd, const char *name, struct disk *disk)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, ".");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		struct native native = { 0 }, *slot;
		char attribute[PATH_SIZE];
		uint64_t number;

		if (strncmp(entry->d_name, name, strlen(name)) != 0)
			continue;
		(void)snprintf(attribute, sizeof(attribute), "%s/partition", entry->d_name);
		if (sysfs_read_u64(fd, attribute, &number) < 0 || number > UINT32_MAX ||
		    kernel_read_extent(fd, entry->d_name, &native.extent) < 0)
			continue; /* it went away meanwhile */
		native.number = (unsigned int)number;
		slot = ARRAY_APPEND(disk->natives, disk->n_natives);
		if (!slot)
			return -ENOMEM;
		*slot = native;
		disk->n_natives++;
	}
	return 0;
}

unsigned int kernel_map_number(const char *dm, const struct uuid *uuid)
{
	char path[PATH_SIZE], text[DM_UUID_MAX + 1];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/dm/uuid", dm);
	if (strncmp(dm, "dm-", 3) != 0 || sysfs_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	return dm_map_number(text, uuid);
}

bool kernel_map_is_linked(const char *name, const char *dm)
{
	char path[PATH_SIZE], target[SYSFS_NAME_MAX];

	(void)snprintf(path, sizeof(path), "/dev/%s", name);
	return sysfs_read_link(AT_FDCWD, path, target, sizeof(target)) == 0 &&
	       strcmp(target, dm) == 0;
}

static int add_map(const char *dm, unsigned int number, dev_t disk_dev, struct disk *disk,
		   struct error *reterr)
{
	struct dm_map_state state;
	char path[PATH_SIZE], name[SYSFS_NAME_MAX];
	struct disk_map *map;
	dev_t dev;
	int r;

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/dev", dm);
	if (kernel_read_dev(AT_FDCWD, path, &dev) < 0)
		return 0; /* it went away meanwhile */
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", dm);
	if (sysfs_read(AT_FDCWD, path, name, sizeof(name)) < 0)
		return 0;
	r = dm_map_read(name, dev, disk_dev, &state, reterr);
	if (r == -ENXIO) {
		error_clear(reterr);
		return 0;
	}
	if (r < 0)
		return r;
	map = ARRAY_APPEND(disk->maps, disk->n_maps);
	if (!map)
		return error_oom(reterr);
	disk->n_maps++;
	map->number = number;
	map->extent = state.extent;
	map->read_only = state.read_only;
	map->open_count = state.open_count;
	map->linked = kernel_map_is_linked(name, dm);
	map->name = strdup(name);
	return map->name ? 0 : error_oom(reterr);
}

bool kernel_recount_map(struct disk_map *map)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct dm_map_state state;
	char path[PATH_SIZE];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/dev/%s", map->name);
	if (stat(path, &st) == 0 && dm_map_read(map->name, st.st_rdev, 0, &state, &error) == 0)
		map->open_count = state.open_count;
	return map->open_count > 0;
}

/* udev writes what could do harm in a link as \x2f, and a backslash too; in place. */
static void decode(char *text)
{
	char *to = text;

	while (*text) {
		unsigned int c;
		int n = 0;

		if (*text == '\\' && sscanf(text, "\\x%2x%n", &c, &n) == 1 && c) {
			*to++ = (char)c;
			text += n;
		} else {
			*to++ = *text++;
		}
	}
	*to = 0;
}

/* Is this what udev has written of the name, which is one that has been cleaned? */
static bool is_written_as(const char *name, char *written)
{
	_cleanup_(freep) char *clean = NULL;

	decode(written);
	clean = *written ? text_clean(written) : NULL;
	return strcmp(name, clean ?: "") == 0;
}

/*
 * Has udev seen the map since the table says of it what it does?  Its links are named after that,
 * and a table that is written anew with partitions in the same places is no event of theirs.
 */
static bool is_known_as(const struct disk_map *map, const struct table_entry *entry)
{
	char path[PATH_SIZE], value[512];
	struct stat st;

	if (!uuid_is_set(&entry->uuid))
		return true;
	(void)snprintf(path, sizeof(path), "/dev/%s", map->name);
	if (stat(path, &st) < 0)
		return false;
	/* Of a map with several signatures on it udev says nothing, however often it is asked. */
	if (!kernel_udev_value(st.st_rdev, "ID_PART_ENTRY_UUID", value, sizeof(value)))
		return true;
	if (strcmp(value, entry->uuid.text) != 0)
		return false;
	if (!kernel_udev_value(st.st_rdev, "ID_PART_ENTRY_NAME", value, sizeof(value)))
		value[0] = 0;
	return is_written_as(entry->name ? entry->name : "", value);
}

static void judge_links(struct disk *disk)
{
	for (size_t i = 0; i < disk->n_maps; i++) {
		struct disk_map *map = &disk->maps[i];
		const struct table_entry *entry = table_find(&disk->table, map->number);

		if (map->linked && entry)
			map->linked = is_known_as(map, entry);
	}
}

/* No map of ours, no library and no question to device-mapper. */
static int read_maps(int fd, dev_t dev, const struct uuid *uuid, struct disk *disk,
		     struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, "holders");
	const struct dirent *entry;
	int r = 0;

	while (dir && r == 0 && (entry = sysfs_next(dir))) {
		unsigned int number = kernel_map_number(entry->d_name, uuid);

		if (number)
			r = add_map(entry->d_name, number, dev, disk, reterr);
	}
	return r;
}

/* What cannot be read now may be read the next time: it is told as contents, and left alone. */
static int read_table(const char *name, struct disk *disk, struct error *reterr)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = -1;
	char path[PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	r = fd < 0 ? error_set(&error, errno, "Cannot open %s: %s.", path, strerror(errno)) :
		     kernel_read_table(fd, path, 0, &disk->table, &error);
	if (r == -ENOMEM || r == -ELIBACC) {
		error_move(reterr, &error);
		return r;
	}
	if (r == 0)
		return 0;
	disk->table.kind = TABLE_OTHER;
	disk->table.content = strdup("what cannot be read");
	return disk->table.content ? 0 : error_oom(reterr);
}

/*
 * libblkid asks a disk for a hundred signatures to say that it has none, which takes longer than
 * the rest of a small machine: of disks that daxd makes no partitions on only if there are some.
 */
static bool is_worth_reading(const struct namespace *ns, const struct disk *disk)
{
	return ns->mode == NAMESPACE_FSDAX || disk->n_natives || disk->n_maps ||
	       disk->policy != PARTITIONING_KERNEL;
}

int kernel_scan_disk(struct namespace *ns, struct error *reterr)
{
	const struct uuid *uuid = namespace_disk_uuid(ns);
	_cleanup_(disk_freep) struct disk *disk = calloc(1, sizeof(*disk));
	_cleanup_(closep) int fd = -1;
	char path[PATH_SIZE];
	dev_t dev;
	int r;

	if (!disk)
		return error_oom(reterr);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", ns->blockdev);
	fd = sysfs_open(AT_FDCWD, path);
	if (fd < 0 || kernel_read_dev(fd, "dev", &dev) < 0)
		return 0; /* it went away meanwhile */
	kernel_read_partitioning(uuid, &disk->policy, &disk->managed);
	if (read_natives(fd, ns->blockdev, disk) < 0)
		return error_oom(reterr);
	r = read_maps(fd, dev, uuid, disk, reterr);
	if (r == 0 && !is_worth_reading(ns, disk))
		return 0;
	if (r == 0)
		r = read_table(ns->blockdev, disk, reterr);
	if (r == 0)
		judge_links(disk);
	if (r == 0)
		ns->disk = TAKE(disk);
	return r;
}

void kernel_disk_clear(struct kernel_disk *disk)
{
	closep(&disk->sysfs);
	closep(&disk->node);
	*disk = KERNEL_DISK_INIT;
}

bool kernel_disk_has(const struct kernel_disk *disk, const struct step *step)
{
	return disk->of && strcmp(disk->of->region, step->region) == 0 &&
	       uuid_equal(&disk->of->uuid, &step->uuid);
}

static int open_node(struct kernel_disk *target, struct error *reterr)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/dev/%s", target->name);
	target->node = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	return target->node < 0 ? error_set(reterr, errno, "Cannot open %s: %s.", path,
					    strerror(errno)) : 0;
}

int kernel_find_disk(const struct step *step, struct kernel_disk *ret, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk target = KERNEL_DISK_INIT;
	char path[PATH_SIZE], text[64];
	int r;

	r = kernel_find_node(step, target.name, reterr);
	if (r < 0)
		return r;
	if (kernel_is_device_name(target.name))
		return error_set(reterr, ENOENT, "%s is no block device.", target.name);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", target.name);
	target.sysfs = sysfs_open(AT_FDCWD, path);
	r = target.sysfs < 0 ? target.sysfs : kernel_read_dev(target.sysfs, "dev", &target.dev);
	if (r < 0)
		return kernel_unreadable(reterr, target.name, "dev", -r);
	r = sysfs_read(target.sysfs, "device/uuid", text, sizeof(text));
	if (r <= 0 || uuid_parse_text(text, &target.uuid) < 0)
		return error_set(reterr, ENODEV, "%s has no uuid to be known by.", target.name);
	r = open_node(&target, reterr);
	if (r < 0)
		return r;
	target.of = step;
	*ret = target;
	target = KERNEL_DISK_INIT;
	return 0;
}
