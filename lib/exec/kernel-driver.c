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

#include "base/size.h"
#include "exec/kernel-kmod-library.h"
#include "exec/parallel.h"

#define DRIVERS "/sys/bus/dax/drivers"
#define SEAL_SECONDS 10

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
	r = kmod_library_load(reterr);
	if (r < 0)
		return r;
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

static int names_add(struct names *names, const char *device)
{
	char *name = array_grow(&names->names, names->n, sizeof(names->names[0]));

	if (!name)
		return -ENOMEM;
	(void)snprintf(name, sizeof(names->names[0]), "%s", device);
	names->n++;
	return 0;
}

/* The devices that a driver has. */
static int list_devices(const char *driver, struct names *ret)
{
	char path[128];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	dir = sysfs_open_dir(AT_FDCWD, path);
	while (dir && (entry = sysfs_next(dir)))
		if (kernel_is_device_name(entry->d_name) && names_add(ret, entry->d_name) < 0)
			return -ENOMEM;
	return 0;
}

/* Somebody else may have bound it meanwhile, and use it. */
static bool is_ours_to_give_back(const char *driver, const char *name)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char path[SYSFS_NAME_MAX + 32];

	if (strcmp(driver, "kmem") != 0)
		return kernel_check_device_free(name, false, &error) == 0;
	(void)snprintf(device.name, sizeof(device.name), "%s", name);
	(void)snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s", name);
	device.fd = sysfs_open(AT_FDCWD, path);
	return device.fd >= 0 && kernel_check_offline(&device, &error) == 0;
}

/* Take the driver from all devices that it is not to have: new_id gave it to them unasked. */
static int give_back(const char *driver, const struct names *keep)
{
	_cleanup_(names_clear) struct names now = { 0 };

	if (list_devices(driver, &now) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < now.n; i++)
		if (!names_have(keep, now.names[i]) && is_ours_to_give_back(driver, now.names[i]))
			/* It was driverless a moment ago, so nothing can be lost. */
			(void)write_driver(driver, "unbind", now.names[i]);
	return 0;
}

/* Tell the driver the name; it takes the device, and maybe others, which are given back. */
static int bind_by_id(const struct kernel_device *device, const char *driver,
		      struct error *reterr)
{
	_cleanup_(names_clear) struct names keep = { 0 };
	int r;

	if (list_devices(driver, &keep) < 0 || names_add(&keep, device->name) < 0)
		return error_oom(reterr);
	r = write_driver(driver, "new_id", device->name);
	if (r < 0)
		return kernel_refused(reterr, driver, "new_id", device->name, -r);
	return give_back(driver, &keep) < 0 ? error_oom(reterr) : 0;
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
		r = kernel_check_memory_gone(device->fd, device->name, reterr);
	if (r == 0)
		r = kernel_hold_policy(reterr);
	if (r < 0)
		return r;
	r = bind_now(device, DRIVER_KMEM, reterr);
	kernel_release_policy();
	return r;
}

static int refuse_bound(const struct kernel_device *device, enum driver now,
			struct error *reterr)
{
	(void)error_set(reterr, EBUSY, "%s has the driver %s already.", device->name,
			kernel_driver_name(now));
	return error_hint(reterr, "Unbind it first.");
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
	if (now != DRIVER_NONE)
		return refuse_bound(&device, now, reterr);
	if (step->driver == DRIVER_KMEM)
		return bind_kmem(&device, reterr);
	r = kernel_check_driverless_free(reterr);
	return r < 0 ? r : bind_now(&device, step->driver, reterr);
}

static int bind_one(const struct step *step, struct kernel_device *device, struct error *reterr)
{
	const char *name = kernel_driver_name(step->driver);
	enum driver now;
	int r;

	r = kernel_find_device(step, device, reterr);
	if (r < 0)
		return r;
	now = driver_now(device);
	if (now == step->driver)
		return 0;
	if (now != DRIVER_NONE)
		return refuse_bound(device, now, reterr);
	r = write_driver(name, "new_id", device->name);
	if (driver_now(device) == step->driver)
		return 0;
	/* A probe that failed inside new_id says why when it is asked for by name. */
	if (r == 0)
		r = write_driver(name, "bind", device->name);
	if (driver_now(device) == step->driver)
		return 0;
	(void)write_driver(name, "remove_id", device->name); /* nothing stays of a failure */
	return kernel_refused(reterr, name, "bind", device->name, r < 0 ? -r : EIO);
}

static int prepare_bind_all(const char *driver, int *lock, struct names *before,
			    struct error *reterr)
{
	char folder[128];
	int r;

	(void)snprintf(folder, sizeof(folder), DRIVERS "/%s", driver);
	r = kernel_load_module(driver, folder, reterr);
	if (r < 0)
		return r;
	*lock = kernel_lock_dax(KERNEL_LOCK_ALONE, reterr);
	if (*lock < 0)
		return *lock;
	r = kernel_check_driverless_free(reterr);
	if (r < 0)
		return r;
	return list_devices(driver, before) < 0 ? error_oom(reterr) : 0;
}

