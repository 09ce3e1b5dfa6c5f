/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing labels that were never written.  The kernel reads them when it takes a DIMM over, so
 * the region and its DIMMs are without a driver for a moment.  Which region that is is kept in a
 * file meanwhile: whoever writes next brings back what a killed writer could not.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exec/kernel-nd-library.h"

#define KEPT_MAX 4096

/* Block devices that nobody else can begin to use, until they are gone. */
struct pins {
	int *fds;
	size_t n;
};

static void pins_clear(struct pins *pins)
{
	for (size_t i = 0; i < pins->n; i++)
		closep(&pins->fds[i]);
	free(pins->fds);
	*pins = (struct pins){ 0 };
}

/* Nothing on a region that is about to lose its namespaces may be in use. */
static int pin_region(struct ndctl_region *region, struct pins *pins, struct error *reterr)
{
	struct ndctl_namespace *ns;
	int r;

	ndctl_namespace_foreach(region, ns) {
		int *pin = ARRAY_APPEND(pins->fds, pins->n);

		if (!pin)
			return error_oom(reterr);
		*pin = -1;
		pins->n++;
		r = kernel_nd_check_free(ns, pin, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_namespaces(struct ndctl_region *region)
{
	struct ndctl_namespace *ns;

	ndctl_namespace_foreach(region, ns)
		if (!kernel_nd_namespace_idle(ns))
			return true;
	return false;
}

static bool lies_on(struct ndctl_region *region, struct ndctl_dimm *dimm)
{
	struct ndctl_dimm *of_region;

	ndctl_dimm_foreach_in_region(region, of_region)
		if (of_region == dimm)
			return true;
	return false;
}

/* A label area serves all regions of its DIMM: none of them may lose labels in use. */
static int check_shared_dimm(struct ndctl_bus *bus, struct ndctl_region *own,
			     struct ndctl_dimm *dimm, struct error *reterr)
{
	struct ndctl_region *region;

	ndctl_region_foreach(bus, region) {
		if (region == own || !lies_on(region, dimm))
			continue;
		if (kernel_nd_labels(region) == LABELS_VALID)
			return error_set(reterr, EBUSY, "%s serves %s too, which has labels.",
					 ndctl_dimm_get_devname(dimm),
					 ndctl_region_get_devname(region));
		if (!has_namespaces(region))
			continue;
		(void)error_set(reterr, EBUSY, "%s serves %s too, whose namespaces have no labels "
				"and would be gone with the next boot.",
				ndctl_dimm_get_devname(dimm), ndctl_region_get_devname(region));
		return error_hint(reterr, "If nobody needs what they hold: ndctl disable-region %s",
				  ndctl_region_get_devname(region));
	}
	return 0;
}

static int check_dimms(struct ndctl_region *region, struct error *reterr)
{
	struct ndctl_bus *bus = ndctl_region_get_bus(region);
	struct ndctl_dimm *dimm;
	size_t n = 0;
	int r;

	ndctl_dimm_foreach_in_region(region, dimm) {
		if (kernel_nd_dimm_labels(dimm) == LABELS_NONE)
			return error_set(reterr, EOPNOTSUPP, "%s of %s has no label area.",
					 ndctl_dimm_get_devname(dimm),
					 ndctl_region_get_devname(region));
		if (ndctl_dimm_locked(dimm) > 0)
			return error_set(reterr, EACCES, "%s is locked: its label area cannot be "
					 "written.", ndctl_dimm_get_devname(dimm));
		r = check_shared_dimm(bus, region, dimm, reterr);
		if (r < 0)
			return r;
		n++;
	}
	if (n == 0)
		return error_set(reterr, EOPNOTSUPP, "%s has no DIMM that could hold labels.",
				 ndctl_region_get_devname(region));
	return 0;
}

/* libndctl writes an index block only when it finds the area not in use. */
static int init_dimm(struct ndctl_dimm *dimm, struct error *reterr)
{
	const char *name = ndctl_dimm_get_devname(dimm);
	struct ndctl_cmd *read;
	int r;

	if (kernel_nd_dimm_labels(dimm) == LABELS_VALID)
		return 0;
	read = ndctl_dimm_read_label_index(dimm);
	if (!read)
		return error_set(reterr, EIO, "Cannot read the label area of %s.", name);
	r = ndctl_dimm_init_labels(dimm, NDCTL_NS_VERSION_1_2);
	ndctl_cmd_unref(read);
	if (r < 0)
		return error_set(reterr, -r, "Cannot initialise the labels of %s: %s.", name,
				 strerror(-r));
	/* The kernel reads the index when it takes the DIMM over. */
	r = ndctl_dimm_disable(dimm);
	if (r == 0)
		r = ndctl_dimm_enable(dimm);
	if (r < 0)
		return error_set(reterr, -r, "Cannot restart %s to use its labels: %s.", name,
				 strerror(-r));
	return 0;
}

static int keep_name(const char *path, struct error *reterr)
{
	int r = file_make_folders(RUN_FOLDER, reterr);

	return r < 0 ? r : file_replace(HELD_REGION, path, strlen(path), reterr);
}

static void enable_all(const struct step *step)
{
	_cleanup_(kernel_nd_close) struct ndctl_ctx *ctx = NULL;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct ndctl_region *region;
	struct ndctl_dimm *dimm;

	if (kernel_nd_open(&ctx, &error) < 0 ||
	    kernel_nd_find_region(ctx, step, &region, &error) < 0)
		return;
	/* What stays without a driver is seen by the scan that follows, and told. */
	ndctl_dimm_foreach_in_region(region, dimm)
		(void)ndctl_dimm_enable(dimm);
	(void)ndctl_region_enable(region);
}

void kernel_release_region(void)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *path = NULL;
	size_t length;

	if (access(HELD_REGION, F_OK) < 0)
		return;
	if (file_read(HELD_REGION, KEPT_MAX, &path, &length, &error) == 0)
		enable_all(&(struct step){ .region = path });
	(void)unlink(HELD_REGION); /* if it stays, the next one enables what is enabled */
}

static int init_region(struct ndctl_region *region, const char *path, struct pins *pins,
		       struct error *reterr)
{
	const char *name = ndctl_region_get_devname(region);
	struct ndctl_dimm *dimm;
	int r, enabled;

	r = keep_name(path, reterr);
	if (r < 0)
		return r;
	r = ndctl_region_disable_invalidate(region);
	pins_clear(pins);
	if (r < 0)
		return error_set(reterr, -r, "Cannot disable %s: %s.", name, strerror(-r));
	ndctl_dimm_foreach_in_region(region, dimm) {
		r = init_dimm(dimm, reterr);
		if (r < 0)
			break;
	}
	/* Whatever came of it, the region comes back. */
	enabled = ndctl_region_enable(region);
	if (enabled >= 0)
		(void)unlink(HELD_REGION); /* as above */
	if (r == 0 && enabled < 0)
		r = error_set(reterr, -enabled, "Cannot enable %s again: %s.", name,
			      strerror(-enabled));
	return r;
}

int kernel_init_labels(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_nd_close) struct ndctl_ctx *ctx = NULL;
	_cleanup_(closep) int lock = kernel_lock_nd(step, reterr);
	_cleanup_(pins_clear) struct pins pins = { 0 };
	struct ndctl_region *region;
	int r;

	if (lock < 0)
		return lock;
	r = kernel_nd_open(&ctx, reterr);
	if (r == 0)
		r = kernel_nd_find_region(ctx, step, &region, reterr);
	if (r < 0)
		return r;
	if (kernel_nd_labels(region) == LABELS_VALID && ndctl_region_is_enabled(region))
		return 0;
	r = check_dimms(region, reterr);
	if (r == 0)
		r = pin_region(region, &pins, reterr);
	return r < 0 ? r : init_region(region, step->region, &pins, reterr);
}

int kernel_verify_labels(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_nd_close) struct ndctl_ctx *ctx = NULL;
	struct ndctl_region *region;
	int r;

	r = kernel_nd_open(&ctx, reterr);
	if (r == 0)
		r = kernel_nd_find_region(ctx, step, &region, reterr);
	if (r < 0)
		return r;
	if (!ndctl_region_is_enabled(region))
		return error_set(reterr, EIO, "%s is not enabled.",
				 ndctl_region_get_devname(region));
	if (kernel_nd_labels(region) != LABELS_VALID)
		return error_set(reterr, EIO, "%s does not use labels.",
				 ndctl_region_get_devname(region));
	return 0;
}
