/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <ndctl/ndctl.h>
#include <unistd.h>

bool kernel_is_device_name(const char *name)
{
	if (strncmp(name, "dax", 3) != 0 || name[3] < '0' || name[3] > '9')
		return false;
	name += 3 + strspn(name + 3, "0123456789");
	return name[0] == '.' && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

struct mapping {
	uint64_t page_offset;
	struct range range;
};

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return (x->page_offset > y->page_offset) - (x->page_offset < y->page_offset);
}

static int read_mapping(int fd, const char *name, unsigned int index, bool with_offset,
			struct mapping *ret, struct error *reterr)
{
	char attribute[48];
	uint64_t end;
	int r;

	(void)snprintf(attribute, sizeof(attribute), "mapping%u/start", index);
	r = sysfs_read_u64(fd, attribute, &ret->range.start);
	if (r < 0)
		return kernel_unreadable(reterr, name, attribute, -r);
	(void)snprintf(attribute, sizeof(attribute), "mapping%u/end", index);
	r = sysfs_read_u64(fd, attribute, &end);
	if (r == 0 && end < ret->range.start)
		r = -ERANGE;
	if (r < 0)
		return kernel_unreadable(reterr, name, attribute, -r);
	ret->range.size = end - ret->range.start + 1;
	if (!with_offset)
		return 0;
	(void)snprintf(attribute, sizeof(attribute), "mapping%u/page_offset", index);
	r = sysfs_read_hex(fd, attribute, &ret->page_offset);
	return r < 0 ? kernel_unreadable(reterr, name, attribute, -r) : 0;
}

/* A device with several ranges: the folder knows their numbers, page_offset their order. */
static int read_several_ranges(int fd, const char *name, struct range_list *ret,
			       struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(fd, ".");
	_cleanup_(freep) struct mapping *mappings = NULL;
	const struct dirent *entry;
	size_t n = 0;
	int r;

	if (!dir)
		return kernel_unreadable(reterr, name, "", errno);
	while ((entry = sysfs_next(dir))) {
		struct mapping *mapping;
		uint64_t index;

		if (sysfs_name_number(entry->d_name, "mapping", &index) < 0)
			continue;
		mapping = ARRAY_APPEND(mappings, n);
		if (!mapping)
			return error_oom(reterr);
		r = read_mapping(fd, name, (unsigned int)index, true, mapping, reterr);
		if (r < 0)
			return r;
		n++;
	}
	if (n > 1)
		qsort(mappings, n, sizeof(mappings[0]), compare_mappings);
	for (size_t i = 0; i < n; i++)
		if (range_list_add(ret, mappings[i].range) < 0)
			return error_oom(reterr);
	return 0;
}

/* Nearly all devices have one range: that costs two reads and no listing. */
static int read_ranges(int fd, const char *name, uint64_t size, struct range_list *ret,
		       struct error *reterr)
{
	struct range_list list = { 0 };
	struct mapping first;
	int r;

	if (size == 0)
		return 0;
	r = read_mapping(fd, name, 0, false, &first, reterr);
	if (r < 0 && reterr->code == ENOENT)
		error_clear(reterr); /* mapping0 is gone when its range was the first to go */
	else if (r < 0)
		return r;
	if (r == 0 && first.range.size == size)
		r = range_list_add(&list, first.range) < 0 ? error_oom(reterr) : 0;
	else
		r = read_several_ranges(fd, name, &list, reterr);
	if (r < 0) {
		range_list_clear(&list);
		return r;
	}
	*ret = list;
	return 0;
}

int kernel_read_ranges(int fd, const char *name, struct range_list *ret, struct error *reterr)
{
	uint64_t size;
	int r;

	r = sysfs_read_u64(fd, "size", &size);
	if (r < 0)
		return kernel_unreadable(reterr, name, "size", -r);
	return read_ranges(fd, name, size, ret, reterr);
}

