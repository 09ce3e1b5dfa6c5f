/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/effect.h"

#include <errno.h>
#include <string.h>

static bool namespace_is(const struct namespace *ns, const struct step *step)
{
	return ns && ns->enabled && ns->mode == step->mode && ns->align == step->align &&
	       ns->map == step->map && (step->size == 0 || ns->range.size == step->size) &&
	       uuid_equal(&ns->info_uuid, &step->info_uuid);
}

static bool device_is(const struct dax_device *device, const struct step *step)
{
	return device && device->align == step->align &&
	       device->size == range_list_size(&step->ranges);
}

static bool blocks_are(const struct dax_device *device, bool online, enum zone zone)
{
	if (!device || device->driver != DRIVER_KMEM)
		return false;
	for (size_t i = 0; i < device->n_blocks; i++)
		if (device->blocks[i].online != online ||
		    (online && device->blocks[i].zone != zone))
			return false;
	return true;
}

static bool access_is(const struct access *have, const struct step *step)
{
	const struct access *want = &step->access;

	return have && have->owner && have->link && strcmp(have->link, want->link) == 0 &&
	       access_owners_are(have, want->owner, want->group) &&
	       (!step->has_perm || want->perm == have->perm);
}

static bool record_is(const struct topology *topology, const struct step *step)
{
	const struct record *record = topology_find_record(topology, step->label);

	return record && step->record_mode && strcmp(record->mode, step->record_mode) == 0 &&
	       range_list_same_bytes(&record->ranges, &step->ranges);
}

static bool table_is(const struct namespace *ns, const struct dax_device *device,
		     const struct partition_table *want)
{
	const struct partition_table *have = device ? device->table :
					     ns && ns->disk ? &ns->disk->table : NULL;

	return have ? table_equal(have, want) : want->kind == TABLE_NONE;
}

static bool extent_is(struct range a, struct range b)
{
	return a.start == b.start && a.size == b.size;
}

static bool disk_is(const struct disk *disk, const struct step *step)
{
	const struct native *native = disk_find_native(disk, step->number);
	const struct disk_map *map = disk_find_map(disk, step->number);

	if (step->kind == STEP_POLICY)
		return disk->policy == step->policy && disk->managed == step->managed;
	if (step->kind == STEP_DROP_PARTITION)
		return !native;
	if (step->kind == STEP_ADD_PARTITION)
		return native && extent_is(native->extent, step->extent);
	if (step->kind == STEP_UNMAP)
		return !map;
	return map && map->linked && extent_is(map->extent, step->extent);
}

static bool effect_is_there(const struct region *region, const struct step *step)
{
	const struct namespace *ns = region_find_namespace(region, &step->uuid);
	const struct dax_device *device = region_device(region, &step->uuid, step->start);
	const struct access *node = region_node(region, &step->uuid, step->start);

	switch (step->kind) {
	case STEP_INIT_LABELS:
		return region->labels == LABELS_VALID;
	case STEP_CREATE_NAMESPACE:
	case STEP_CONVERT_NAMESPACE:
		return namespace_is(ns, step);
	case STEP_ENABLE_NAMESPACE:
		return ns && ns->enabled;
	case STEP_DESTROY_NAMESPACE:
		return !ns;
	case STEP_CREATE_DEVICE:
	case STEP_RESIZE_DEVICE:
		return device_is(region_find_device(region, step->ranges.ranges[0].start), step);
	case STEP_DESTROY_DEVICE:
		return !device;
	case STEP_BIND:
		return device && device->driver == step->driver;
	case STEP_UNBIND:
		return device && device->driver == DRIVER_NONE;
	case STEP_ONLINE:
		return blocks_are(device, true, step->zone);
	case STEP_OFFLINE:
		return blocks_are(device, false, ZONE_NONE);
	case STEP_PUBLISH:
		return access_is(node, step);
	case STEP_WITHDRAW:
		return node && !node->link;
	case STEP_WRITE_TABLE:
		return table_is(ns, device, &step->after_table);
	case STEP_POLICY:
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_REMAP:
		return ns && ns->disk && disk_is(ns->disk, step);
	case STEP_RECORD:
	case STEP_FORGET:
		break;
	}
	return false;
}

int step_effect(const struct topology *topology, const struct step *step, struct error *reterr)
{
	const struct region *region =
		step->region ? topology_find_region(topology, step->region) : NULL;
	bool there;

	if (step->kind == STEP_RECORD)
		there = record_is(topology, step);
	else if (step->kind == STEP_FORGET)
		there = !topology_find_record(topology, step->label);
	else
		there = region && effect_is_there(region, step);
	if (there)
		return 0;
	return error_set(reterr, EIO, "The %s step on %s reported success, but its effect is not there.",
			 step_kind_word(step->kind),
			 step->volume ? step->volume : step->object ? step->object : "the region");
}
