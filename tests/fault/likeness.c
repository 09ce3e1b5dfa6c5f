/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "tests/essence.h"

/* The device of a namespace lies where the namespace does. */
static void forget_device_place(struct dax_device *device)
{
	for (size_t i = 0; i < device->ranges.n; i++)
		device->ranges.ranges[i].start = 0;
	for (size_t i = 0; i < device->n_blocks; i++)
		device->blocks[i].number = i;
}

static int by_identity(const void *a, const void *b)
{
	const struct namespace *x = a, *y = b;

	return strcmp(x->uuid.text, y->uuid.text);
}

/* Namespaces go where there was room first, and that depends on what came before them. */
static void forget_places(struct region *region)
{
	for (size_t i = 0; i < region->n_namespaces; i++) {
		struct namespace *ns = &region->namespaces[i];

		ns->range.start = 0;
		if (ns->device)
			forget_device_place(ns->device);
	}
	if (region->n_namespaces)
		qsort(region->namespaces, region->n_namespaces, sizeof(*region->namespaces),
		      by_identity);
}

/* A seed stays behind when a device goes; it is nobody's. */
static void forget_seeds(struct region *region)
{
	for (size_t i = region->n_devices; i-- > 0;) {
		struct dax_device *device = &region->devices[i];

		if (device->size)
			continue;
		dax_device_clear(device);
		ARRAY_REMOVE(region->devices, region->n_devices, device);
	}
}

static void forget_natives(struct region *region)
{
	for (size_t i = 0; i < region->n_namespaces; i++) {
		struct disk *disk = region->namespaces[i].disk;

		for (size_t j = 0; disk && j < disk->n_natives; j++)
			holder_list_clear(&disk->natives[j].holders);
		if (disk)
			disk->n_natives = 0;
	}
}

char *topology_likeness(struct topology *topology, bool natives)
{
	for (size_t i = 0; i < topology->n_regions; i++) {
		if (!natives)
			forget_natives(&topology->regions[i]);
		forget_places(&topology->regions[i]);
		forget_seeds(&topology->regions[i]);
	}
	return topology_essence(topology);
}
