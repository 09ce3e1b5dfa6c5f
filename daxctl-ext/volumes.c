/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "volumes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node.h"

/* Records by where their first range starts, to name the devices of dynamic regions. */
struct record_index {
	const struct record **records;
	size_t n;
};

static void record_index_clear(struct record_index *index)
{
	free(index->records);
}

static int by_start(const void *a, const void *b)
{
	const struct record *const *left = a, *const *right = b;
	uint64_t l = (*left)->ranges.ranges[0].start, r = (*right)->ranges.ranges[0].start;

	return (l > r) - (l < r);
}

static int record_index_fill(struct record_index *index, const struct topology *topology)
{
	index->records = calloc(topology->n_records + 1, sizeof(*index->records));
	if (!index->records)
		return -ENOMEM;
	for (size_t i = 0; i < topology->n_records; i++)
		if (topology->records[i].ranges.n)
			index->records[index->n++] = &topology->records[i];
	qsort(index->records, index->n, sizeof(*index->records), by_start);
	return 0;
}

/* All of the smaller list lies in the larger one. */
static bool one_holds_other(const struct range_list *a, const struct range_list *b)
{
	const struct range_list *large = range_list_size(a) >= range_list_size(b) ? a : b;
	const struct range_list *small = large == a ? b : a;

	for (size_t i = 0; i < small->n; i++)
		if (!range_list_contains(large, small->ranges[i]))
			return false;
	return true;
}

/*
 * A change of size that was cut short leaves a device that is larger or smaller than its record
 * says; but all of a region is what the kernel makes by itself at boot.
 */
static const struct record *record_index_find(const struct record_index *index,
					      const struct region *region,
					      const struct dax_device *device)
{
	const struct record wanted = { .ranges = device->ranges }, *key = &wanted;
	const struct record **found;

	if (!device->ranges.n || !index->n)
		return NULL;
	found = bsearch(&key, index->records, index->n, sizeof(*index->records), by_start);
	if (!found)
		return NULL;
	if (device->size == region->range.size)
		return range_list_same_bytes(&(*found)->ranges, &device->ranges) ? *found : NULL;
	return one_holds_other(&(*found)->ranges, &device->ranges) ? *found : NULL;
}

static const char *device_mode(const struct dax_device *device)
{
	return device->driver == DRIVER_KMEM ? "system-ram" : "devdax";
}

/* A region without labels keeps no names; then the link that was made for it has the volume's. */
static const char *own_name(const struct namespace *ns)
{
	const struct access *node = ns->device ? &ns->device->node : &ns->node;

	if (ns->label && *ns->label)
		return ns->label;
	return node->link ? access_link_name(node->link) : NULL;
}

static struct volume_view view_of_namespace(const struct region *region,
					    const struct namespace *ns)
{
	return (struct volume_view){
		.region = region,
		.ns = ns,
		.device = ns->device,
		.title = own_name(ns) ? own_name(ns) : ns->name,
		.mode = ns->device ? device_mode(ns->device) : namespace_mode_word(ns->mode),
		.size = ns->range.size,
	};
}

static struct volume_view view_of_device(const struct region *region,
					 const struct dax_device *device,
					 const struct record *record)
{
	return (struct volume_view){
		.region = region,
		.device = device,
		.record = record,
		.title = record ? record->volume : device->name,
		.mode = device_mode(device),
		.size = device->size,
	};
}

void volumes_clear(struct volumes *volumes)
{
	free(volumes->views);
	*volumes = (struct volumes){ 0 };
}

int volumes_fill(struct volumes *volumes, const struct topology *topology)
{
	_cleanup_(record_index_clear) struct record_index index = { 0 };
	size_t room = 1;

	for (size_t i = 0; i < topology->n_regions; i++)
		room += topology->regions[i].n_namespaces + topology->regions[i].n_devices;
	volumes->views = calloc(room, sizeof(*volumes->views));
	if (!volumes->views || record_index_fill(&index, topology) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++)
			volumes->views[volumes->n++] =
				view_of_namespace(region, &region->namespaces[j]);
		for (size_t j = 0; j < region->n_devices; j++) {
			const struct dax_device *device = &region->devices[j];

			if (device->size) /* else it is the kernel's seed */
				volumes->views[volumes->n++] = view_of_device(
					region, device, record_index_find(&index, region, device));
		}
	}
	return 0;
}

const char *volume_name(const struct volume_view *view)
{
	if (view->ns)
		return own_name(view->ns);
	return view->record ? view->record->volume : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

/* daxX.Y may also be X.Y. */
static bool is_device_name(const char *device, const char *name)
{
	return same(device, name) || (strncmp(device, "dax", 3) == 0 && same(device + 3, name));
}

bool volume_is_called(const struct volume_view *view, const char *name)
{
	const struct dax_device *device = view->device;
	const struct namespace *ns = view->ns;

	if (same(volume_name(view), name) || (device && is_device_name(device->name, name)))
		return true;
	if (device && node_is(name, device->name, &device->node))
		return true;
	if (!ns)
		return false;
	return same(ns->name, name) || same(ns->blockdev, name) ||
	       (ns->blockdev && node_is(name, ns->blockdev, &ns->node)) ||
	       (uuid_is_set(&ns->uuid) && strcasecmp(ns->uuid.text, name) == 0);
}

const struct holder *volume_holder(const struct volume_view *view, size_t i)
{
	size_t own = view->ns ? view->ns->holders.n : 0;

	if (i < own)
		return &view->ns->holders.holders[i];
	i -= own;
	return view->device && i < view->device->holders.n ? &view->device->holders.holders[i] :
							     NULL;
}

struct holder_text holder_describe(const struct holder *holder)
{
	const char *name = holder->name;
	struct holder_text text = { "" };

	switch (holder->kind) {
	case HOLDER_MOUNT:
		(void)snprintf(text.text, sizeof(text.text), "mounted file system");
		break;
	case HOLDER_SWAP:
		(void)snprintf(text.text, sizeof(text.text), "swap space");
		break;
	case HOLDER_BLOCK:
		(void)snprintf(text.text, sizeof(text.text), "%s%s%s on top of it",
			       strncmp(name, "dm-", 3) == 0   ? "device-mapper" :
			       strncmp(name, "loop", 4) == 0  ? "loop device" :
			       strncmp(name, "md", 2) == 0    ? "RAID" :
								"block device",
			       holder->mapping ? " " : "", holder->mapping ? holder->mapping : "");
		break;
	case HOLDER_PROCESS:
		(void)snprintf(text.text, sizeof(text.text), "pid %d%s", holder->pid,
			       holder->mapped ? ", mapped" : "");
		break;
	}
	return text;
}
