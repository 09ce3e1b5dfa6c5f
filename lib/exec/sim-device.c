/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "exec/sim.h"

static void refresh_available(struct region *region)
{
	region->available = region->range.size;
	for (size_t i = 0; i < region->n_devices; i++)
		region->available -= region->devices[i].size;
}

static int check_unbound(const struct dax_device *device, struct error *reterr)
{
	if (device->driver == DRIVER_NONE)
		return 0;
	return error_set(reterr, EBUSY, "%s is bound to a driver.", device->name);
}

static int check_align(const struct region *region, const struct dax_device *device,
		       uint64_t align, struct error *reterr)
{
	if (!(align & region->aligns))
		return error_set(reterr, EINVAL, "%s does not support align %s.", region->name,
				 SIZE_STR(align));
	for (size_t i = 0; i < device->ranges.n; i++)
		if (device->ranges.ranges[i].size % align)
			return error_set(reterr, EINVAL,
					 "A range of %s is not a multiple of align %s.",
					 device->name, SIZE_STR(align));
	return 0;
}

/* One more range: in whole steps, inside the region, not taken. */
static int add_mapping(const struct region *region, struct dax_device *device, struct range range,
		       struct error *reterr)
{
	uint64_t step = device->align > ALIGN_2M ? device->align : ALIGN_2M;
	uint64_t end;

	/* The kernel takes a misaligned start, and can then never be told otherwise. */
	if (range.size == 0 || range.size % step || range.start % step)
		return error_set(reterr, EINVAL, "The range does not begin and end at multiples of %s.",
				 SIZE_STR(step));
	if (__builtin_add_overflow(range.start, range.size, &end) ||
	    range.start < region->range.start || end > range_end(region->range))
		return error_set(reterr, ENOMEM, "The range is not inside %s.", region->name);
	for (size_t i = 0; i < region->n_devices; i++)
		for (size_t j = 0; j < region->devices[i].ranges.n; j++)
			if (range_overlaps(region->devices[i].ranges.ranges[j], range))
				return error_set(reterr, ENOMEM, "The range overlaps %s.",
						 region->devices[i].name);
	if (range_list_add(&device->ranges, range) < 0)
		return error_oom(reterr);
	device->size += range.size;
	return 0;
}

/* A device of size 0: one that waits for it, else a new one. */
static int take_seed(struct region *region, struct dax_device **ret, struct error *reterr)
{
	struct dax_device *device;
	size_t id;

	for (size_t i = 0; i < region->n_devices; i++)
		if (region->devices[i].size == 0 && region->devices[i].driver == DRIVER_NONE) {
			device = &region->devices[i];
			/* A topology may leave nodes out; the device has one all the same. */
			if (!device->node.owner && sim_reset_access(&device->node, "root", 0600) < 0)
				return error_oom(reterr);
			*ret = device;
			return 0;
		}
	if (region->available == 0)
		return error_set(reterr, ENOSPC, "%s is full.", region->name);
	device = ARRAY_APPEND(region->devices, region->n_devices);
	if (!device)
		return error_oom(reterr);
	if (sim_free_id(region, &id) < 0 ||
	    asprintf(&device->name, "dax%d.%zu", region->id, id) < 0) {
		device->name = NULL;
		return error_oom(reterr);
	}
	device->align = region->align;
	device->target_node = region->target_node;
	device->numa = region->numa;
	region->n_devices++;
	if (sim_reset_access(&device->node, "root", 0600) < 0)
		return error_oom(reterr);
	*ret = device;
	return 0;
}

static bool is_device_zero(const struct dax_device *device)
{
	const char *dot = strrchr(device->name, '.');

	return dot && strcmp(dot, ".0") == 0;
}

