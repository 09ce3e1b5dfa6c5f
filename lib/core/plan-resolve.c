/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First pass: which region a volume belongs to, and what already exists of it. */
#include "core/planner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_SHOWN 6

static void describe_region(FILE *out, const struct region *region)
{
	(void)fprintf(out, "%s (%s, %s, numa %d, target_node %d, range \"0x%" PRIx64 "-0x%" PRIx64
		      "\")", region->name, region_type_word(region->type),
		      SIZE_STR(region->range.size), region->numa, region->target_node,
		      region->range.start, range_end(region->range) - 1);
}

static char *list_regions(struct planner *p, const char *lead, const struct region **regions,
			  size_t n, size_t shown)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		p->no_memory = true;
		return NULL;
	}
	(void)fputs(lead, out);
	for (size_t i = 0; i < n && i < shown; i++) {
		(void)fputs(i ? ", " : " ", out);
		describe_region(out, regions[i]);
	}
	(void)fputs(n > shown ? ", and more." : ".", out);
	if (fclose(out) != 0)
		p->no_memory = true;
	return text;
}

static void refuse_no_region(struct planner *p, struct goal *goal)
{
	const struct region *all[CANDIDATES_SHOWN + 1];
	size_t n = 0;
	char *hint;

	while (n < p->topology->n_regions && n < ARRAY_SIZE(all)) {
		all[n] = &p->topology->regions[n];
		n++;
	}
	hint = n ? list_regions(p, "this machine has", all, n, CANDIDATES_SHOWN) :
		   planner_text(p, "this machine has no region at all.");
	goal_refuse(p, goal, "region", ENOENT, hint, "No region of this machine fits the selector.");
}

static bool find_region(struct planner *p, struct goal *goal)
{
	const struct region *found[CANDIDATES_SHOWN + 1];
	size_t n = match_regions(p->match, &goal->volume->region, found, ARRAY_SIZE(found));

	if (n == 0) {
		refuse_no_region(p, goal);
		return false;
	}
	if (n > 1) {
		goal_refuse(p, goal, "region", ENOTUNIQ,
			    list_regions(p, "name one of them by what only it has:", found, n,
					 CANDIDATES_SHOWN),
			    "The selector fits more than one region, and a volume lies in one.");
		return false;
	}
	goal->region = found[0];
	return true;
}

static bool admitted(const struct volume *volume, const struct region *region)
{
	return !volume->has_region || selector_admits(&volume->region, region);
}

static void refuse_elsewhere(struct planner *p, struct goal *goal, const struct region *region,
			     const char *is)
{
	char *hint;

	if (goal->volume->absent)
		hint = planner_text(p, "leave out \"region\", or select %s.", region->name);
	else
		hint = planner_text(p, "a volume is not moved between regions: rename it, or "
				    "remove it there first with \"ensure\": \"absent\".");
	goal_refuse(p, goal, "region", EXDEV, hint,
		    "Volume \"%s\" %s in %s, which the selector does not fit.",
		    goal->volume->name, is, region->name);
}

/* A uuid that no namespace has: one that has the name must not be there twice. */
static bool check_new_uuid(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	const struct place *places;

	if (match_label(p->match, volume->name, &places) == 0)
		return true;
	goal_refuse(p, goal, "uuid", EEXIST,
		    planner_text(p, "leave out \"uuid\", or give the volume another name."),
		    "Volume \"%s\" exists with the uuid %s, which cannot be changed.",
		    volume->name, places->ns->uuid.text);
	return false;
}

/*
 * Labels are anybody's: one elsewhere is not the volume that is recorded where the selector says.
 */
