/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/undo.h"

#include <stdlib.h>
#include <string.h>

static const struct namespace *namespace_before(const struct step *step,
						const struct topology *before)
{
	const struct region *region = topology_find_region(before, step->region);

	return region ? region_find_namespace(region, &step->uuid) : NULL;
}

static const struct dax_device *device_before(const struct step *step,
					      const struct topology *before)
{
	const struct region *region = topology_find_region(before, step->region);

	return region ? region_device(region, &step->uuid, step->start) : NULL;
}

/* Blocks that were online are somebody's memory: those stay, whatever failed. */
static enum undo restore_offline(const struct step *step, const struct topology *before)
{
	const struct dax_device *device = device_before(step, before);

	return device && dax_device_any_online(device) ? UNDO_NOTHING : UNDO_STEP;
}

/* All blocks in one zone: else some would come online that were not, or in another zone. */
static enum undo restore_online(const struct step *step, const struct topology *before,
				struct step *ret)
{
	const struct dax_device *device = device_before(step, before);

	if (!device || !dax_device_any_online(device))
		return UNDO_NOTHING;
	ret->zone = device->blocks[0].zone;
	for (size_t i = 0; i < device->n_blocks; i++)
		if (!device->blocks[i].online || device->blocks[i].zone != ret->zone)
			return UNDO_NEVER;
	return ret->zone == ZONE_NORMAL || ret->zone == ZONE_MOVABLE ? UNDO_STEP : UNDO_NEVER;
}

static enum undo restore_record(const struct step *step, const struct topology *before,
				struct step *ret)
{
	const struct record *record = topology_find_record(before, step->label);

	ret->kind = STEP_FORGET;
	if (!record)
		return step->kind == STEP_RECORD ? UNDO_STEP : UNDO_NOTHING;
	ret->kind = STEP_RECORD;
	free(ret->record_mode);
	ret->record_mode = strdup(record->mode);
	ret->until_reboot = record->until_reboot;
	range_list_clear(&ret->ranges);
	if (!ret->record_mode || range_list_copy(&ret->ranges, &record->ranges) < 0)
		return UNDO_NEVER;
	return UNDO_STEP;
}

/* Back to the link and access that it had, or to none. */
static enum undo restore_access(const struct step *step, const struct topology *before,
				struct step *ret)
{
	const struct region *region = topology_find_region(before, step->region);
	const struct access *had = region ? region_node(region, &step->uuid, step->start) : NULL;
	const struct record *record =
		step->volume ? topology_find_record(before, step->volume) : NULL;

	if (!had || !had->link || !access_link_name(had->link)) {
		ret->kind = STEP_WITHDRAW;
		return step->kind == STEP_PUBLISH ? UNDO_STEP : UNDO_NOTHING;
	}
	ret->kind = STEP_PUBLISH;
	access_clear(&ret->access);
	ret->access.link = strdup(had->link);
	ret->access.owner = strdup(had->owner);
	ret->access.group = strdup(had->group);
	ret->access.perm = had->perm;
	ret->has_perm = true;
	ret->until_reboot = record && record->until_reboot;
	return ret->access.link && ret->access.owner && ret->access.group ? UNDO_STEP : UNDO_NEVER;
}

/* While a descriptor of before is open, device_dax does not come back. */
static bool was_held(const struct step *step, const struct topology *before)
{
	const struct region *region = topology_find_region(before, step->region);
	const struct dax_device *device;

	if (!step->ignore_open || step->driver != DRIVER_DEVICE_DAX || !region)
		return false;
	device = step->start ? region_find_device(region, step->start) : NULL;
	return !device || device->holders.n;
}

/*
 * What was there before daxd wrote; of what could not be read whole there is no way back.  A
 * namespace that this run has made goes with its table.
 */
static enum undo restore_table(const struct step *step, const struct topology *before,
			       struct step *ret)
{
	if (!namespace_before(step, before))
		return UNDO_NOTHING;
	if (step->before_table.kind != TABLE_GPT && step->before_table.kind != TABLE_NONE)
		return UNDO_NEVER;
	table_clear(&ret->before_table);
	table_clear(&ret->after_table);
	if (table_copy(&ret->before_table, &step->after_table) < 0 ||
	    table_copy(&ret->after_table, &step->before_table) < 0)
		return UNDO_NEVER;
	table_copy_is_written(&ret->after_table);
	return UNDO_STEP;
}

