/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DIMMs, pmem regions and their namespaces.  libndctl says which there are; what changes with
 * a namespace's mode is read from sysfs, where one file tells what takes the library a search
 * through lists that it fills once.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <ndctl/libndctl.h>

#define CXL_DEVICES "/sys/bus/cxl/devices"

static int copy_text(char **to, const char *from, struct error *reterr)
{
	char *copy;

	if (!from || !from[0])
		return 0;
	copy = strdup(from);
	if (!copy)
		return error_oom(reterr);
	*to = copy;
	return 0;
}

static int scan_dimm(struct topology *topology, struct ndctl_bus *bus, struct ndctl_dimm *from,
		     struct error *reterr)
{
	struct dimm *dimm = ARRAY_APPEND(topology->dimms, topology->n_dimms);
	unsigned int handle = ndctl_dimm_get_handle(from);
	const char *id = ndctl_dimm_get_unique_id(from);
	int r;

	if (!dimm)
		return error_oom(reterr);
	topology->n_dimms++;
	dimm->handle = handle <= INT_MAX ? (int)handle : -1;
	dimm->locked = ndctl_dimm_locked(from) > 0 ||
		       ndctl_dimm_get_security(from) == NDCTL_SECURITY_LOCKED;
	dimm->labels = kernel_nd_dimm_labels(from);
	r = copy_text(&dimm->name, ndctl_dimm_get_devname(from), reterr);
	if (r == 0)
		r = copy_text(&dimm->id, id, reterr);
	if (r == 0)
		r = copy_text(&dimm->bus, ndctl_bus_get_devname(bus), reterr);
	return r;
}

/* A persistent CXL region has a uuid of its own; its nd region shows only the same address. */
static int cxl_uuid_at(uint64_t address, struct uuid *ret, struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, CXL_DEVICES);
	const struct dirent *entry;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(reterr, errno, "Cannot list " CXL_DEVICES ": %s.",
				 strerror(errno));
	while ((entry = sysfs_next(dir))) {
		char attribute[SYSFS_NAME_MAX + 16], text[64];
		uint64_t start;

		if (sysfs_name_number(entry->d_name, "region", &start) < 0)
			continue;
		(void)snprintf(attribute, sizeof(attribute), "%s/resource", entry->d_name);
		if (sysfs_read_u64(dirfd(dir), attribute, &start) < 0 || start != address)
			continue;
		(void)snprintf(attribute, sizeof(attribute), "%s/uuid", entry->d_name);
		if (sysfs_read(dirfd(dir), attribute, text, sizeof(text)) > 0 &&
		    strspn(text, "0-") != strlen(text))
			(void)uuid_parse_text(text, ret); /* "" when it is none */
		return 0;
	}
	return 0;
}

static int set_region_uuid(struct region *region, struct error *reterr)
{
	int r;

	r = cxl_uuid_at(region->range.start, &region->uuid, reterr);
	if (r < 0 || uuid_is_set(&region->uuid))
		return r;
	if (region->labels == LABELS_VALID)
		region->uuid = region_uuid(region->cookie);
	return 0;
}

static uint64_t known(unsigned long long value)
{
	return value == ULLONG_MAX ? 0 : value;
}

static int fill_numbers(struct region *region, struct ndctl_region *from, struct error *reterr)
{
	unsigned long align = ndctl_region_get_align(from);

	region->type = REGION_PMEM;
	region->id = (int)ndctl_region_get_id(from);
	region->range.start = ndctl_region_get_resource(from);
	if (region->range.start == UINT64_MAX)
		return kernel_unreadable(reterr, region->name, "resource",
					 geteuid() == 0 ? ENXIO : EACCES);
	region->range.size = ndctl_region_get_size(from);
	region->align = align == ULONG_MAX ? 0 : align;
	region->target_node = ndctl_region_get_target_node(from);
	region->numa = ndctl_region_get_numa_node(from);
	region->ways = ndctl_region_get_mappings(from);
	if (region->ways == 0)
		region->ways = 1; /* no DIMMs, as with virtio-pmem */
	region->labels = kernel_nd_labels(from);
	region->read_only = ndctl_region_get_ro(from) == 1;
	region->enabled = ndctl_region_is_enabled(from) == 1;
	/* Without labels all of the region is one namespace, whatever the kernel counts. */
	if (region->labels == LABELS_VALID)
		region->available = known(ndctl_region_get_available_size(from));
	return 0;
}

static int add_dimms(struct region *region, struct ndctl_region *from, struct error *reterr)
{
	struct ndctl_dimm *dimm;

	ndctl_dimm_foreach_in_region(from, dimm) {
		char **name = ARRAY_APPEND(region->dimms, region->n_dimms);
		int r;

		if (!name)
			return error_oom(reterr);
		r = copy_text(name, ndctl_dimm_get_devname(dimm), reterr);
		if (r < 0)
			return r;
		region->n_dimms++;
	}
	return 0;
}