static bool is_recorded_here(const struct planner *p, const struct volume *volume,
			     const struct place *places, size_t n)
{
	const struct record *record = topology_find_record(p->topology, volume->name);
	const struct region *region;

	if (!volume->has_region || !record || !record->ranges.n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (admitted(volume, places[i].region))
			return false;
	region = match_region_at(p->match, record->ranges.ranges[0].start);
	return region && region_is_dynamic(region) && admitted(volume, region);
}

/* A namespace that is the volume: by the uuid it asks for, else by its label. */
static bool find_namespace(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	const struct place *places;
	size_t n;

	if (uuid_is_set(&volume->uuid)) {
		places = match_uuid(p->match, &volume->uuid);
		n = places ? 1 : 0;
		if (n == 0)
			return check_new_uuid(p, goal);
		if (!volume->absent && !uuid_equal(&places->ns->uuid, &volume->uuid)) {
			goal_refuse(p, goal, "uuid", EINVAL,
				    planner_text(p, "did you intend \"%s\", its own?",
						 places->ns->uuid.text),
				    "That uuid is the one of the info block of %s, which is made anew "
				    "when its mode changes.", places->ns->name);
			return false;
		}
	} else {
		n = match_label(p->match, volume->name, &places);
		if (n && is_recorded_here(p, volume, places, n))
			return true;
	}
	if (n > 1) {
		goal_refuse(p, goal, "name", ENOTUNIQ,
			    planner_text(p, "say which by \"uuid\": %s is one, %s another.",
					 places[0].ns->uuid.text, places[1].ns->uuid.text),
			    "%zu namespaces are named \"%s\".", n, volume->name);
		return false;
	}
	if (n == 0)
		return true;
	if (!admitted(volume, places->region)) {
		refuse_elsewhere(p, goal, places->region, "exists");
		return false;
	}
	goal->region = places->region;
	goal->ns = places->ns;
	return true;
}

/* The namespace that a volume of a region without labels is: the only one there. */
static void find_unlabelled(struct goal *goal)
{
	if (goal->region->labels == LABELS_NONE && goal->region->n_namespaces == 1)
		goal->ns = &goal->region->namespaces[0];
}

static bool is_default_device(const struct region *region, const struct dax_device *device)
{
	size_t length = strlen(device->name);

	return length > 2 && strcmp(device->name + length - 2, ".0") == 0 &&
	       device->size == region->range.size;
}

static bool device_within(const struct dax_device *device, const struct range_list *ranges)
{
	if (device->ranges.n == 0)
		return false;
	for (size_t i = 0; i < device->ranges.n; i++)
		if (!range_list_contains(ranges, device->ranges.ranges[i]))
			return false;
	return true;
}

static bool is_recorded(const struct planner *p, const struct dax_device *device)
{
	for (size_t i = 0; i < p->topology->n_records; i++)
		if (device_within(device, &p->topology->records[i].ranges))
			return true;
	return false;
}

/*
 * The device that stands in these ranges.  One that is larger is it too (a shrink that was cut
 * short), unless it is the kernel's default device, which comes back at every boot.
 */
static const struct dax_device *device_of(const struct region *region,
					  const struct range_list *ranges)
{
	const struct dax_device *device;

	for (size_t i = 0; i < region->n_devices; i++)
		if (device_within(&region->devices[i], ranges))
			return &region->devices[i];
	device = region_find_device(region, ranges->ranges[0].start);
	return device && !is_default_device(region, device) ? device : NULL;
}

static bool find_record(struct planner *p, struct goal *goal)
{
	const struct record *record = topology_find_record(p->topology, goal->volume->name);
	const struct region *region;

	if (!record || record->ranges.n == 0)
		return true;
	p->claimed[record - p->topology->records] = true;
	region = match_region_at(p->match, record->ranges.ranges[0].start);
	if (!region || !region_is_dynamic(region)) {
		/* The memory it was in is gone: the volume starts anew. */
		goal->record = goal->volume->absent ? record : NULL;
		return true;
	}
	if (!admitted(goal->volume, region)) {
		refuse_elsewhere(p, goal, region, "is recorded");
		return false;
	}
	goal->region = region;
	goal->record = record;
	goal->device = device_of(region, &record->ranges);
	return true;
}

/* Ranges in the configuration name a device even if daxd did not make it. */
static void find_by_ranges(struct planner *p, struct goal *goal)
{
	const struct range_list *ranges = &goal->volume->ranges;
	const struct dax_device *device;

	if (goal->device || !ranges->n)
		return;
	if (!goal->region)
		goal->region = match_region_at(p->match, ranges->ranges[0].start);
	if (!goal->region || !region_is_dynamic(goal->region))
		return;
	device = region_find_device(goal->region, ranges->ranges[0].start);
	if (device && (range_list_same_bytes(&device->ranges, ranges) ||
		       (goal->volume->foreign && !goal->volume->absent)))
		goal->device = device; /* of a foreign one the size may have changed already */
}

static bool is_kernel_name(const struct planner *p, const char *name)
{
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		const struct region *region = &p->topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++)
			if (strcmp(region->namespaces[j].name, name) == 0)
				return true;
		for (size_t j = 0; j < region->n_devices; j++)
			if (region->devices[j].size && strcmp(region->devices[j].name, name) == 0)
				return true;
	}
	return false;
}

/* The namespace of a region without labels that this volume was made of, in any mode. */
static void find_info_block(struct planner *p, struct goal *goal)
{
	struct uuid infos[N_VOLUME_MODES];

	for (enum volume_mode mode = MODE_DEVDAX; mode < N_VOLUME_MODES; mode++) {
		struct uuid uuid = volume_uuid(&p->topology->seed, goal->volume->name, mode);

		infos[mode] = volume_info_uuid(&uuid);
	}
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		const struct region *region = &p->topology->regions[i];

		if (region_is_dynamic(region) || region->labels != LABELS_NONE ||
		    region->n_namespaces != 1 || !admitted(goal->volume, region))
			continue;
		for (size_t mode = 0; mode < N_VOLUME_MODES; mode++)
			if (uuid_equal(&region->namespaces[0].info_uuid, &infos[mode])) {
				goal->region = region;
				goal->ns = &region->namespaces[0];
			}
	}
}

