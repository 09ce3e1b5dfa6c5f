/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DIMMs, pmem regions and their namespaces, straight from sysfs: libndctl would look up a kernel
 * module for each object, and read what nobody asks for; it was half the time of a scan.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define CXL_DEVICES "/sys/bus/cxl/devices"
#define ND_DEVICES "/sys/bus/nd/devices"
/* enum nd_device_type of linux/ndctl.h: namespaces with labels. */
#define ND_TYPE_NAMESPACE_PMEM 5

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

static uint64_t number_at(int fd, const char *object, const char *attribute)
{
	char path[2 * SYSFS_NAME_MAX];
	uint64_t value;

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	return sysfs_read_u64(fd, path, &value) < 0 ? 0 : value;
}

static int node_at(int fd, const char *attribute)
{
	int node;

	return sysfs_read_int(fd, attribute, &node) < 0 ? -1 : node;
}

static int read_text(int fd, const char *attribute, char **ret, struct error *reterr)
{
	char text[SYSFS_VALUE_MAX];

	if (sysfs_read(fd, attribute, text, sizeof(text)) < 0)
		return 0;
	return copy_text(ret, text, reterr);
}

/* The kernel says "label" (or "alias") once it has taken over an index block. */
static enum label_state labels_of(int fd, const char *flags)
{
	char text[64];

	if (sysfs_read(fd, "available_slots", text, sizeof(text)) < 0)
		return LABELS_NONE;
	return strstr(flags, "label") || strstr(flags, "alias") ? LABELS_VALID : LABELS_BLANK;
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += length)
		if ((at == text || at[-1] == ' ') && (at[length] == 0 || at[length] == ' '))
			return true;
	return false;
}

/* bus: its folder, .../ndbus0 */
static int scan_dimm(struct topology *topology, int fd, const char *name, const char *bus,
		     struct error *reterr)
{
	struct dimm *dimm = ARRAY_APPEND(topology->dimms, topology->n_dimms);
	char flags[256], security[64];
	uint64_t handle;
	int r;

	if (!dimm)
		return error_oom(reterr);
	topology->n_dimms++;
	dimm->handle = sysfs_read_u64(fd, "nfit/handle", &handle) == 0 && handle <= INT_MAX ?
			       (int)handle : -1;
	if (sysfs_read(fd, "flags", flags, sizeof(flags)) < 0)
		flags[0] = 0;
	if (sysfs_read(fd, "security", security, sizeof(security)) < 0)
		security[0] = 0;
	dimm->locked = has_word(flags, "lock") || strcmp(security, "locked") == 0;
	dimm->labels = labels_of(fd, flags);
	r = copy_text(&dimm->name, name, reterr);
	if (r == 0)
		r = read_text(fd, "nfit/id", &dimm->id, reterr);
	if (r == 0 && !dimm->id)
		r = read_text(fd, "cxl/id", &dimm->id, reterr);
	if (r == 0)
		r = copy_text(&dimm->bus, strrchr(bus, '/') + 1, reterr);
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

/* What its DIMMs make of it; the region decides once, when its driver is bound. */
static enum label_state labels_of_region(const struct topology *topology,
					 const struct region *region, uint64_t type)
{
	enum label_state state = region->n_dimms ? LABELS_VALID : LABELS_NONE;

	for (size_t i = 0; i < region->n_dimms; i++)
		for (size_t j = 0; j < topology->n_dimms; j++)
			if (strcmp(topology->dimms[j].name, region->dimms[i]) == 0 &&
			    topology->dimms[j].labels < state)
				state = topology->dimms[j].labels;
	if (!region->n_dimms || type == ND_TYPE_NAMESPACE_PMEM)
		return region->n_dimms ? LABELS_VALID : LABELS_NONE;
	return state < LABELS_BLANK ? state : LABELS_BLANK;
}

/* "nmem0,0,2147352576,0" of mapping0, mapping1, ... */
static int add_dimms(struct region *region, int fd, uint64_t n, struct error *reterr)
{
	for (uint64_t i = 0; i < n; i++) {
		char attribute[32], text[256];
		char **name;
		int r;

		(void)snprintf(attribute, sizeof(attribute), "mapping%" PRIu64, i);
		if (sysfs_read(fd, attribute, text, sizeof(text)) <= 0)
			continue;
		text[strcspn(text, ",")] = 0;
		name = ARRAY_APPEND(region->dimms, region->n_dimms);
		if (!name)
			return error_oom(reterr);
		r = copy_text(name, text, reterr);
		if (r < 0)
			return r;
		region->n_dimms++;
	}
	return 0;
}

static int fill_numbers(const struct topology *topology, struct region *region, int fd,
			struct error *reterr)
{
	uint64_t id, ways = 0, type = 0, read_only = 0;
	int r;

