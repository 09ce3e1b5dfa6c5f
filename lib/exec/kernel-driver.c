/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drivers of dax devices.  Writing new_id makes the kernel probe every driverless device that
 * the driver matches, not only the one named: so whoever binds holds a lock against others
 * that create, resize or bind, and gives back what the driver took besides.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <libkmod.h>

#include "base/size.h"

#define DRIVERS "/sys/bus/dax/drivers"

int kernel_lock_dax(enum kernel_lock lock, struct error *reterr)
{
	_cleanup_(closep) int fd = sysfs_open(AT_FDCWD, "/sys/bus/dax");
	int ret;

	if (fd < 0)
		return error_set(reterr, -fd, "Cannot open /sys/bus/dax: %s.", strerror(-fd));
	while (flock(fd, lock == KERNEL_LOCK_SHARED ? LOCK_SH : LOCK_EX) < 0)
		if (errno != EINTR)
			return error_set(reterr, errno, "Cannot lock /sys/bus/dax: %s.",
					 strerror(errno));
	ret = fd;
	fd = -1;
	return ret;
}

static int insert_module(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *list = NULL, *item;
	int r;

	r = kmod_module_new_from_lookup(ctx, name, &list);
	if (r < 0)
		return r;
	r = list ? 0 : -ENOENT;
	kmod_list_foreach(item, list) {
		struct kmod_module *module = kmod_module_get_module(item);

		r = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL,
						    NULL, NULL, NULL);
		(void)kmod_module_unref(module); /* NULL when it was the last reference */
		if (r == 0)
			break;
	}
	(void)kmod_module_unref_list(list); /* always 0 */
	return r > 0 ? -EPERM : r;	    /* positive: on the blacklist */
}

int kernel_load_module(const char *module, const char *driver_folder, struct error *reterr)
{
	struct kmod_ctx *ctx;
	int r;

	/* Loaded or built in: either way the driver is there. */
	if (access(driver_folder, F_OK) == 0)
		return 0;
	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return error_oom(reterr);
	r = insert_module(ctx, module);
	(void)kmod_unref(ctx); /* NULL when it was the last reference */
	if (access(driver_folder, F_OK) == 0)
		return 0;
	if (r == 0)
		r = -ENOENT;
	if (r == -ENOENT)
		return error_set(reterr, ENOENT, "This kernel has no module %s.", module);
	return error_set(reterr, -r, "Cannot load the kernel module %s: %s.", module,
			 r == -EPERM ? "it is on the blacklist or loading is not permitted" :
				       strerror(-r));
}

const char *kernel_driver_name(enum driver driver)
{
	switch (driver) {
	case DRIVER_DEVICE_DAX:
		return "device_dax";
	case DRIVER_KMEM:
		return "kmem";
	case DRIVER_NONE:
	case DRIVER_OTHER:
		break;
	}
	return "no driver";
}

static int write_driver(const char *driver, const char *attribute, const char *device)
{
	char path[128];

	(void)snprintf(path, sizeof(path), DRIVERS "/%s/%s", driver, attribute);
	return sysfs_write(AT_FDCWD, path, device);
}

static enum driver driver_now(const struct kernel_device *device)
{
	char name[SYSFS_NAME_MAX];

	if (sysfs_read_link(device->fd, "driver", name, sizeof(name)) < 0)
		return DRIVER_NONE;
	if (strcmp(name, "device_dax") == 0)
		return DRIVER_DEVICE_DAX;
	return strcmp(name, "kmem") == 0 ? DRIVER_KMEM : DRIVER_OTHER;
}

struct names {
	char (*names)[SYSFS_NAME_MAX];
	size_t n;
};

static void names_clear(struct names *names)
{
	free(names->names);
	*names = (struct names){ 0 };
}

static bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

/* The devices that a driver has. */
static int list_devices(const char *driver, struct names *ret)
{
	char path[128];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	dir = sysfs_open_dir(AT_FDCWD, path);
	while (dir && (entry = sysfs_next(dir))) {
		char *name;

		if (!kernel_is_device_name(entry->d_name))
			continue;
		name = array_grow(&ret->names, ret->n, sizeof(ret->names[0]));
		if (!name)
			return -ENOMEM;
		(void)snprintf(name, sizeof(ret->names[0]), "%s", entry->d_name);
		ret->n++;
	}
	return 0;
}

/* Tell the driver the name; it takes the device, and maybe others, which are given back. */
static int bind_by_id(const struct kernel_device *device, const char *driver,
		      struct error *reterr)
{
	_cleanup_(names_clear) struct names before = { 0 }, after = { 0 };
	int r;

	if (list_devices(driver, &before) < 0)
		return error_oom(reterr);
	r = write_driver(driver, "new_id", device->name);
	if (r < 0)
		return kernel_refused(reterr, driver, "new_id", device->name, -r);
	if (list_devices(driver, &after) < 0)
		return error_oom(reterr);
	for (size_t i = 0; i < after.n; i++)
		if (strcmp(after.names[i], device->name) != 0 &&
		    !names_have(&before, after.names[i]))
			/* It was driverless a moment ago, so nothing can be lost. */
			(void)write_driver(driver, "unbind", after.names[i]);
	return 0;
}