void kernel_bind_all(struct step_group *group)
{
	_cleanup_(names_clear) struct names before = { 0 };
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	const char *driver = kernel_driver_name(group->steps[0]->driver);
	_cleanup_(closep) int lock = -1;
	int r;

	r = prepare_bind_all(driver, &lock, &before, &error);
	for (size_t i = 0; i < group->n; i++) {
		_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;

		if (r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else if (bind_one(group->steps[i], &device, &group->errors[i]) == 0 &&
			 names_add(&before, device.name) < 0)
			(void)error_oom(&group->errors[i]);
		group->over(group->userdata, i);
	}
	if (r == 0)
		give_back(driver, &before);
}

static int check_unbind(const struct kernel_device *device, enum driver now, bool ignore_open,
			struct error *reterr)
{
	if (now == DRIVER_KMEM)
		return kernel_check_offline(device, reterr);
	return kernel_check_device_free(device->name, ignore_open, reterr);
}

/* 1: it can be unbound; 0: nothing is bound to it. */
static int find_to_unbind(const struct step *step, struct kernel_device *device,
			  struct error *reterr)
{
	enum driver now;
	int r;

	r = kernel_find_device(step, device, reterr);
	if (r < 0)
		return r;
	now = driver_now(device);
	if (now == DRIVER_NONE)
		return 0;
	if (now != step->driver)
		return error_set(reterr, EBUSY, "%s has the driver %s and not %s.", device->name,
				 kernel_driver_name(now), kernel_driver_name(step->driver));
	r = check_unbind(device, now, step->ignore_open, reterr);
	return r < 0 ? r : 1;
}

static int write_unbind(const struct kernel_device *device, enum driver driver)
{
	const char *name = kernel_driver_name(driver);

	(void)write_driver(name, "remove_id", device->name); /* fine when it was not listed */
	return write_driver(name, "unbind", device->name);
}

/*
 * Memory that somebody brings online after it was looked at would be lost until the next boot.
 * Where the kernel can take it away first, nobody can.
 */
static int seal_memory(struct kernel_device *device, struct error *reterr)
{
	const struct dax_device memory = { .name = device->name };

	if (!kernel_has_memory_state(device->fd))
		return 0;
	return kernel_unplug(NULL, device->fd, &memory, SEAL_SECONDS, reterr);
}

int kernel_unbind(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_SHARED, reterr);
	int r;

	if (lock < 0)
		return lock;
	r = find_to_unbind(step, &device, reterr);
	if (r <= 0)
		return r;
	if (step->driver == DRIVER_KMEM) {
		r = seal_memory(&device, reterr);
		if (r < 0)
			return r;
	}
	r = write_unbind(&device, step->driver);
	if (r < 0 && driver_now(&device) != DRIVER_NONE)
		return kernel_refused(reterr, kernel_driver_name(step->driver), "unbind",
				      device.name, -r);
	return 0;
}

struct unbinding {
	struct kernel_device device;
	enum driver driver;
	bool wanted;
	int r; /* of the write */
};

static void unbind_job(void *userdata, size_t i)
{
	struct unbinding *unbinding = &((struct unbinding *)userdata)[i];

	if (unbinding->wanted)
		unbinding->r = write_unbind(&unbinding->device, unbinding->driver);
}

/* Each unbind waits for a grace period of its own, so they wait side by side. */
static void unbind_together(struct step_group *group, struct unbinding *unbindings)
{
	for (size_t i = 0; i < group->n; i++) {
		struct unbinding *unbinding = &unbindings[i];

		*unbinding = (struct unbinding){ .device = KERNEL_DEVICE_INIT,
						 .driver = group->steps[i]->driver };
		unbinding->wanted = find_to_unbind(group->steps[i], &unbinding->device,
						   &group->errors[i]) > 0;
	}
	parallel_run(unbind_job, unbindings, group->n);
	for (size_t i = 0; i < group->n; i++) {
		struct unbinding *unbinding = &unbindings[i];
		const char *device = unbinding->device.name;

		if (unbinding->wanted && driver_now(&unbinding->device) != DRIVER_NONE) {
			if (unbinding->r < 0)
				(void)kernel_refused(&group->errors[i],
						     kernel_driver_name(unbinding->driver),
						     "unbind", device, -unbinding->r);
			else
				(void)error_set(&group->errors[i], EIO,
						"%s has its driver still.", device);
		}
		kernel_device_close(&unbinding->device);
	}
}

void kernel_unbind_all(struct step_group *group)
{
	_cleanup_(freep) struct unbinding *unbindings = calloc(group->n, sizeof(*unbindings));
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_SHARED, &error);

	if (lock >= 0 && !unbindings)
		(void)error_oom(&error);
	if (error.code == 0)
		unbind_together(group, unbindings);
	for (size_t i = 0; i < group->n; i++) {
		if (error.code)
			kernel_copy_error(&group->errors[i], &error);
		group->over(group->userdata, i);
	}
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
