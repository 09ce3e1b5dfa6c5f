/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/geometry.h"
#include "exec/sim.h"

/*
 * New blocks are offline, whatever the kernel's policy for new memory is: the kernel backend
 * keeps that policy away while it binds, because a block in the wrong zone may never leave it.
 */
static int add_blocks(const struct sim *sim, struct dax_device *device)
{
	uint64_t size = sim->topology->memory_block_size;

	for (size_t i = 0; i < device->ranges.n; i++) {
		struct range whole = range_trim(device->ranges.ranges[i], size);

		for (uint64_t at = whole.start; at < range_end(whole); at += size) {
			struct memory_block *block = ARRAY_APPEND(device->blocks, device->n_blocks);

			if (!block)
				return -ENOMEM;
			block->number = at / size;
			device->n_blocks++;
		}
	}
	return 0;
}

static int check_memory(const struct sim *sim, const struct dax_device *device,
			struct error *reterr)
{
	if (device->target_node < 0)
		return error_set(reterr, EINVAL, "%s belongs to no NUMA node.", device->name);
	if (memory_in_list(&device->ranges, sim->topology->memory_block_size) == 0)
		return error_set(reterr, EINVAL, "%s holds no whole memory block.", device->name);
	return 0;
}

int sim_bind(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct dax_device *device;
	int r = sim_find_device(sim, step, &device, reterr);

	if (r < 0 || device->driver == step->driver)
		return r;
	if (device->driver != DRIVER_NONE)
		return error_set(reterr, EBUSY, "%s is bound to another driver.", device->name);
	if (device->size == 0)
		return error_set(reterr, ENXIO, "%s has size 0.", device->name);
	if (step->driver == DRIVER_DEVICE_DAX) {
		r = sim_check_free(device->name, &device->holders, false, reterr);
		if (r < 0)
			return r;
	}
	if (step->driver == DRIVER_KMEM) {
		r = check_memory(sim, device, reterr);
		if (r == 0 && add_blocks(sim, device) < 0)
			r = error_oom(reterr);
		if (r < 0)
			return r;
	}
	device->driver = step->driver;
	topology_sort(sim->topology);
	return 0;
}

int sim_unbind(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct dax_device *device;
	int r = sim_find_device(sim, step, &device, reterr);

	if (r < 0 || device->driver == DRIVER_NONE)
		return r;
	/* A node that is open still was device_dax's: it keeps nobody from taking kmem away. */
	if (device->driver != DRIVER_KMEM)
		r = sim_check_free(device->name, &device->holders, step->ignore_open, reterr);
	for (size_t i = 0; r == 0 && i < device->n_blocks; i++)
		if (device->blocks[i].online)
			r = error_set(reterr, EBUSY, "Memory of %s is online.", device->name);
	if (r < 0)
		return r;
	free(device->blocks);
	device->blocks = NULL;
	device->n_blocks = 0;
	free(TAKE(device->driver_name));
	/* udev would bring it back once device_dax is bound again; who binds also publishes. */
	free(TAKE(device->node.link));
	device->driver = DRIVER_NONE;
	return 0;
}

static int find_memory(struct sim *sim, const struct step *step, struct dax_device **ret,
		       struct error *reterr)
{
	int r = sim_find_device(sim, step, ret, reterr);

	if (r == 0 && (*ret)->driver != DRIVER_KMEM)
		r = error_set(reterr, EINVAL, "%s is not memory of the kernel.", (*ret)->name);
	return r;
}

int sim_online(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct dax_device *device;
	int r = find_memory(sim, step, &device, reterr);

	if (r < 0)
		return r;
	for (size_t i = 0; i < device->n_blocks; i++) {
		device->blocks[i].online = true;
		device->blocks[i].zone = step->zone;
		backend_report_progress(&sim->backend, i + 1, device->n_blocks);
	}
	return 0;
}

int sim_offline(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct dax_device *device;
	int r = find_memory(sim, step, &device, reterr);

	if (r < 0)
		return r;
	for (size_t i = 0; i < device->n_blocks; i++) {
		device->blocks[i].online = false;
		device->blocks[i].zone = ZONE_NONE;
		backend_report_progress(&sim->backend, i + 1, device->n_blocks);
	}
	return 0;
}
