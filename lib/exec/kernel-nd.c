/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>
#include <uuid/uuid.h>
#include <ndctl/ndctl.h>

#include "exec/kernel-nd-library.h"

/* enum nd_device_type of linux/ndctl.h: namespaces with labels. */
#define ND_TYPE_NAMESPACE_PMEM 5

static void log_nothing(struct ndctl_ctx *ctx, int priority, const char *file, int line,
			const char *function, const char *format, va_list args)
{
	/* The library would print; what matters of it is in the errno. */
	(void)ctx, (void)priority, (void)file, (void)line, (void)function, (void)format,
		(void)args;
}

int kernel_nd_open(struct ndctl_ctx **ret, struct error *reterr)
{
	struct ndctl_ctx *ctx;
	int r;

	r = nd_library_load(reterr);
	if (r < 0)
		return r;
	r = ndctl_new(&ctx);
	if (r < 0)
		return error_set(reterr, -r, "Cannot set up libndctl: %s.", strerror(-r));
	ndctl_set_log_fn(ctx, log_nothing);
	*ret = ctx;
	return 0;
}

void kernel_nd_close(struct ndctl_ctx **ctx)
{
	if (*ctx)
		(void)ndctl_unref(*ctx); /* NULL when it was the last reference, as it is */
}

int kernel_nd_region_path(struct ndctl_region *region, char **ret, struct error *reterr)
{
	const char *name = ndctl_region_get_devname(region);
	_cleanup_(freep) char *link = NULL, *path = NULL;
	char *copy;

	if (asprintf(&link, "/sys/bus/nd/devices/%s", name) < 0) {
		link = NULL;
		return error_oom(reterr);
	}
	path = realpath(link, NULL);
	if (!path)
		return error_set(reterr, errno, "Cannot resolve %s: %s.", link, strerror(errno));
	copy = strdup(path + strlen("/sys/devices"));
	if (!copy)
		return error_oom(reterr);
	*ret = copy;
	return 0;
}

int kernel_nd_find_region(struct ndctl_ctx *ctx, const struct step *step,
			  struct ndctl_region **ret, struct error *reterr)
{
	const char *slash = strrchr(step->region, '/');
	const char *name = slash ? slash + 1 : step->region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(ctx, bus) {
		struct ndctl_region *region;

		ndctl_region_foreach(bus, region) {
			_cleanup_(freep) char *path = NULL;
			int r;

			if (strcmp(ndctl_region_get_devname(region), name) != 0)
				continue;
			r = kernel_nd_region_path(region, &path, reterr);
			if (r < 0)
				return r;
			if (strcmp(path, step->region) != 0)
				continue;
			*ret = region;
			return 0;
		}
	}
	return error_set(reterr, ENOENT, "There is no region %s any more.", step->region);
}

bool kernel_nd_namespace_idle(struct ndctl_namespace *ns)
{
	return ndctl_namespace_get_size(ns) == 0;
}

void kernel_nd_uuid(struct ndctl_namespace *ns, struct uuid *ret)
{
	uuid_t binary;

	uuid_clear(binary);
	ndctl_namespace_get_uuid(ns, binary);
	*ret = (struct uuid){ { 0 } };
	if (!uuid_is_null(binary))
		uuid_unparse_lower(binary, ret->text);
}

int kernel_nd_find_namespace(struct ndctl_region *region, const struct uuid *uuid,
			     struct ndctl_namespace **ret)
{
	struct ndctl_namespace *ns;

	/* Without a uuid only the one namespace of a region without labels can be meant. */
	bool unlabelled = ndctl_region_get_nstype(region) == ND_DEVICE_NAMESPACE_IO;

	*ret = NULL;
	ndctl_namespace_foreach(region, ns) {
		struct uuid own;

		kernel_nd_uuid(ns, &own);
		if (uuid_is_set(uuid) ? uuid_equal(&own, uuid) :
					unlabelled && !kernel_nd_namespace_idle(ns)) {
			*ret = ns;
			return 0;
		}
	}
	return -ENOENT;
}

static enum label_state weaker(enum label_state a, enum label_state b)
{
	return a < b ? a : b;
}

/* The kernel says "label" (or "alias") once it has taken over an index block. */
enum label_state kernel_nd_dimm_labels(struct ndctl_dimm *dimm)
{
	_cleanup_(freep) char *path = NULL;
	char flags[256];
	bool blank;
	int r;

	blank = ndctl_dimm_get_available_labels(dimm) != ULONG_MAX;
	if (asprintf(&path, "/sys/bus/nd/devices/%s/flags", ndctl_dimm_get_devname(dimm)) < 0) {
		path = NULL;
		return blank ? LABELS_BLANK : LABELS_NONE;
	}
	r = sysfs_read(AT_FDCWD, path, flags, sizeof(flags));
	if (blank && r > 0 && (strstr(flags, "label") || strstr(flags, "alias")))
		return LABELS_VALID;
	return blank ? LABELS_BLANK : LABELS_NONE;
}

enum label_state kernel_nd_labels(struct ndctl_region *region)
{
	enum label_state state = LABELS_VALID;
	struct ndctl_dimm *dimm;
	size_t n = 0;

	ndctl_dimm_foreach_in_region(region, dimm) {
		state = weaker(state, kernel_nd_dimm_labels(dimm));
		n++;
	}
	if (n == 0)
		return LABELS_NONE;
	/* The region decides once, when its driver is bound. */
	if (ndctl_region_get_nstype(region) == ND_TYPE_NAMESPACE_PMEM)
		return LABELS_VALID;
	return weaker(state, LABELS_BLANK);
}

int kernel_lock_nd(const struct step *step, struct error *reterr)
{
	int fd = kernel_open_region(step, reterr);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX) < 0) {
		int code = errno;

		if (code == EINTR)
			continue;
		closep(&fd);
		return error_set(reterr, code, "Cannot lock the region %s: %s.", step->region,
				 strerror(code));
	}
	return fd;
}

/* A namespace in use, by whatever its mode gives access to it. */
int kernel_nd_check_free(struct ndctl_namespace *ns, int *ret, struct error *reterr)
{
	struct ndctl_region *region = ndctl_namespace_get_region(ns);
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *path = NULL;
	char node[SYSFS_NAME_MAX];
	struct step step = { 0 };
	int r;

	*ret = -1;
	r = kernel_nd_region_path(region, &path, reterr);
	if (r < 0)
		return r;
	step.region = path;
	kernel_nd_uuid(ns, &step.uuid);
	if (kernel_nd_namespace_idle(ns) || kernel_find_node(&step, node, &error) < 0)
		return 0; /* no node: nothing to hold */
	error_clear(&error);
	if (!kernel_is_device_name(node)) {
		r = kernel_check_blockdev_free(node, reterr);
		return r < 0 ? r : kernel_pin_blockdev(node, ret, reterr);
	}
	if (kernel_find_device(&step, &device, &error) == 0) {
		r = kernel_check_offline(&device, reterr);
		if (r < 0)
			return r;
	}
	return kernel_check_device_free(node, false, reterr);
}