int kernel_read_driver(int fd, const char *name, enum driver *ret, char **ret_name,
		       struct error *reterr)
{
	char driver[SYSFS_NAME_MAX];
	char *other;
	int r;

	*ret = DRIVER_NONE;
	r = sysfs_read_link(fd, "driver", driver, sizeof(driver));
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return kernel_unreadable(reterr, name, "driver", -r);
	if (strcmp(driver, "device_dax") == 0)
		*ret = DRIVER_DEVICE_DAX;
	else if (strcmp(driver, "kmem") == 0)
		*ret = DRIVER_KMEM;
	else
		*ret = DRIVER_OTHER;
	if (*ret != DRIVER_OTHER || !ret_name)
		return 0;
	other = strdup(driver);
	if (!other)
		return error_oom(reterr);
	*ret_name = other;
	return 0;
}

static int read_device(int fd, struct dax_device *device, struct kernel_names *names,
		       struct error *reterr)
{
	int r;

	r = sysfs_read_u64(fd, "size", &device->size);
	if (r < 0)
		return kernel_unreadable(reterr, device->name, "size", -r);
	r = sysfs_read_u64(fd, "align", &device->align);
	if (r < 0)
		return kernel_unreadable(reterr, device->name, "align", -r);
	r = kernel_read_driver(fd, device->name, &device->driver, &device->driver_name, reterr);
	if (r < 0)
		return r;
	r = read_ranges(fd, device->name, device->size, &device->ranges, reterr);
	if (r < 0)
		return r;
	return kernel_read_access(device->name, names, &device->node, reterr);
}

int kernel_read_device(int fd, const char *name, struct kernel_names *names,
		       struct dax_device *ret, struct error *reterr)
{
	struct dax_device device = { .target_node = -1, .numa = -1 };
	int r;

	device.name = strdup(name);
	if (!device.name)
		return error_oom(reterr);
	r = read_device(fd, &device, names, reterr);
	if (r < 0) {
		dax_device_clear(&device);
		return r;
	}
	*ret = device;
	return 0;
}

int kernel_read_nodes(int fd, struct dax_device *device, struct error *reterr)
{
	int r;

	/* The kernel hides target_node where it knows none. */
	r = sysfs_read_int(fd, "target_node", &device->target_node);
	if (r == -ENOENT)
		device->target_node = -1;
	else if (r < 0)
		return kernel_unreadable(reterr, device->name, "target_node", -r);
	r = sysfs_read_int(fd, "numa_node", &device->numa);
	if (r == -ENOENT)
		device->numa = -1;
	else if (r < 0)
		return kernel_unreadable(reterr, device->name, "numa_node", -r);
	return 0;
}

void kernel_device_close(struct kernel_device *device)
{
	closep(&device->fd);
	closep(&device->region_fd);
	*device = KERNEL_DEVICE_INIT;
}

/* A step may have come from outside: nothing but a region below /sys/devices will do. */
static bool is_region_path(const char *path)
{
	return path[0] == '/' && path[1] && !strstr(path, "/..");
}

int kernel_open_region(const struct step *step, struct error *reterr)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (!is_region_path(step->region))
		return error_set(reterr, EINVAL, "\"%s\" is not the path of a region.",
				 step->region);

	if (asprintf(&path, "/sys/devices%s", step->region) < 0) {
		path = NULL;
		return error_oom(reterr);
	}
	fd = sysfs_open(AT_FDCWD, path);
	if (fd == -ENOENT)
		return error_set(reterr, ENOENT, "There is no region %s any more.", step->region);
	if (fd < 0)
		return error_set(reterr, -fd, "Cannot open the region %s: %s.", step->region,
				 strerror(-fd));
	return fd;
}