/* Attributes are given as two components, below the folder of the region. */
static int read_at(int fd, const char *object, const char *attribute, char *text, size_t size)
{
	char path[2 * SYSFS_NAME_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	return sysfs_read(fd, path, text, size);
}

static uint64_t number_at(int fd, const char *object, const char *attribute)
{
	char path[2 * SYSFS_NAME_MAX];
	uint64_t value;

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	return sysfs_read_u64(fd, path, &value) < 0 ? 0 : value;
}

static bool is_bound(int fd, const char *object)
{
	char path[2 * SYSFS_NAME_MAX];

	(void)snprintf(path, sizeof(path), "%s/driver", object);
	return faccessat(fd, path, F_OK, 0) == 0;
}

/*
 * The mode that a namespace has, or had when it was last enabled: while it is disabled the
 * kernel says raw, but a label of version 1.2 keeps what it was made for.
 */
static enum namespace_mode mode_of(int fd, const char *name, const char *holder)
{
	char class[32];

	if (strncmp(holder, "pfn", 3) == 0)
		return NAMESPACE_FSDAX;
	if (strncmp(holder, "dax", 3) == 0)
		return NAMESPACE_DEVDAX;
	if (strncmp(holder, "btt", 3) == 0)
		return NAMESPACE_SECTOR;
	if (is_bound(fd, name) || read_at(fd, name, "holder_class", class, sizeof(class)) < 0)
		return NAMESPACE_RAW;
	if (strcmp(class, "pfn") == 0)
		return NAMESPACE_FSDAX;
	if (strcmp(class, "dax") == 0)
		return NAMESPACE_DEVDAX;
	return strcmp(class, "btt") == 0 ? NAMESPACE_SECTOR : NAMESPACE_RAW;
}

/* "512 [4096] " */
static uint64_t selected_number(const char *text)
{
	const char *open = strchr(text, '[');

	return open ? strtoull(open + 1, NULL, 10) : 0;
}

static void read_holder(int fd, struct namespace *ns, const char *holder)
{
	char text[256];

	ns->enabled = is_bound(fd, holder);
	if (ns->enabled)
		ns->size = number_at(fd, holder, "size");
	if (read_at(fd, holder, "uuid", text, sizeof(text)) > 0)
		(void)uuid_parse_text(text, &ns->info_uuid); /* "" when it is none */
	if (ns->mode == NAMESPACE_SECTOR) {
		if (read_at(fd, holder, "sector_size", text, sizeof(text)) > 0)
			ns->sector_size = selected_number(text);
		return;
	}
	ns->align = number_at(fd, holder, "align");
	if (read_at(fd, holder, "mode", text, sizeof(text)) <= 0)
		return;
	if (strcmp(text, "pmem") == 0)
		ns->map = MAP_DEV;
	else if (strcmp(text, "ram") == 0)
		ns->map = MAP_MEM;
}

/* The block device of a namespace or of what holds it: the only entry of a folder. */
static int read_blockdev(int fd, struct namespace *ns, const char *owner,
			 struct kernel_names *names, struct error *reterr)
{
	char path[2 * SYSFS_NAME_MAX];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r;

	(void)snprintf(path, sizeof(path), "%s/block", owner);
	dir = sysfs_open_dir(fd, path);
	entry = dir ? sysfs_next(dir) : NULL;
	if (!entry)
		return 0;
	r = copy_text(&ns->blockdev, entry->d_name, reterr);
	return r < 0 ? r : kernel_read_access(ns->blockdev, names, &ns->node, reterr);
}

/* The dax device of an enabled devdax namespace: region1/dax1.0/dax1.0. */
static int read_namespace_device(int fd, struct namespace *ns, const char *holder,
				 struct topology *topology, struct kernel_names *names,
				 struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, holder);
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		_cleanup_(closep) int device_fd = -1;
		int r;

		if (!kernel_is_device_name(entry->d_name))
			continue;
		device_fd = sysfs_open(dirfd(dir), entry->d_name);
		if (device_fd < 0)
			continue;
		ns->device = calloc(1, sizeof(*ns->device));
		if (!ns->device)
			return error_oom(reterr);
		r = kernel_read_device(device_fd, entry->d_name, names, ns->device, reterr);
		if (r < 0)
			return r;
		r = kernel_read_nodes(device_fd, ns->device, reterr);
		if (r < 0)
			return r;
		return kernel_read_blocks(ns->device, topology->memory_block_size, reterr);
	}
	return 0;
}

static int fill_namespace(int fd, struct namespace *ns, struct ndctl_namespace *from,
			  struct topology *topology, struct kernel_names *names,
			  struct error *reterr)
{
	char holder[SYSFS_NAME_MAX];
	int r;