	region->type = REGION_PMEM;
	if (sysfs_name_number(region->name, "region", &id) < 0 || id > INT_MAX)
		id = 0;
	region->id = (int)id;
	r = sysfs_read_u64(fd, "resource", &region->range.start);
	if (r == 0 && region->range.start == UINT64_MAX)
		r = -ENXIO;
	if (r < 0)
		return kernel_unreadable(reterr, region->name, "resource",
					 geteuid() == 0 ? ENXIO : EACCES);
	region->range.size = number_at(fd, ".", "size");
	region->align = number_at(fd, ".", "align");
	region->target_node = node_at(fd, "target_node");
	region->numa = node_at(fd, "numa_node");
	(void)sysfs_read_u64(fd, "mappings", &ways); /* not there: 0 */
	(void)sysfs_read_u64(fd, "nstype", &type);
	(void)sysfs_read_u64(fd, "read_only", &read_only);
	r = add_dimms(region, fd, ways, reterr);
	if (r < 0)
		return r;
	region->ways = ways ? (unsigned int)ways : 1; /* no DIMMs, as with virtio-pmem */
	region->labels = labels_of_region(topology, region, type);
	region->read_only = read_only == 1;
	region->enabled = faccessat(fd, "driver", F_OK, 0) == 0;
	/* Without labels all of the region is one namespace, whatever the kernel counts. */
	if (region->labels == LABELS_VALID)
		region->available = number_at(fd, ".", "available_size");
	return 0;
}

/* Attributes are given as two components, below the folder of the region. */
static int read_at(int fd, const char *object, const char *attribute, char *text, size_t size)
{
	char path[2 * SYSFS_NAME_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	return sysfs_read(fd, path, text, size);
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
	if (r == 0)
		r = kernel_read_access(ns->blockdev, names, &ns->node, reterr);
	return r < 0 || names->brief ? r : kernel_scan_disk(ns, reterr);
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
		if (r == 0 && !names->brief)
			r = kernel_scan_windows(&ns->info_uuid, ns->device, reterr);
		if (r < 0)
			return r;
		return kernel_read_blocks(device_fd, ns->device, topology->memory_block_size,
					  reterr);
	}
	return 0;
}

static int fill_namespace(int fd, struct namespace *ns, const char *name, uint64_t size,
			  struct topology *topology, struct kernel_names *names,
			  struct error *reterr)
{
	char holder[SYSFS_NAME_MAX], text[SYSFS_VALUE_MAX];
	int r;

	ns->range.size = size;
	ns->range.start = UINT64_MAX;
	if (read_at(fd, name, "resource", text, sizeof(text)) > 0)
		ns->range.start = strtoull(text, NULL, 0);
	if (ns->range.start == UINT64_MAX)
		return kernel_unreadable(reterr, name, "resource",
					 geteuid() == 0 ? ENXIO : EACCES);
	r = copy_text(&ns->name, name, reterr);
	if (r < 0)
		return r;
	if (read_at(fd, name, "alt_name", text, sizeof(text)) > 0 && text[0]) {
		ns->label = text_clean(text); /* by whoever made it, in whatever encoding */
		if (!ns->label)
			return error_oom(reterr);
	}
	if (read_at(fd, name, "uuid", text, sizeof(text)) > 0 && strspn(text, "0-") != strlen(text))
		(void)uuid_parse_text(text, &ns->uuid); /* "" when it is none */
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

static int scan_namespaces(struct topology *topology, struct region *region, int fd,
			   struct kernel_names *names, struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, ".");
	const struct dirent *entry;
	int r;