int kernel_find_below(int folder, kernel_accept *accept, const void *data,
		      struct kernel_device *ret, struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(folder, ".");
	const struct dirent *entry;

	if (!dir)
		return error_set(reterr, errno, "Cannot list a dax region: %s.", strerror(errno));
	while ((entry = sysfs_next(dir))) {
		_cleanup_(closep) int fd = -1;
		int r;

		if (!kernel_is_device_name(entry->d_name))
			continue;
		fd = sysfs_open(folder, entry->d_name);
		if (fd < 0)
			continue; /* it went away meanwhile */
		r = accept(fd, entry->d_name, data, reterr);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		ret->fd = fd;
		fd = -1;
		(void)snprintf(ret->name, sizeof(ret->name), "%s", entry->d_name);
		return 1;
	}
	return 0;
}

/* "resource" is where the first range starts, of a device without any where the region does. */
static int starts_at(int fd, const char *name, const void *data, struct error *reterr)
{
	uint64_t start, size = 0;
	int r;

	r = sysfs_read_u64(fd, "resource", &start);
	if (r < 0)
		return kernel_unreadable(reterr, name, "resource", -r);
	if (start != *(const uint64_t *)data)
		return 0;
	r = sysfs_read_u64(fd, "size", &size);
	return r < 0 ? kernel_unreadable(reterr, name, "size", -r) : size > 0;
}

static int is_dax_device(int fd, const char *name, const void *data, struct error *reterr)
{
	(void)name, (void)data, (void)reterr; /* the form that kernel_find_below() asks for */
	/* The nd dax object of a namespace has the same form of name, but no node. */
	return faccessat(fd, "dev", F_OK, 0) == 0 && faccessat(fd, "target_node", F_OK, 0) == 0;
}

int kernel_find_namespace_folder(int region_fd, const struct uuid *uuid, char *name,
				 struct error *reterr)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(region_fd, ".");
	const struct dirent *entry;
	uint64_t type;

	if (!dir)
		return error_set(reterr, errno, "Cannot list a region: %s.", strerror(errno));
	/* Without a uuid only the one namespace of a region without labels can be meant. */
	if (!uuid_is_set(uuid) &&
	    (sysfs_read_u64(region_fd, "nstype", &type) < 0 || type != ND_DEVICE_NAMESPACE_IO))
		return 0;
	while ((entry = sysfs_next(dir))) {
		char attribute[SYSFS_NAME_MAX + 16], text[64];
		uint64_t size = 0;

		if (strncmp(entry->d_name, "namespace", 9) != 0 ||
		    strcmp(entry->d_name, "namespace_seed") == 0)
			continue;
		if (uuid_is_set(uuid)) {
			(void)snprintf(attribute, sizeof(attribute), "%s/uuid", entry->d_name);
			if (sysfs_read(region_fd, attribute, text, sizeof(text)) < 0 ||
			    strcasecmp(text, uuid->text) != 0)
				continue;
		} else {
			(void)snprintf(attribute, sizeof(attribute), "%s/size", entry->d_name);
			if (sysfs_read_u64(region_fd, attribute, &size) < 0 || size == 0)
				continue;
		}
		(void)snprintf(name, SYSFS_NAME_MAX, "%s", entry->d_name);
		return 1;
	}
	return 0;
}

/* What has the namespace: dax1.0, pfn1.0, btt1.0, or "" for a raw one. */
static int find_namespace_holder(int region_fd, const struct step *step, char *namespace,
				 char *holder, struct error *reterr)
{
	char attribute[SYSFS_NAME_MAX + 16];
	int r;

	r = kernel_find_namespace_folder(region_fd, &step->uuid, namespace, reterr);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(reterr, ENOENT, "The region %s has no namespace %s.",
				 step->region, step->uuid.text);
	(void)snprintf(attribute, sizeof(attribute), "%s/holder", namespace);
	r = sysfs_read(region_fd, attribute, holder, SYSFS_NAME_MAX);
	return r < 0 ? kernel_unreadable(reterr, namespace, "holder", -r) : 0;
}