	ns->range.size = ndctl_namespace_get_size(from);
	ns->range.start = ndctl_namespace_get_resource(from);
	if (ns->range.start == UINT64_MAX)
		return kernel_unreadable(reterr, ndctl_namespace_get_devname(from), "resource",
					 geteuid() == 0 ? ENXIO : EACCES);
	r = copy_text(&ns->name, ndctl_namespace_get_devname(from), reterr);
	if (r < 0)
		return r;
	r = copy_text(&ns->label, ndctl_namespace_get_alt_name(from), reterr);
	if (r < 0)
		return r;
	kernel_nd_uuid(from, &ns->uuid);
	if (read_at(fd, ns->name, "holder", holder, sizeof(holder)) < 0)
		holder[0] = 0;
	ns->mode = mode_of(fd, ns->name, holder);
	if (holder[0]) {
		r = copy_text(&ns->claim, holder, reterr);
		if (r < 0)
			return r;
		read_holder(fd, ns, holder);
	} else {
		ns->enabled = is_bound(fd, ns->name);
		ns->size = ns->enabled ? ns->range.size : 0;
	}
	if (!ns->enabled)
		return 0;
	if (ns->mode == NAMESPACE_DEVDAX)
		return read_namespace_device(fd, ns, holder, topology, names, reterr);
	return read_blockdev(fd, ns, holder[0] ? holder : ns->name, names, reterr);
}

/* "4096 2097152 [1073741824]" of the seed for devdax namespaces. */
static uint64_t read_aligns(int fd)
{
	char seed[SYSFS_NAME_MAX], text[256];
	uint64_t aligns = 0;

	if (sysfs_read(fd, "dax_seed", seed, sizeof(seed)) <= 0 ||
	    read_at(fd, seed, "supported_alignments", text, sizeof(text)) <= 0)
		return ALIGN_4K;
	for (char *rest = text, *word; (word = strsep(&rest, " []"));)
		aligns |= strtoull(word, NULL, 10) & (ALIGN_4K | ALIGN_2M | ALIGN_1G);
	return aligns;
}

static int scan_namespaces(struct topology *topology, struct region *region,
			   struct ndctl_region *from, struct kernel_names *names,
			   struct error *reterr)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	struct ndctl_namespace *ns;
	int r;

	if (asprintf(&path, "/sys/devices%s", region->path) < 0) {
		path = NULL;
		return error_oom(reterr);
	}
	fd = sysfs_open(AT_FDCWD, path);
	if (fd < 0)
		return error_set(reterr, -fd, "Cannot open %s: %s.", path, strerror(-fd));
	region->aligns = read_aligns(fd);
	/* libndctl tells it only of regions with labels. */
	if (sysfs_read_u64(fd, "set_cookie", &region->cookie) < 0)
		region->cookie = 0; /* no DIMMs */
	r = set_region_uuid(region, reterr);
	if (r < 0)
		return r;
	ndctl_namespace_foreach(from, ns) {
		struct namespace *slot;

		if (kernel_nd_namespace_idle(ns))
			continue;
		slot = ARRAY_APPEND(region->namespaces, region->n_namespaces);
		if (!slot)
			return error_oom(reterr);
		region->n_namespaces++;
		r = fill_namespace(fd, slot, ns, topology, names, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_region(struct topology *topology, struct ndctl_bus *bus,
		       struct ndctl_region *from, struct kernel_names *names,
		       struct error *reterr)
{
	struct region *region = ARRAY_APPEND(topology->regions, topology->n_regions);
	int r;

	if (!region)
		return error_oom(reterr);
	topology->n_regions++;
	r = copy_text(&region->name, ndctl_region_get_devname(from), reterr);
	if (r < 0)
		return r;
	r = kernel_nd_region_path(from, &region->path, reterr);
	if (r < 0)
		return r;
	r = copy_text(&region->provider, ndctl_bus_get_provider(bus), reterr);
	if (r < 0)
		return r;
	r = fill_numbers(region, from, reterr);
	if (r < 0)
		return r;
	r = add_dimms(region, from, reterr);
	if (r < 0)
		return r;
	return scan_namespaces(topology, region, from, names, reterr);
}

int kernel_scan_nd(struct topology *topology, struct kernel_names *names, struct error *reterr)
{
	_cleanup_(kernel_nd_close) struct ndctl_ctx *ctx = NULL;
	struct ndctl_bus *bus;
	int r;

	if (access("/sys/bus/nd/devices", F_OK) < 0)
		return 0; /* no nd bus, nothing on it */
	r = kernel_nd_open(&ctx, reterr);
	if (r < 0)
		return r;
	ndctl_bus_foreach(ctx, bus) {
		struct ndctl_region *region;
		struct ndctl_dimm *dimm;

		ndctl_dimm_foreach(bus, dimm) {
			r = scan_dimm(topology, bus, dimm, reterr);
			if (r < 0)
				return r;
		}
		ndctl_region_foreach(bus, region) {
			r = scan_region(topology, bus, region, names, reterr);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
