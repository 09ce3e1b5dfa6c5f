/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int object_compare(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare(const void *a, const void *b)
{
	return object_compare(a, b);
}

void view_clear(struct view *view)
{
	free(view->objects);
	*view = (struct view){ 0 };
}

static size_t count_objects(const struct config *config, const struct topology *topology)
{
	size_t n = config->n_volumes;

	for (size_t i = 0; topology && i < topology->n_regions; i++)
		n += 1 + 2 * topology->regions[i].n_namespaces + topology->regions[i].n_devices;
	return n;
}

static void add_device(struct view *view, const struct region *region,
		       const struct dax_device *device)
{
	if (device && device->size) /* a seed of size 0 is no device yet */
		view->objects[view->n++] = (struct object){
			.kind = OBJECT_DEVICE, .name = device->name, .region = region,
			.device = device,
		};
}

static void add_region(struct view *view, const struct region *region, const struct plan *disks)
{
	view->objects[view->n++] = (struct object){
		.kind = OBJECT_REGION, .name = region->name, .region = region,
	};
	for (size_t i = 0; i < region->n_namespaces; i++) {
		const struct namespace *ns = &region->namespaces[i];

		view->objects[view->n++] = (struct object){
			.kind = OBJECT_NAMESPACE, .name = ns->name, .region = region, .ns = ns,
			.disks = disks,
		};
		add_device(view, region, ns->device);
	}
	for (size_t i = 0; i < region->n_devices; i++)
		add_device(view, region, &region->devices[i]);
}

int view_make(const struct config *config, const struct standings *standings,
	      const struct topology *topology, const struct plan *disks, struct view *ret)
{
	struct view view = { 0 };

	view.objects = calloc(count_objects(config, topology) + 1, sizeof(*view.objects));
	if (!view.objects)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_volumes; i++)
		view.objects[view.n++] = (struct object){
			.kind = OBJECT_VOLUME,
			.name = config->volumes[i].name,
			.volume = &config->volumes[i],
			.standing = &standings->standings[i],
		};
	for (size_t i = 0; topology && i < topology->n_regions; i++)
		add_region(&view, &topology->regions[i], disks);
	qsort(view.objects, view.n, sizeof(*view.objects), compare);
	*ret = view;
	return 0;
}

const struct object *view_find(const struct view *view, enum object_kind kind, const char *name)
{
	const struct object key = { .kind = kind, .name = name };

	if (!view->n)
		return NULL;
	return bsearch(&key, view->objects, view->n, sizeof(key), compare);
}