static int find_of_namespace(int region_fd, const struct step *step, struct kernel_device *ret,
			     struct error *reterr)
{
	char namespace[SYSFS_NAME_MAX], holder[SYSFS_NAME_MAX];
	_cleanup_(closep) int fd = -1;
	int r;

	r = find_namespace_holder(region_fd, step, namespace, holder, reterr);
	if (r < 0)
		return r;
	if (strncmp(holder, "dax", 3) != 0)
		return error_set(reterr, ENOENT, "%s is not in devdax mode or not enabled.",
				 namespace);
	fd = sysfs_open(region_fd, holder);
	if (fd < 0)
		return kernel_unreadable(reterr, namespace, holder, -fd);
	r = kernel_find_below(fd, is_dax_device, NULL, ret, reterr);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(reterr, ENOENT, "%s has no dax device: it is not enabled.",
				 namespace);
	ret->region_fd = fd;
	fd = -1;
	return 0;
}

/* Is it the device that has the name now? Takes any error away: a walk will tell. */
static int find_by_name(int region_fd, const struct step *step, struct kernel_device *ret)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = -1;

	if (!step->object || !kernel_is_device_name(step->object))
		return 0;
	fd = sysfs_open(region_fd, step->object);
	if (fd < 0 || starts_at(fd, step->object, &step->start, &error) <= 0)
		return 0;
	ret->fd = fd;
	fd = -1;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", step->object);
	return 1;
}

int kernel_find_device(const struct step *step, struct kernel_device *ret, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int region_fd = kernel_open_region(step, reterr);
	int r;

	if (region_fd < 0)
		return region_fd;
	if (uuid_is_set(&step->uuid) || faccessat(region_fd, "dax_region", F_OK, 0) < 0) {
		r = find_of_namespace(region_fd, step, &device, reterr);
	} else {
		r = find_by_name(region_fd, step, &device);
		if (r == 0)
			r = kernel_find_below(region_fd, starts_at, &step->start, &device, reterr);
		if (r == 0)
			r = error_set(reterr, ENOENT,
				      "The region %s has no device that starts at 0x%" PRIx64 ".",
				      step->region, step->start);
		device.region_fd = region_fd;
		region_fd = -1;
	}
	if (r < 0)
		return r;
	*ret = device;
	device = KERNEL_DEVICE_INIT;
	return 0;
}

/* The block device of pfn1.0, btt1.0 or namespace1.0: the only entry of its block folder. */
static int find_blockdev(int region_fd, const char *owner, char *name, struct error *reterr)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	if (asprintf(&path, "%s/block", owner) < 0) {
		path = NULL;
		return error_oom(reterr);
	}
	dir = sysfs_open_dir(region_fd, path);
	entry = dir ? sysfs_next(dir) : NULL;
	if (!entry)
		return error_set(reterr, ENOENT, "%s has no block device: it is not enabled.",
				 owner);
	(void)snprintf(name, SYSFS_NAME_MAX, "%s", entry->d_name);
	return 0;
}

int kernel_find_node(const struct step *step, char *name, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	char namespace[SYSFS_NAME_MAX], holder[SYSFS_NAME_MAX];
	_cleanup_(closep) int region_fd = kernel_open_region(step, reterr);
	int r;

	if (region_fd < 0)
		return region_fd;
	if (uuid_is_set(&step->uuid) || faccessat(region_fd, "dax_region", F_OK, 0) < 0) {
		r = find_namespace_holder(region_fd, step, namespace, holder, reterr);
		if (r < 0)
			return r;
		if (strncmp(holder, "dax", 3) != 0)
			return find_blockdev(region_fd, holder[0] ? holder : namespace, name,
					     reterr);
	}
	r = kernel_find_device(step, &device, reterr);
	if (r < 0)
		return r;
	(void)snprintf(name, SYSFS_NAME_MAX, "%s", device.name);
	return 0;
}
