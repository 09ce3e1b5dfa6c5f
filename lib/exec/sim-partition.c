/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partitions: the table, the kernel's own block devices of it, and ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/sim.h"

/* The disk of a namespace that has a block device; where nobody looked before, it is blank. */
static int find_disk(struct sim *sim, const struct step *step, struct namespace **ret,
		     struct error *reterr)
{
	struct namespace *ns;
	int r = sim_find_namespace(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	if (!ns->blockdev)
		return error_set(reterr, ENOENT, "%s has no block device.", ns->name);
	if (!ns->disk)
		ns->disk = calloc(1, sizeof(*ns->disk));
	if (!ns->disk)
		return error_oom(reterr);
	*ret = ns;
	return 0;
}

static int find_table(struct sim *sim, const struct step *step, struct partition_table **ret,
		      struct error *reterr)
{
	struct namespace *ns;
	struct dax_device *device;
	struct region *region;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	device = region_device(region, &step->uuid, step->start);
	if (device) {
		if (!device->table)
			device->table = calloc(1, sizeof(*device->table));
		*ret = device->table;
		return *ret ? 0 : error_oom(reterr);
	}
	r = find_disk(sim, step, &ns, reterr);
	if (r == 0)
		*ret = &ns->disk->table;
	return r;
}

int sim_write_table(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct partition_table *table, copy = { 0 };
	int r = find_table(sim, step, &table, reterr);

	if (r < 0)
		return r;
	if (!table_equal(table, &step->before_table))
		return error_set(reterr, ESTALE, "The table is not the one that was planned for.");
	if (table_copy(&copy, &step->after_table) < 0)
		return error_oom(reterr);
	table_clear(table);
	*table = copy;
	return 0;
}

int sim_policy(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct namespace *ns = NULL;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	ns->disk->policy = step->policy;
	ns->disk->managed = step->managed;
	return 0;
}

int sim_drop_partition(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct native *native;
	struct namespace *ns;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	native = disk_find_native(ns->disk, step->number);
	if (!native)
		return 0;
	r = sim_check_free(ns->blockdev, &native->holders, false, reterr);
	if (r < 0)
		return r;
	holder_list_clear(&native->holders);
	ARRAY_REMOVE(ns->disk->natives, ns->disk->n_natives, native);
	return 0;
}

static int check_inside(const struct namespace *ns, const struct step *step,
			struct error *reterr)
{
	if (range_end(step->extent) <= ns->size)
		return 0;
	return error_set(reterr, EINVAL, "Partition %u does not fit into %s.", step->number,
			 ns->blockdev);
}

int sim_add_partition(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct native *slot;
	struct namespace *ns;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	r = check_inside(ns, step, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ns->disk->n_natives; i++)
		if (ns->disk->natives[i].number == step->number ||
		    range_overlaps(ns->disk->natives[i].extent, step->extent))
			return error_set(reterr, EBUSY, "%s has such a partition already.",
					 ns->blockdev);
	slot = ARRAY_APPEND(ns->disk->natives, ns->disk->n_natives);
	if (!slot)
		return error_oom(reterr);
	*slot = (struct native){ .number = step->number, .extent = step->extent };
	ns->disk->n_natives++;
	topology_sort(sim->topology);
	return 0;
}

/* A mounted partition of the kernel's has the whole disk for itself. */
static int check_claim(const struct namespace *ns, struct error *reterr)
{
	int r = sim_check_free(ns->blockdev, &ns->holders, false, reterr);

	for (size_t i = 0; r == 0 && i < ns->disk->n_natives; i++)
		for (size_t j = 0; r == 0 && j < ns->disk->natives[i].holders.n; j++)
			if (ns->disk->natives[i].holders.holders[j].kind != HOLDER_PROCESS)
				r = error_set(reterr, EBUSY, "Partition %u of %s is in use.",
					      ns->disk->natives[i].number, ns->blockdev);
	return r;
}

int sim_map(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct disk_map *slot;
	struct namespace *ns;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	r = check_inside(ns, step, reterr);
	if (r == 0)
		r = check_claim(ns, reterr);
	if (r < 0)
		return r;
	if (disk_find_map(ns->disk, step->number))
		return error_set(reterr, EEXIST, "Partition %u of %s is mapped elsewhere.",
				 step->number, ns->blockdev);
	slot = ARRAY_APPEND(ns->disk->maps, ns->disk->n_maps);
	if (!slot)
		return error_oom(reterr);
	*slot = (struct disk_map){ .number = step->number, .extent = step->extent,
			      .read_only = step->read_only, .linked = true };
	if (asprintf(&slot->name, "%s%s%u", ns->blockdev, disk_infix(ns->blockdev),
		     step->number) < 0) {
		slot->name = NULL;
		return error_oom(reterr);
	}
	ns->disk->n_maps++;
	topology_sort(sim->topology);
	return 0;
}

int sim_unmap(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct disk_map *map;
	struct namespace *ns;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	map = disk_find_map(ns->disk, step->number);
	if (!map)
		return 0;
	if (disk_map_is_open(map))
		return error_set(reterr, EBUSY, "%s is open.", map->name);
	free(map->name);
	holder_list_clear(&map->holders);
	ARRAY_REMOVE(ns->disk->maps, ns->disk->n_maps, map);
	return 0;
}

int sim_remap(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct disk_map *map;
	struct namespace *ns;
	int r = find_disk(sim, step, &ns, reterr);

	if (r < 0)
		return r;
	r = check_inside(ns, step, reterr);
	if (r < 0)
		return r;
	map = disk_find_map(ns->disk, step->number);
	if (!map)
		return error_set(reterr, ENOENT, "Partition %u of %s is not mapped.", step->number,
				 ns->blockdev);
	if (disk_map_is_open(map) &&
	    (map->extent.start != step->extent.start || map->extent.size > step->extent.size))
		return error_set(reterr, EBUSY, "%s is open and would not only grow.", map->name);
	map->extent = step->extent;
	return 0;
}