static int bind_now(const struct kernel_device *device, enum driver driver,
		    struct error *reterr)
{
	const char *name = kernel_driver_name(driver);
	int r;

	r = write_driver(name, "bind", device->name);
	if (r < 0 && driver_now(device) != driver) {
		r = bind_by_id(device, name, reterr);
		if (r < 0)
			return r;
		/* A probe that failed inside new_id says why when it is asked for by name. */
		r = driver_now(device) == driver ? 0 : write_driver(name, "bind", device->name);
	}
	if (driver_now(device) == driver)
		return 0;
	(void)write_driver(name, "remove_id", device->name); /* nothing stays of a failure */
	return kernel_refused(reterr, name, "bind", device->name, r < 0 ? -r : EIO);
}

/* What kmem asks of a device; the kernel would only say EINVAL. */
static int check_kmem(const struct kernel_device *device, struct error *reterr)
{
	_cleanup_(range_list_clear) struct range_list ranges = { 0 };
	uint64_t block_size, usable = 0;
	int node, r;

	r = sysfs_read_int(device->fd, "target_node", &node);
	if (r < 0 || node < 0) {
		(void)error_set(reterr, EINVAL, "%s cannot be system memory: the firmware gives "
				"it no memory node (target_node).", device->name);
		return error_hint(reterr, "The SRAT or HMAT of the firmware must describe it.");
	}
	r = kernel_memory_block_size(&block_size, reterr);
	if (r < 0)
		return r;
	if (block_size == 0)
		return error_set(reterr, EOPNOTSUPP, "This kernel cannot add memory: it has no "
				 "/sys/devices/system/memory/block_size_bytes.");
	r = kernel_read_ranges(device->fd, device->name, &ranges, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ranges.n; i++)
		usable += range_trim(ranges.ranges[i], block_size).size;
	if (usable)
		return 0;
	(void)error_set(reterr, EINVAL, "%s cannot be system memory: none of its ranges holds a "
			"whole memory block of %s.", device->name, SIZE_STR(block_size));
	return error_hint(reterr, "Make it at least %s, at a multiple of that.",
			  SIZE_STR(block_size));
}

static int bind_kmem(const struct kernel_device *device, struct error *reterr)
{
	int r;

	r = check_kmem(device, reterr);
	if (r == 0)
		r = kernel_hold_policy(reterr);
	if (r < 0)
		return r;
	r = bind_now(device, DRIVER_KMEM, reterr);
	kernel_release_policy();
	return r;
}

int kernel_bind(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	const char *name = kernel_driver_name(step->driver);
	_cleanup_(closep) int lock = -1;
	char folder[128];
	enum driver now;
	int r;

	(void)snprintf(folder, sizeof(folder), DRIVERS "/%s", name);
	r = kernel_load_module(name, folder, reterr);
	if (r < 0)
		return r;
	lock = kernel_lock_dax(KERNEL_LOCK_ALONE, reterr);
	if (lock < 0)
		return lock;
	r = kernel_find_device(step, &device, reterr);
	if (r < 0)
		return r;
	now = driver_now(&device);
	if (now == step->driver)
		return 0;
	if (now != DRIVER_NONE) {
		(void)error_set(reterr, EBUSY, "%s has the driver %s already.", device.name,
				kernel_driver_name(now));
		return error_hint(reterr, "Unbind it first.");
	}
	return step->driver == DRIVER_KMEM ? bind_kmem(&device, reterr) :
					     bind_now(&device, step->driver, reterr);
}

static int check_unbind(const struct kernel_device *device, enum driver now,
			struct error *reterr)
{
	if (now == DRIVER_KMEM)
		return kernel_check_offline(device, reterr);
	return kernel_check_device_free(device->name, reterr);
}

int kernel_unbind(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_SHARED, reterr);
	const char *name = kernel_driver_name(step->driver);
	enum driver now;
	int r;

	if (lock < 0)
		return lock;
	r = kernel_find_device(step, &device, reterr);
	if (r < 0)
		return r;
	now = driver_now(&device);
	if (now == DRIVER_NONE)
		return 0;
	if (now != step->driver)
		return error_set(reterr, EBUSY, "%s has the driver %s and not %s.", device.name,
				 kernel_driver_name(now), name);
	r = check_unbind(&device, now, reterr);
	if (r < 0)
		return r;
	(void)write_driver(name, "remove_id", device.name); /* fine when it was not listed */
	r = write_driver(name, "unbind", device.name);
	if (r < 0 && driver_now(&device) != DRIVER_NONE)
		return kernel_refused(reterr, name, "unbind", device.name, -r);
	return 0;
}

int kernel_verify_driver(const struct step *step, enum driver want, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	enum driver now;
	int r;

	r = kernel_find_device(step, &device, reterr);
	if (r < 0)
		return r;
	now = driver_now(&device);
	if (now == want)
		return 0;
	return error_set(reterr, EIO, "%s has %s and not %s.", device.name,
			 now == DRIVER_OTHER ? "another driver" : kernel_driver_name(now),
			 kernel_driver_name(want));
}