/* Size 0, and delete where the kernel allows it: never daxX.0. */
static void drop_device(struct region *region, struct dax_device *device)
{
	range_list_clear(&device->ranges);
	access_clear(&device->node); /* the next that is made of it begins with the kernel's */
	device->size = 0;
	if (!is_device_zero(device)) {
		dax_device_clear(device);
		ARRAY_REMOVE(region->devices, region->n_devices, device);
	}
	refresh_available(region);
}

/* As kernel-dax.c: what is there already is why. */
static int tell_taken(const struct region *region, uint64_t start, int r, struct error *reterr)
{
	const struct dax_device *device = region_find_device(region, start);

	if (!device)
		return r;
	error_clear(reterr);
	return error_set(reterr, EEXIST, "%s is there.", device->name);
}

int sim_create_device(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct dax_device *device = NULL;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r == 0 && !region_is_dynamic(region))
		r = error_set(reterr, EOPNOTSUPP, "%s is not divided into devices.", region->name);
	if (r == 0)
		r = take_seed(region, &device, reterr);
	if (r < 0)
		return r;
	r = check_align(region, device, step->align, reterr);
	if (r == 0)
		device->align = step->align;
	for (size_t i = 0; r == 0 && i < step->ranges.n; i++)
		r = add_mapping(region, device, step->ranges.ranges[i], reterr);
	if (r < 0) {
		drop_device(region, device);
		return tell_taken(region, step->ranges.ranges[0].start, r, reterr);
	}
	refresh_available(region);
	topology_sort(sim->topology);
	return 0;
}

/* Cut the device to the bytes both lists begin with; *kept: ranges of want that are whole. */
static void keep_common(struct dax_device *device, const struct range_list *want, size_t *kept)
{
	size_t n = 0;
	uint64_t size = 0;

	while (n < device->ranges.n && n < want->n &&
	       device->ranges.ranges[n].start == want->ranges[n].start) {
		struct range *have = &device->ranges.ranges[n];
		uint64_t wanted = want->ranges[n].size;

		if (wanted < have->size)
			have->size = wanted;
		size += have->size;
		n++;
		if (wanted > have->size)
			break; /* the rest of this range follows as a further one */
	}
	device->ranges.n = n;
	device->size = size;
	*kept = n;
}

static int append_rest(struct region *region, struct dax_device *device,
		       const struct range_list *want, size_t kept, struct error *reterr)
{
	int r = 0;

	if (kept) {
		struct range have = device->ranges.ranges[kept - 1];
		struct range wanted = want->ranges[kept - 1];

		if (have.size < wanted.size)
			r = add_mapping(region, device,
					(struct range){ range_end(have), wanted.size - have.size },
					reterr);
	}
	for (size_t i = kept; r == 0 && i < want->n; i++)
		r = add_mapping(region, device, want->ranges[i], reterr);
	return r;
}

int sim_resize_device(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct dax_device *device;
	struct range_list before = { 0 };
	uint64_t align_before;
	size_t kept;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r == 0)
		r = sim_find_device(sim, step, &device, reterr);
	if (r == 0)
		r = check_unbound(device, reterr);
	if (r < 0)
		return r;
	if (range_list_copy(&before, &device->ranges) < 0)
		return error_oom(reterr);
	align_before = device->align;
	keep_common(device, &step->ranges, &kept);
	r = check_align(region, device, step->align, reterr);
	if (r == 0) {
		device->align = step->align;
		r = append_rest(region, device, &step->ranges, kept, reterr);
	}
	if (r < 0) {
		range_list_clear(&device->ranges);
		device->ranges = before;
		device->size = range_list_size(&before);
		device->align = align_before;
		return r;
	}
	range_list_clear(&before);
	refresh_available(region);
	return 0;
}

int sim_destroy_device(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct dax_device *device;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	device = region_find_device(region, step->start);
	if (!device)
		return 0;
	r = check_unbound(device, reterr);
	if (r == 0)
		r = sim_check_free(device->name, &device->holders, step->ignore_open, reterr);
	if (r == 0)
		drop_device(region, device);
	return r;
}
