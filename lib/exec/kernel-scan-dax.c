/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Regions of the dax bus that are given out range by range: hmem and cxl.  Straight from
 * sysfs, because libdaxctl asks libkmod about every device, and a host may have hundreds.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAX_DEVICES "/sys/bus/dax/devices"

static int region_type_of(const char *name, enum region_type *ret)
{
	if (strncmp(name, "hmem", 4) == 0)
		*ret = REGION_HMEM;
	else if (strncmp(name, "dax_region", 10) == 0)
		*ret = REGION_CXL;
	else
		return -EINVAL;
	return 0;
}

static int read_region(int fd, struct region *region, struct error *reterr)
{
	uint64_t id;
	int r;

	r = sysfs_read_u64(fd, "dax_region/id", &id);
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "dax_region/id", -r);
	region->id = id <= INT_MAX ? (int)id : -1;
	r = sysfs_read_u64(fd, "dax_region/size", &region->range.size);
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "dax_region/size", -r);
	r = sysfs_read_u64(fd, "dax_region/available_size", &region->available);
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "dax_region/available_size", -r);
	r = sysfs_read_u64(fd, "dax_region/align", &region->align);
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "dax_region/align", -r);
	return 0;
}

static int add_device(struct region *region, int fd, const char *name,
		      struct kernel_names *names, uint64_t block_size, struct error *reterr)
{
	struct dax_device *device = ARRAY_APPEND(region->devices, region->n_devices);
	int r;

	if (!device)
		return error_oom(reterr);
	r = kernel_read_device(fd, name, names, device, reterr);
	if (r < 0)
		return r;
	if (region->n_devices++ == 0) {
		r = kernel_read_nodes(fd, device, reterr);
		if (r < 0)
			return r;
		region->target_node = device->target_node;
		region->numa = device->numa;
	}
	/* All devices have the nodes of their region. */
	device->target_node = region->target_node;
	device->numa = region->numa;
	/* A device without a size says where its region starts. */
	if (device->size == 0 && region->range.start == 0) {
		r = sysfs_read_u64(fd, "resource", &region->range.start);
		if (r < 0)
			return kernel_unreadable(reterr, name, "resource", -r);
	}
	return kernel_read_blocks(fd, device, block_size, reterr);
}

