/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/essence.h"

#include <stdlib.h>
#include <string.h>

#include "core/topology-json.h"

/* udev sets nodes when it likes, but those that were published are waited for. */
static void forget_node(struct access *node)
{
	if (!node->link)
		access_clear(node);
	free(TAKE(node->uid));
	free(TAKE(node->gid));
}

/* Names are the kernel's to give, and holders come and go. */
static void forget_device(struct dax_device *device)
{
	free(device->name);
	device->name = strdup("dax");
	range_list_join(&device->ranges);
	forget_node(&device->node);
	holder_list_clear(&device->holders);
	device->numa = -1;
	/* An offline block has no zone, and seeds keep the align of what they were. */
	if (device->size == 0)
		device->align = 0;
}

/* What a table has beside its entries is told by whoever has written it. */
static void forget_disk(struct disk *disk)
{
	disk->table.usable = (struct range){ 0 };
	for (size_t i = 0; i < disk->n_natives; i++)
		holder_list_clear(&disk->natives[i].holders);
	for (size_t i = 0; i < disk->n_maps; i++) {
		holder_list_clear(&disk->maps[i].holders);
		disk->maps[i].open_count = 0;
		free(disk->maps[i].name);
		disk->maps[i].name = strdup("map");
	}
}

static void forget_namespace(struct namespace *ns)
{
	free(ns->name);
	ns->name = strdup("namespace");
	free(ns->claim);
	ns->claim = NULL;
	free(ns->blockdev);
	ns->blockdev = NULL;
	forget_node(&ns->node);
	holder_list_clear(&ns->holders);
	if (ns->device)
		forget_device(ns->device);
	if (ns->disk)
		forget_disk(ns->disk);
}

static int by_start(const void *a, const void *b)
{
	const struct dax_device *x = a, *y = b;
	uint64_t p = x->ranges.n ? x->ranges.ranges[0].start : 0;
	uint64_t q = y->ranges.n ? y->ranges.ranges[0].start : 0;

	return (p > q) - (p < q);
}

char *topology_essence(struct topology *topology)
{
	for (size_t i = 0; i < topology->n_regions; i++) {
		struct region *region = &topology->regions[i];

		/* The kernel derives another cookie when labels of another version are written. */
		region->cookie = 0;
		region->uuid = (struct uuid){ "" };
		for (size_t j = 0; j < region->n_namespaces; j++)
			forget_namespace(&region->namespaces[j]);
		for (size_t j = 0; j < region->n_devices; j++)
			forget_device(&region->devices[j]);
		if (region->n_devices)
			qsort(region->devices, region->n_devices, sizeof(*region->devices), by_start);
	}
	return topology_to_json(topology, true);
}