static void resolve_absent(struct planner *p, struct goal *goal)
{
	if (!goal->ns && !goal->record)
		find_info_block(p, goal);
	if (!goal->ns)
		find_by_ranges(p, goal);
	if (goal->ns || goal->record || goal->device) {
		goal->verdict = VERDICT_REMOVE;
	} else if (is_kernel_name(p, goal->volume->name)) {
		goal_refuse(p, goal, "name", EINVAL,
			    planner_text(p, "name what daxd did not make by \"uuid\" or \"ranges\"; "
					    "daxctl-ext export shows them."),
			    "No volume is named \"%s\": that is the kernel's name, of another "
			    "object after each boot.", goal->volume->name);
	} else {
		goal->verdict = VERDICT_GONE;
	}
}

/* What is somebody else's goes by no name of ours, and is not made when it is not there. */
static bool find_foreign(struct planner *p, struct goal *goal)
{
	if (uuid_is_set(&goal->volume->uuid) && !find_namespace(p, goal))
		return false;
	if (goal->volume->absent)
		return true;
	if (!goal->region && !find_region(p, goal))
		return false;
	find_unlabelled(goal);
	find_by_ranges(p, goal);
	if (goal->ns || goal->device)
		return true;
	goal_refuse(p, goal, goal->volume->ranges.n ? "ranges" : "uuid", ENOENT,
		    planner_text(p, "daxctl-ext status shows what is there."),
		    "%s has no such object.", goal->region->name);
	return false;
}

/* What an interrupted run has left may be finished: a record alone, a namespace without a mode. */
static bool check_fresh(struct planner *p, struct goal *goal)
{
	if (!goal->device && !(goal->ns && goal->ns->mode != NAMESPACE_RAW))
		return true;
	goal_refuse(p, goal, "ensure", EEXIST,
		    planner_text(p, "choose another name, or destroy it before."),
		    "There is a volume \"%s\" already: %s.", goal->volume->name,
		    goal->ns ? goal->ns->name : goal->device->name);
	return false;
}

static void resolve(struct planner *p, struct goal *goal)
{
	if (goal->volume->foreign && !find_foreign(p, goal))
		return;
	if (!goal->volume->foreign && !find_namespace(p, goal))
		return;
	if (!goal->volume->foreign && !goal->ns && !find_record(p, goal))
		return;
	if (goal->volume->absent) {
		resolve_absent(p, goal);
	} else {
		if (!goal->region && !find_region(p, goal))
			return;
		if (goal->volume->fresh && !check_fresh(p, goal))
			return;
		goal->verdict = VERDICT_KEEP; /* until judged */
		find_unlabelled(goal);
		find_by_ranges(p, goal);
	}
	if (goal->ns)
		goal->device = goal->ns->device;
}

static void find_default_devices(struct planner *p)
{
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		const struct region *region = &p->topology->regions[i];

		if (region_is_dynamic(region) && region->n_devices &&
		    is_default_device(region, &region->devices[0]) &&
		    !is_recorded(p, &region->devices[0]))
			p->states[i].default_device = &region->devices[0];
	}
}

/* What belongs to a volume that is not in this configuration is not for others. */
static void check_foreign(struct planner *p, struct goal *goal)
{
	const struct record *record;

	if (goal->record || !goal->volume->ranges.n || goal->verdict == VERDICT_REFUSED)
		return;
	record = planner_foreign_record(p, &goal->volume->ranges);
	if (record)
		goal_refuse(p, goal, "ranges", EBUSY,
			    planner_text(p, "remove it first with \"ensure\": \"absent\", or choose "
					    "other ranges."),
			    "These ranges are those of volume \"%s\", or a part of them.",
			    record->volume);
}

void resolve_goals(struct planner *p)
{
	find_default_devices(p);
	for (size_t i = 0; i < p->config->n_volumes; i++) {
		struct goal *goal = &p->goals[i];

		goal->volume = &p->config->volumes[i];
		goal->verdict = VERDICT_REFUSED;
		resolve(p, goal);
		/* A default device that is somebody's volume is no longer free memory. */
		if (goal->device && !goal->ns && goal->region) {
			struct region_state *state = planner_state(p, goal->region);

			if (state->default_device == goal->device)
				state->default_device = NULL;
		}
	}
	records_find_gone(p);
	claims_settle(p);
	for (size_t i = 0; i < p->config->n_volumes; i++)
		check_foreign(p, &p->goals[i]);
}
