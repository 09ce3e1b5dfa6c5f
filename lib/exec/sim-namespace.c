/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/geometry.h"
#include "core/layout.h"
#include "exec/sim.h"

#define SECTOR_SIZE 512 /* of a block device, unless its label says another */

static bool kernel_holds(const struct namespace *ns)
{
	return ns->device && ns->device->driver == DRIVER_KMEM;
}

static int check_free(const struct namespace *ns, struct error *reterr)
{
	int r = sim_check_free(ns->name, &ns->holders, false, reterr);

	if (r == 0 && ns->device)
		r = sim_check_free(ns->device->name, &ns->device->holders, false, reterr);
	if (r == 0 && ns->disk && ns->disk->n_maps)
		r = error_set(reterr, EBUSY, "%s is in use by %s.", ns->name,
			      ns->disk->maps[0].name);
	if (r == 0 && kernel_holds(ns))
		r = error_set(reterr, EBUSY, "%s is memory of the kernel.", ns->device->name);
	return r;
}

static void refresh_available(struct region *region)
{
	region->available = region->range.size;
	for (size_t i = 0; i < region->n_namespaces; i++)
		region->available -= region->namespaces[i].range.size;
}

static void deactivate(struct namespace *ns)
{
	free(ns->claim);
	ns->claim = NULL; /* the kernel counts them on, whatever the numbers */
	free(ns->blockdev);
	ns->blockdev = NULL;
	access_clear(&ns->node);
	disk_free(TAKE(ns->disk));
	if (ns->device) {
		dax_device_clear(ns->device);
		free(ns->device);
		ns->device = NULL;
	}
	ns->enabled = false;
	ns->size = 0;
}

static int make_device(const struct region *region, struct namespace *ns)
{
	struct range data = namespace_data(ns->range, ns->align, ns->map);
	struct dax_device *device = calloc(1, sizeof(*device));

	ns->device = device;
	if (!device || asprintf(&device->name, "dax%s", ns->name + strlen("namespace")) < 0 ||
	    range_list_add(&device->ranges, data) < 0 ||
	    sim_reset_access(&device->node, "root", 0600) < 0)
		return -ENOMEM;
	device->size = ns->size = data.size;
	device->align = ns->align;
	device->target_node = region->target_node;
	device->numa = region->numa;
	device->driver = DRIVER_DEVICE_DAX;
	return 0;
}

/* Raw and fsdax show a block device; devdax a dax device. */
static int activate(const struct region *region, struct namespace *ns)
{
	ns->enabled = true;
	if (ns->mode == NAMESPACE_DEVDAX)
		return make_device(region, ns);
	if (asprintf(&ns->blockdev, "pmem%s", ns->name + strlen("namespace")) < 0)
		return -ENOMEM;
	ns->disk = calloc(1, sizeof(*ns->disk));
	if (!ns->disk)
		return -ENOMEM;
	ns->disk->table.sector_size = SECTOR_SIZE;
	ns->size = ns->mode == NAMESPACE_FSDAX ?
			   namespace_data(ns->range, ns->align, ns->map).size :
			   ns->range.size;
	return sim_reset_access(&ns->node, "disk", 0660);
}

static int set_mode(const struct region *region, struct namespace *ns, const struct step *step,
		    struct error *reterr)
{
	if (!(step->align & region->aligns))
		return error_set(reterr, EINVAL, "%s does not support align %s.", region->name,
				 SIZE_STR(step->align));
	if (namespace_data(ns->range, step->align, step->map).size == 0)
		return error_set(reterr, ENXIO, "%s is too small for its metadata.", ns->name);
	deactivate(ns);
	ns->mode = step->mode;
	ns->align = step->align;
	ns->map = step->map;
	ns->info_uuid = step->info_uuid;
	if (activate(region, ns) < 0)
		return error_oom(reterr);
	if (step->fresh && ns->device && !(ns->device->table = calloc(1, sizeof(*ns->device->table))))
		return error_oom(reterr);
	return 0;
}