static int read_devices(struct region *region, int region_fd, struct kernel_names *names,
			uint64_t block_size, struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(region_fd, ".");
	const struct dirent *entry;

	if (!dir)
		return kernel_unreadable(reterr, region->name, "", errno);
	while ((entry = sysfs_next(dir))) {
		_cleanup_(closep) int fd = -1;
		int r;

		if (!kernel_is_device_name(entry->d_name))
			continue;
		fd = sysfs_open(region_fd, entry->d_name);
		if (fd < 0)
			continue; /* it went away meanwhile */
		r = add_device(region, fd, entry->d_name, names, block_size, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The soft-reserved range of /proc/iomem that an address lies in; size 0: there is none. */
static int soft_reserved_at(uint64_t address, struct range *ret, struct error *reterr)
{
	FILE *file = fopen("/proc/iomem", "re");
	char line[256];

	if (!file)
		return error_set(reterr, errno, "Cannot open /proc/iomem: %s.", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		uint64_t start, end;

		if (strstr(line, " : Soft Reserved") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 &&
		    address >= start && address <= end)
			*ret = (struct range){ start, end - start + 1 };
	}
	(void)fclose(file); /* it was only read */
	return 0;
}

/*
 * No file says where an hmem region starts while every device of it has a size.  Then either
 * nothing is free and the lowest range starts it, or it is all that the firmware reserved
 * there, or it was seen before.  Failing all, the lowest range is the only address known to be
 * in it.
 */
static int deduce_start(struct region *region, struct error *reterr)
{
	uint64_t lowest = UINT64_MAX;
	struct range reserved = { 0 };
	int r;

	for (size_t i = 0; i < region->n_devices; i++)
		for (size_t j = 0; j < region->devices[i].ranges.n; j++)
			if (region->devices[i].ranges.ranges[j].start < lowest)
				lowest = region->devices[i].ranges.ranges[j].start;
	region->range.start = lowest;
	if (region->available == 0) {
		kernel_note_region(region);
		return 0;
	}
	r = soft_reserved_at(lowest, &reserved, reterr);
	if (r < 0)
		return r;
	if (reserved.size == region->range.size)
		region->range.start = reserved.start;
	else
		(void)kernel_recall_region(region, lowest); /* or it stays the lowest */
	return 0;
}

/* A dax region of CXL hangs below the CXL region, which knows its address and uuid. */
static int read_cxl_parent(int region_fd, struct region *region, struct error *reterr)
{
	char text[64];
	int r;

	r = sysfs_read_u64(region_fd, "../resource", &region->range.start);
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "../resource", -r);
	r = sysfs_read(region_fd, "../uuid", text, sizeof(text));
	if (r > 0 && strspn(text, "0-") != strlen(text))
		(void)uuid_parse_text(text, &region->uuid); /* "" if it is none, as for volatile */
	return 0;
}

static int fill_region(struct region *region, int fd, struct kernel_names *names,
		       uint64_t block_size, struct error *reterr)
{
	int r;

	r = read_region(fd, region, reterr);
	if (r < 0)
		return r;
	if (region->type == REGION_CXL) {
		r = read_cxl_parent(fd, region, reterr);
		if (r < 0)
			return r;
	}
	r = read_devices(region, fd, names, block_size, reterr);
	if (r < 0)
		return r;
	if (region->range.start == 0 && region->n_devices)
		return deduce_start(region, reterr);
	if (region->type == REGION_HMEM && region->range.start)
		kernel_note_region(region);
	return 0;
}

/* What dax_align_valid() of the kernel accepts. */
static uint64_t supported_aligns(void)
{
	uint64_t aligns = ALIGN_4K;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0)
		aligns |= ALIGN_2M;
#ifdef __x86_64__
	aligns |= ALIGN_1G;
#endif
	return aligns;
}

/* parent: where a link of the bus leads, ../../../devices/platform/hmem.0 */
static int add_region(struct topology *topology, const char *parent, struct kernel_names *names,
		      struct error *reterr)
{
	const char *path = strstr(parent, "/devices/");
	const char *name = strrchr(parent, '/') + 1;
	_cleanup_(freep) char *folder = NULL;
	_cleanup_(closep) int fd = -1;
	enum region_type type;
	struct region *region;

	if (!path || region_type_of(name, &type) < 0)
		return 0; /* a pmem namespace, or nothing we know */
	path += strlen("/devices");
	if (!scope_has(names->scope, path))
		return 0;
	if (asprintf(&folder, "/sys/devices%s", path) < 0) {
		folder = NULL;
		return error_oom(reterr);
	}
	fd = sysfs_open(AT_FDCWD, folder);
	if (fd < 0)
		return 0; /* it went away meanwhile */
	region = ARRAY_APPEND(topology->regions, topology->n_regions);
	if (!region)
		return error_oom(reterr);
	*region = (struct region){ .type = type, .ways = 1, .enabled = true, .numa = -1,
				   .target_node = -1, .aligns = supported_aligns() };
	topology->n_regions++;
	region->path = strdup(path);
	region->name = strdup(name);
	if (!region->path || !region->name)
		return error_oom(reterr);
	return fill_region(region, fd, names, topology->memory_block_size, reterr);
}

struct seen {
	int *ids; /* X of daxX.Y: one region each */
	size_t n;
};

/* 1 when it was there already. */
static int see_region(struct seen *seen, int id)
{
	int *slot;

	for (size_t i = 0; i < seen->n; i++)
		if (seen->ids[i] == id)
			return 1;
	slot = ARRAY_APPEND(seen->ids, seen->n);
	if (!slot)
		return -ENOMEM;
	*slot = id;
	seen->n++;
	return 0;
}

static int scan_bus(struct topology *topology, DIR *bus, struct kernel_names *names,
		    struct error *reterr)
{
	_cleanup_(freep) int *ids = NULL;
	struct seen seen = { 0 };
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && (entry = sysfs_next(bus))) {
		char link[PATH_MAX];
		char *slash;
		ssize_t n;

		if (!kernel_is_device_name(entry->d_name))
			continue;
		r = see_region(&seen, (int)strtol(entry->d_name + 3, NULL, 10));
		ids = seen.ids;
		if (r < 0)
			return error_oom(reterr);
		if (r == 1) {
			r = 0;
			continue;
		}
		n = readlinkat(dirfd(bus), entry->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue; /* it went away meanwhile */
		link[n] = 0;
		slash = strrchr(link, '/');
		if (!slash || slash == link)
			continue;
		*slash = 0;
		if (strchr(link, '/'))
			r = add_region(topology, link, names, reterr);
	}
	return r;
}

int kernel_scan_dax(struct topology *topology, struct kernel_names *names, struct error *reterr)
{
	_cleanup_(closedirp) DIR *bus = sysfs_open_dir(AT_FDCWD, DAX_DEVICES);

	if (!bus && errno == ENOENT)
		return 0; /* no dax bus, no devices */
	if (!bus)
		return error_set(reterr, errno, "Cannot list " DAX_DEVICES ": %s.",
				 strerror(errno));
	return scan_bus(topology, bus, names, reterr);
}