static enum undo restore_policy(const struct step *step, const struct topology *before,
				struct step *ret)
{
	const struct namespace *ns = namespace_before(step, before);
	bool known = ns && ns->disk;

	ret->policy = known ? ns->disk->policy : PARTITIONING_KERNEL;
	ret->managed = known && ns->disk->managed;
	return UNDO_STEP;
}

static const struct disk_map *map_before(const struct step *step, const struct topology *before)
{
	const struct namespace *ns = namespace_before(step, before);

	return ns && ns->disk ? disk_find_map(ns->disk, step->number) : NULL;
}

/* One that is there has only its link made again; with another extent it was another disk's. */
static bool was_mapped(const struct step *step, const struct topology *before)
{
	const struct disk_map *map = map_before(step, before);

	return map && !map->linked && map->extent.start == step->extent.start &&
	       map->extent.size == step->extent.size;
}

static bool is_of_pages(struct range extent)
{
	return extent.start % ALIGN_4K == 0 && extent.size % ALIGN_4K == 0;
}

/* One that was moved or has grown may lie on another that comes back. */
static enum undo restore_map(const struct step *step, const struct topology *before,
			     struct step *ret)
{
	const struct disk_map *map = map_before(step, before);

	if (!map)
		return UNDO_NOTHING;
	ret->extent = map->extent;
	return is_of_pages(map->extent) ? UNDO_STEP : UNDO_NEVER;
}

static enum undo turn_round(const struct step *step, const struct topology *before,
			    struct step *ret)
{
	switch (step->kind) {
	case STEP_CREATE_NAMESPACE:
		ret->kind = STEP_DESTROY_NAMESPACE;
		return UNDO_STEP;
	case STEP_RECORD:
	case STEP_FORGET:
		return restore_record(step, before, ret);
	case STEP_CREATE_DEVICE:
		ret->kind = STEP_DESTROY_DEVICE;
		ret->start = step->ranges.ranges[0].start;
		return UNDO_STEP;
	case STEP_BIND:
		ret->kind = STEP_UNBIND;
		return UNDO_STEP;
	case STEP_UNBIND:
		ret->kind = STEP_BIND;
		return step->driver == DRIVER_OTHER || was_held(step, before) ? UNDO_NEVER :
										UNDO_STEP;
	case STEP_ONLINE:
		ret->kind = STEP_OFFLINE;
		return restore_offline(step, before);
	case STEP_OFFLINE:
		ret->kind = STEP_ONLINE;
		return restore_online(step, before, ret);
	case STEP_PUBLISH:
	case STEP_WITHDRAW:
		return restore_access(step, before, ret);
	case STEP_WRITE_TABLE:
		return restore_table(step, before, ret);
	case STEP_POLICY:
		return restore_policy(step, before, ret);
	case STEP_DROP_PARTITION:
		ret->kind = STEP_ADD_PARTITION;
		return UNDO_STEP;
	case STEP_ADD_PARTITION:
		ret->kind = STEP_DROP_PARTITION;
		return UNDO_STEP;
	case STEP_MAP:
		ret->kind = STEP_UNMAP;
		return was_mapped(step, before) ? UNDO_NOTHING : UNDO_STEP;
	case STEP_UNMAP:
		ret->kind = STEP_MAP;
		return is_of_pages(step->extent) ? UNDO_STEP : UNDO_NEVER;
	case STEP_REMAP:
		return restore_map(step, before, ret);
	case STEP_ENABLE_NAMESPACE:
		return UNDO_NOTHING;
	case STEP_INIT_LABELS:
	case STEP_CONVERT_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_RESIZE_DEVICE:
	case STEP_DESTROY_DEVICE:
		return UNDO_NEVER;
	}
	return UNDO_NEVER;
}

enum undo step_undo(const struct step *step, const struct topology *before, struct step *ret)
{
	struct step inverse = { 0 };
	enum undo undo;

	if (step_copy(&inverse, step) < 0)
		return UNDO_NEVER;
	inverse.destructive = false;
	undo = turn_round(step, before, &inverse);
	if (undo != UNDO_STEP) {
		step_clear(&inverse);
		return undo;
	}
	*ret = inverse;
	return UNDO_STEP;
}