	region->aligns = read_aligns(fd);
	/* The kernel tells it of regions with DIMMs. */
	if (sysfs_read_u64(fd, "set_cookie", &region->cookie) < 0)
		region->cookie = 0;
	r = set_region_uuid(region, reterr);
	if (r < 0)
		return r;
	while (dir && (entry = sysfs_next(dir))) {
		struct namespace *slot;
		uint64_t size;

		if (strncmp(entry->d_name, "namespace", strlen("namespace")) != 0 ||
		    strcmp(entry->d_name, "namespace_seed") == 0)
			continue;
		size = number_at(fd, entry->d_name, "size");
		if (size == 0)
			continue;
		slot = ARRAY_APPEND(region->namespaces, region->n_namespaces);
		if (!slot)
			return error_oom(reterr);
		region->n_namespaces++;
		r = fill_namespace(fd, slot, entry->d_name, size, topology, names, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_region(struct topology *topology, int fd, const char *name, const char *path,
		       const char *bus, struct kernel_names *names, struct error *reterr)
{
	struct region *region = ARRAY_APPEND(topology->regions, topology->n_regions);
	char provider[SYSFS_NAME_MAX + PATH_MAX];
	int r;

	if (!region)
		return error_oom(reterr);
	topology->n_regions++;
	(void)snprintf(provider, sizeof(provider), "/sys/devices%s/provider", bus);
	r = copy_text(&region->name, name, reterr);
	if (r == 0)
		r = copy_text(&region->path, path, reterr);
	if (r == 0)
		r = read_text(AT_FDCWD, provider, &region->provider, reterr);
	if (r == 0)
		r = fill_numbers(topology, region, fd, reterr);
	return r < 0 ? r : scan_namespaces(topology, region, fd, names, reterr);
}

/* Where a link of the bus leads below /sys/devices; its parent is the bus. */
static int follow(int nd, const char *name, char *path, char *bus)
{
	char link[PATH_MAX];
	ssize_t n = readlinkat(nd, name, link, sizeof(link) - 1);
	const char *below;

	if (n < 0)
		return -errno; /* it went away meanwhile */
	link[n] = 0;
	below = strstr(link, "/devices/");
	if (!below)
		return -ENODEV;
	(void)snprintf(path, PATH_MAX, "%s", below + strlen("/devices"));
	(void)snprintf(bus, PATH_MAX, "%s", path);
	*strrchr(bus, '/') = 0;
	return strchr(bus, '/') ? 0 : -ENODEV;
}

enum pass { PASS_BUSES, PASS_DIMMS, PASS_REGIONS };

/* daxX.Y of a namespace has the X of its nd region. */
static bool has_dax_device(uint64_t region)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, "/sys/bus/dax/devices");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir)))
		if (kernel_is_device_name(entry->d_name) &&
		    strtoull(entry->d_name + strlen("dax"), NULL, 10) == region)
			return true;
	return false;
}

/* DIMMs come before the regions that lie on them. */
static int scan_object(struct topology *topology, int nd, const char *name, enum pass pass,
		       struct kernel_names *names, struct error *reterr)
{
	static const char *const prefixes[] = { "ndbus", "nmem", "region" };
	char path[PATH_MAX], bus[PATH_MAX], text[SYSFS_NAME_MAX + 16];
	_cleanup_(closep) int fd = -1;
	uint64_t number;

	if (sysfs_name_number(name, prefixes[pass], &number) < 0)
		return 0;
	if (pass == PASS_BUSES) {
		/* It reads once all that is being probed has been. */
		(void)snprintf(path, sizeof(path), "%s/wait_probe", name);
		(void)sysfs_read(nd, path, text, sizeof(text)); /* an old kernel has none */
		return 0;
	}
	if (names->brief && (pass == PASS_DIMMS || !has_dax_device(number)))
		return 0;
	if (follow(nd, name, path, bus) < 0 ||
	    (pass == PASS_REGIONS && !scope_has(names->scope, path)))
		return 0;
	fd = sysfs_open(nd, name);
	if (fd < 0)
		return 0; /* it went away meanwhile */
	if (pass == PASS_DIMMS)
		return scan_dimm(topology, fd, name, bus, reterr);
	return scan_region(topology, fd, name, path, bus, names, reterr);
}

int kernel_scan_nd(struct topology *topology, struct kernel_names *names, struct error *reterr)
{
	_cleanup_(closedirp) DIR *nd = NULL;

	if (!scope_has_nd(names->scope))
		return 0; /* no region of this bus */
	nd = sysfs_open_dir(AT_FDCWD, ND_DEVICES);
	if (!nd && errno == ENOENT)
		return 0; /* no nd bus, nothing on it */
	if (!nd)
		return error_set(reterr, errno, "Cannot list " ND_DEVICES ": %s.",
				 strerror(errno));
	for (enum pass pass = PASS_BUSES; pass <= PASS_REGIONS; pass++) {
		const struct dirent *entry;

		rewinddir(nd);
		while ((entry = sysfs_next(nd))) {
			int r = scan_object(topology, dirfd(nd), entry->d_name, pass, names, reterr);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