int sim_init_labels(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	if (region->labels == LABELS_NONE)
		return error_set(reterr, EOPNOTSUPP, "%s has no label area.", region->name);
	if (region->labels == LABELS_VALID)
		return 0;
	for (size_t i = 0; r == 0 && i < region->n_namespaces; i++)
		r = check_free(&region->namespaces[i], reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < region->n_namespaces; i++)
		namespace_clear(&region->namespaces[i]);
	region->n_namespaces = 0;
	region->labels = LABELS_VALID;
	region->uuid = region_uuid(region->cookie);
	refresh_available(region);
	for (size_t i = 0; i < sim->topology->n_dimms; i++)
		for (size_t j = 0; j < region->n_dimms; j++)
			if (strcmp(sim->topology->dimms[i].name, region->dimms[j]) == 0)
				sim->topology->dimms[i].labels = LABELS_VALID;
	return 0;
}

/* First fit in one piece, as the kernel's label allocator does. */
static int find_place(const struct region *region, uint64_t size, struct range *ret)
{
	struct space space = { .whole = region->range };
	struct range_list got = { 0 };
	uint64_t step = region->align ? region->align : ALIGN_2M;
	int r = 0;

	for (size_t i = 0; r == 0 && i < region->n_namespaces; i++)
		r = space_use(&space, region->namespaces[i].range);
	if (r == 0)
		r = space_allocate(&space, size, step, true, &got);
	if (r == 0)
		*ret = got.ranges[0];
	range_list_clear(&got);
	space_clear(&space);
	return r;
}

static int check_new_namespace(const struct region *region, const struct step *step,
			       struct error *reterr)
{
	uint64_t align = region->align ? region->align : ALIGN_2M;

	if (region->labels != LABELS_VALID)
		return error_set(reterr, ENXIO, "%s has no labels to keep a namespace in.",
				 region->name);
	if (!region->enabled || region->read_only)
		return error_set(reterr, region->enabled ? EROFS : ENXIO,
				 "%s cannot be changed.", region->name);
	if (step->size % align)
		return error_set(reterr, EINVAL, "%s is not a multiple of the region's align.",
				 SIZE_STR(step->size));
	if (step->size < NAMESPACE_SIZE_MIN)
		return error_set(reterr, EINVAL, "%s is below the smallest namespace.",
				 SIZE_STR(step->size));
	return 0;
}

static int name_namespace(const struct region *region, struct namespace *ns,
			  const struct step *step)
{
	size_t id;

	ns->label = strdup(step->label);
	if (!ns->label || sim_free_id(region, &id) < 0 ||
	    asprintf(&ns->name, "namespace%d.%zu", region->id, id) < 0)
		return -ENOMEM;
	ns->uuid = step->uuid;
	return 0;
}

int sim_create_namespace(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct namespace ns = { 0 }, *slot;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r == 0)
		r = check_new_namespace(region, step, reterr);
	if (r < 0)
		return r;
	if (region_find_namespace(region, &step->uuid))
		return error_set(reterr, EBUSY, "A namespace with uuid %s is there already.",
				 step->uuid.text);
	r = find_place(region, step->size, &ns.range);
	if (r < 0)
		return error_set(reterr, -r, "%s has no %s in one piece free.", region->name,
				 SIZE_STR(step->size));
	r = name_namespace(region, &ns, step) < 0 ? error_oom(reterr) :
						    set_mode(region, &ns, step, reterr);
	if (r == 0) {
		slot = ARRAY_APPEND(region->namespaces, region->n_namespaces);
		if (!slot)
			r = error_oom(reterr);
	}
	if (r < 0) {
		namespace_clear(&ns);
		return r;
	}
	*slot = ns;
	region->n_namespaces++;
	refresh_available(region);
	topology_sort(sim->topology);
	return 0;
}

int sim_convert_namespace(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct namespace *ns;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r == 0)
		r = sim_find_namespace(sim, step, &ns, reterr);
	if (r == 0)
		r = check_free(ns, reterr);
	return r < 0 ? r : set_mode(region, ns, step, reterr);
}

int sim_enable_namespace(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct namespace *ns;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r == 0)
		r = sim_find_namespace(sim, step, &ns, reterr);
	if (r < 0 || ns->enabled)
		return r;
	return activate(region, ns) < 0 ? error_oom(reterr) : 0;
}

int sim_destroy_namespace(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct region *region;
	struct namespace *ns;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	ns = region_find_namespace(region, &step->uuid);
	if (!ns)
		return 0;
	r = check_free(ns, reterr);
	if (r < 0)
		return r;
	namespace_clear(ns);
	ARRAY_REMOVE(region->namespaces, region->n_namespaces, ns);
	refresh_available(region);
	return 0;
}
