/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes that are dax devices of dynamic regions: soft-reserved memory and volatile CXL. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "core/planner.h"

static bool check_keys(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	const struct region *region = goal->region;
	const char *type = region_type_word(region->type);

	if (volume->mode == MODE_FSDAX)
		goal_refuse(p, goal, "mode", EOPNOTSUPP,
			    planner_text(p, "choose a pmem region, or mode devdax or system-ram."),
			    "fsdax needs a pmem region, and %s is %s memory.", region->name, type);
	else if (volume->map != MAP_NONE)
		goal_refuse(p, goal, "map", EOPNOTSUPP, planner_text(p, "leave \"map\" out."),
			    "Only pmem namespaces have a map, and %s is %s memory.", region->name,
			    type);
	else if (uuid_is_set(&volume->uuid))
		goal_refuse(p, goal, "uuid", EOPNOTSUPP, planner_text(p, "leave \"uuid\" out."),
			    "Only pmem namespaces have a uuid, and %s is %s memory.", region->name,
			    type);
	else if (volume->n_partitions)
		goal_refuse(p, goal, "partitions", EOPNOTSUPP,
			    planner_text(p, "give each a volume of its own, which is a device of its "
					    "own; \"ranges\" says where in the region."),
			    "%s is %s memory, which forgets, so it keeps no partition table.",
			    region->name, type);
	else if (volume->mode == MODE_SYSTEM_RAM && region->target_node < 0)
		goal_refuse(p, goal, "mode", ENODEV,
			    planner_text(p, "firmware gives the node of memory (ACPI SRAT); use "
					    "devdax here."),
			    "Memory of %s belongs to no NUMA node, so the kernel cannot use it as RAM.",
			    region->name);
	else if (volume->mode == MODE_SYSTEM_RAM && p->topology->memory_block_size == 0)
		goal_refuse(p, goal, "mode", EOPNOTSUPP, NULL,
			    "This kernel cannot add memory: it shows no memory block size.");
	else
		return goal_check_align(p, goal);
	return false;
}

static uint64_t step_of(const struct planner *p, const struct goal *goal)
{
	return allocation_step(goal->region, goal->align, goal->volume->mode,
			       p->topology->memory_block_size);
}

/* Memory has no byte that must be at an offset: the order of its ranges is nothing. */
static bool has_ranges(const struct goal *goal)
{
	const struct range_list *have = &goal->device->ranges, *want = &goal->volume->ranges;

	return goal->volume->mode == MODE_SYSTEM_RAM ? range_list_same_set(have, want) :
						       range_list_same_bytes(have, want);
}

/* "ranges" of the configuration: inside the region, in whole steps; what is there may stay. */
static bool check_ranges(struct planner *p, struct goal *goal, uint64_t step)
{
	const struct range_list *ranges = &goal->volume->ranges;

	if (goal->device && has_ranges(goal))
		return true;
	for (size_t i = 0; i < ranges->n; i++) {
		struct range r = ranges->ranges[i], whole = goal->region->range;

		if (r.start < whole.start || range_end(r) > range_end(whole)) {
			goal_refuse(p, goal, "ranges", ERANGE, NULL,
				    "Range %zu is not inside %s, 0x%llx-0x%llx.", i,
				    goal->region->name, (unsigned long long)whole.start,
				    (unsigned long long)range_end(whole) - 1);
			return false;
		}
		if (r.start % step || r.size % step) {
			goal_refuse(p, goal, "ranges", EINVAL, NULL,
				    "Range %zu does not begin and end at multiples of %s.", i,
				    SIZE_STR(step));
			return false;
		}
	}
	return true;
}

/* Did the contents of the existing device mean anything to anybody? */
static bool holds_data(const struct goal *goal)
{
	const struct record *record = goal->record ? goal->record : goal->former;

	if (record)
		return strcmp(record->mode, volume_mode_word(MODE_SYSTEM_RAM)) != 0;
	return goal->device->driver != DRIVER_KMEM;
}

static void copy_ranges(struct planner *p, struct range_list *to, const struct range_list *from)
{
	range_list_clear(to);
	if (range_list_copy(to, from) < 0)
		p->no_memory = true;
	range_list_join(to);
}

/* The first size bytes of the ranges: what shrinking leaves. */
static void copy_prefix(struct planner *p, struct range_list *to, const struct range_list *from,
			uint64_t size)
{
	range_list_clear(to);
	for (size_t i = 0; size && i < from->n; i++) {
		struct range r = from->ranges[i];

		if (r.size > size)
			r.size = size;
		if (range_list_add(to, r) < 0)
			p->no_memory = true;
		size -= r.size;
	}
}

static char *ranges_text(struct planner *p, const struct range_list *ranges)
{
	struct text text = { 0 };
	char *made;

	for (size_t i = 0; i < ranges->n; i++)
		text_add(&text, "%s0x%" PRIx64 "-0x%" PRIx64, i ? "," : "",
			 ranges->ranges[i].start, range_end(ranges->ranges[i]) - 1);
	made = text_finish(&text);
	if (!made)
		p->no_memory = true;
	return made;
}

static bool is_one_piece(const struct range_list *ranges)
{
	for (size_t i = 1; i < ranges->n; i++)
		if (range_end(ranges->ranges[i - 1]) != ranges->ranges[i].start)
			return false;
	return true;
}

static void resize(struct goal *goal, const char *reason)
{
	goal->verdict = VERDICT_RESIZE;
	if (!goal->reason)
		goal->reason = reason;
}

/* Of a foreign device they only say which it is. */
static bool says_ranges(const struct goal *goal)
{
	return goal->volume->ranges.n && !goal->volume->foreign;
}

static void drift_ranges(struct planner *p, const struct goal *goal,
			 const struct range_list *have, const struct range_list *want)
{
	_cleanup_(freep) char *from = ranges_text(p, have), *to = ranges_text(p, want);

	planner_drift(p, goal, "ranges", from ? from : "", to ? to : "");
}

static const char *ranges_reason(const struct range_list *have, const struct range_list *want)
{
	if (range_list_same_set(have, want))
		return "the order of its ranges changes";
	return range_list_begins_with(want, have) || range_list_begins_with(have, want) ?
		       "its size changes" :
		       "its ranges change";
}

static void judge_ranges(struct planner *p, struct goal *goal)
{
	const struct range_list *have = &goal->device->ranges;

	copy_ranges(p, &goal->ranges, has_ranges(goal) ? have : &goal->volume->ranges);
	if (range_list_same_bytes(&goal->ranges, have))
		return;
	drift_ranges(p, goal, have, &goal->ranges);
	resize(goal, ranges_reason(have, &goal->ranges));
}

static void judge_size(struct planner *p, struct goal *goal, uint64_t wanted)
{
	const struct dax_device *device = goal->device;
	const struct range_list *recorded = goal->record ? &goal->record->ranges : NULL;

	if (says_ranges(goal)) {
		judge_ranges(p, goal);
	} else if (recorded && (wanted == 0 || wanted == range_list_size(recorded)) &&
		   !range_list_same_bytes(recorded, &device->ranges)) {
		/* What an earlier run wanted and did not finish. */
		copy_ranges(p, &goal->ranges, recorded);
		goal->reason = "an earlier run was cut short";
	} else if (wanted == 0 || wanted == device->size) {
		copy_ranges(p, &goal->ranges, &device->ranges);
	} else if (wanted < device->size) {
		planner_drift_size(p, goal, "size", device->size, wanted);
		copy_prefix(p, &goal->ranges, &device->ranges, wanted);
	} else {
		planner_drift_size(p, goal, "size", device->size, wanted);
		copy_ranges(p, &goal->ranges, &device->ranges);
		goal->size = wanted; /* the rest is found by placing */
		resize(goal, "its size changes");
	}
	if (!range_list_same_bytes(&goal->ranges, &device->ranges))
		resize(goal, "its size changes");
}

/* What stays where it is may hold no whole memory block, however large it is. */
static bool check_blocks(struct planner *p, struct goal *goal)
{
	uint64_t block = p->topology->memory_block_size;

	for (size_t i = 0; i < goal->ranges.n; i++)
		if (range_trim(goal->ranges.ranges[i], block).size)
			return true;
	goal_refuse(p, goal, "mode", ERANGE,
		    planner_text(p, "destroy it and make one that is to be memory: that is placed on "
				    "whole blocks."),
		    "%s lies across memory blocks of %s and holds none of them whole, so none of it "
		    "would become memory.", goal->device->name, SIZE_STR(block));
	return false;
}

static void judge_device(struct planner *p, struct goal *goal, uint64_t wanted)
{
	const struct volume *volume = goal->volume;
	const struct dax_device *device = goal->device;
	enum driver driver = volume->mode == MODE_SYSTEM_RAM ? DRIVER_KMEM : DRIVER_DEVICE_DAX;

	judge_size(p, goal, wanted);
	if (volume->align && volume->align != device->align) {
		planner_drift_size(p, goal, "align", device->align, volume->align);
		resize(goal, "its align changes");
	}
	if (volume->contiguous && !is_one_piece(&goal->ranges)) {
		planner_drift(p, goal, "contiguous", "false", "true");
		goal->size = range_list_size(&goal->ranges);
		range_list_clear(&goal->ranges);
		resize(goal, "it is to be contiguous");
	}
	if (driver == DRIVER_KMEM && device->driver != DRIVER_KMEM &&
	    goal->verdict == VERDICT_KEEP && !check_blocks(p, goal))
		return;
	/* One without a driver may be half made, or disabled: then its record knows. */
	if (driver == DRIVER_KMEM && device->driver != DRIVER_KMEM && holds_data(goal) &&
	    (device->driver != DRIVER_NONE || goal->record || goal->former)) {
		planner_drift(p, goal, "mode", "devdax", "system-ram");
		goal->destructive = true;
	}
}

void dynamic_judge(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	struct region_state *state = planner_state(p, goal->region);
	uint64_t wanted = 0, step;

	goal->align = volume->align ? volume->align :
		      goal->device  ? goal->device->align : DEFAULT_ALIGN;
	if (!check_keys(p, goal))
		return;
	step = step_of(p, goal);
	if (says_ranges(goal) ?
		    !check_ranges(p, goal, step) :
		    !goal_wanted_size(p, goal, step, goal->device ? goal->device->size : 0, &wanted))
		return;
	if (goal->device) {
		judge_device(p, goal, wanted);
	} else {
		goal->verdict = VERDICT_CREATE;
		goal->reason = "the volume is new";
		goal->size = wanted;
		if (volume->ranges.n) {
			copy_ranges(p, &goal->ranges, &volume->ranges);
		} else if (goal->record &&
			   (wanted == 0 || wanted == range_list_size(&goal->record->ranges))) {
			copy_ranges(p, &goal->ranges, &goal->record->ranges);
			goal->reason = "it is recorded and not there";
		}
		state->n_creates++;
	}
	if (goal->verdict != VERDICT_KEEP && !goal_check_enabled(p, goal))
		return;
	if (goal->verdict == VERDICT_RESIZE)
		goal_frees(p, goal, goal->device);
}

static bool all_free(struct space *space, const struct range_list *ranges)
{
	for (size_t i = 0; i < ranges->n; i++)
		if (!space_is_free(space, ranges->ranges[i]))
			return false;
	return true;
}

/* The kernel's default device is just what this volume wants: take it as it is. */
static bool adopt_default(struct planner *p, struct goal *goal)
{
	struct region_state *state = planner_state(p, goal->region);
	const struct dax_device *device = state->default_device;
	const struct volume *volume = goal->volume;
	bool whole = volume->ranges.n ? range_list_same_bytes(&volume->ranges, &device->ranges) :
		     goal->size ? goal->size == device->size : volume->size.kind == SIZE_ALL;

	if (state->n_creates != 1 || !whole || !all_free(&state->space, &device->ranges) ||
	    (volume->align && volume->align != device->align))
		return false;
	goal->device = device;
	goal->align = device->align;
	goal->verdict = VERDICT_KEEP;
	copy_ranges(p, &goal->ranges, &device->ranges);
	if (space_use_list(&state->space, &goal->ranges) < 0)
		p->no_memory = true;
	return true;
}

static void refuse_taken(struct planner *p, struct goal *goal)
{
	goal_refuse(p, goal, "ranges", EBUSY,
		    planner_text(p, "daxctl-ext status shows what lies there."),
		    "A part of these ranges of %s is not free.", goal->region->name);
}

/* Put the goal where it says; a record that is no longer free loses its claim. */
static void place_fixed(struct planner *p, struct goal *goal, struct space *space)
{
	if (all_free(space, &goal->ranges)) {
		if (space_use_list(space, &goal->ranges) < 0)
			p->no_memory = true;
	} else if (goal->volume->ranges.n) {
		refuse_taken(p, goal);
	} else {
		goal->size = range_list_size(&goal->ranges);
		range_list_clear(&goal->ranges);
	}
}

static void append(struct planner *p, struct goal *goal, struct range_list *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (range_list_add(&goal->ranges, more->ranges[i]) < 0)
			p->no_memory = true;
	range_list_clear(more);
	range_list_join(&goal->ranges); /* as the kernel shows what it appends */
}

/* Space for what the goal has not yet: all of a new volume, the rest of a growing one. */
static void place_more(struct planner *p, struct goal *goal, struct space *space)
{
	bool contiguous = goal->volume->contiguous;
	uint64_t step = step_of(p, goal), have = range_list_size(&goal->ranges), more;
	struct range_list got = { 0 };

	if (goal->size == 0)
		more = contiguous ? space_largest(space, step) : space_available(space, step);
	else
		more = goal->size - have;
	if (have && contiguous) {
		struct range *last = &goal->ranges.ranges[goal->ranges.n - 1];

		if (space_behind(space, range_end(*last), step) < more) {
			goal_refuse_no_space(p, goal, space, more, step, true);
			return;
		}
		got = (struct range_list){ 0 };
		if (space_use(space, (struct range){ range_end(*last), more }) < 0 ||
		    range_list_add(&got, (struct range){ range_end(*last), more }) < 0)
			p->no_memory = true;
	} else if (more == 0 || space_allocate(space, more, step, contiguous, &got) < 0) {
		goal_refuse_no_space(p, goal, space, more, step, contiguous);
		return;
	}
	append(p, goal, &got);
}

void dynamic_place_fixed(struct planner *p, struct goal *goal)
{
	struct region_state *state = planner_state(p, goal->region);

	if (goal->verdict == VERDICT_CREATE && state->default_device) {
		if (adopt_default(p, goal))
			return;
		state->release_default = true;
	}
	if (goal->ranges.n)
		place_fixed(p, goal, &state->space);
}

void dynamic_place(struct planner *p, struct goal *goal)
{
	if (goal->ranges.n == 0 || range_list_size(&goal->ranges) < goal->size)
		place_more(p, goal, &planner_state(p, goal->region)->space);
}

void dynamic_grow(struct planner *p, struct goal *goal)
{
	struct space *space = &planner_state(p, goal->region)->space;
	uint64_t step = step_of(p, goal), before = range_list_size(&goal->ranges);
	uint64_t room = space_available(space, step);
	struct range_list got = { 0 };

	if (goal->volume->contiguous || says_ranges(goal) || room == 0 ||
	    space_allocate(space, room, step, false, &got) < 0)
		return;
	append(p, goal, &got);
	planner_drift_size(p, goal, "size", before, range_list_size(&goal->ranges));
	resize(goal, "the region has more room");
}

void dynamic_emit_release(struct planner *p, const struct region *region)
{
	struct region_state *state = planner_state(p, region);
	const struct dax_device *device = state->default_device;
	size_t first = p->plan->n_steps;
	struct step *step;

	emit_deactivate(p, NULL, region, NULL, device, "the kernel's default device makes room");
	step = emit_step(p, NULL, region, STEP_DESTROY_DEVICE,
			 "the kernel's default device makes room");
	step->start = device->ranges.ranges[0].start;
	step_text(p, &step->object, device->name);
	/* Without a volume there is no chain: these steps follow one another by hand. */
	for (size_t i = first; i + 1 < p->plan->n_steps; i++)
		emit_after(p, &p->plan->steps[i + 1], i);
	emit_releases_space(p, region);
}

static bool needs_record(const struct goal *goal)
{
	if (goal->volume->foreign)
		return false;
	/* Ranges in the configuration say as much as a record does. */
	if (!goal->record)
		return !goal->volume->ranges.n || goal->verdict != VERDICT_KEEP || goal->former;
	return strcmp(goal->record->mode, volume_mode_word(goal->volume->mode)) != 0 ||
	       goal->record->until_reboot != goal->volume->until_reboot ||
	       !range_list_same_bytes(&goal->record->ranges, &goal->ranges);
}

static void emit_own_record(struct planner *p, struct goal *goal)
{
	struct step *step;

	if (!needs_record(goal))
		return;
	step = emit_step(p, goal, goal->region, STEP_RECORD,
			 "dynamic regions keep no names");
	step_text(p, &step->label, goal->volume->name);
	step_text(p, &step->record_mode, volume_mode_word(goal->volume->mode));
	step->until_reboot = goal->volume->until_reboot;
	copy_ranges(p, &step->ranges, &goal->ranges);
}

/* The device is in a record at any time, and in no other's when it is published. */
static void emit_record(struct planner *p, struct goal *goal)
{
	struct step *step;

	emit_own_record(p, goal);
	if (!goal->former)
		return;
	planner_drift(p, goal, "name", goal->former->volume, goal->volume->name);
	step = emit_step(p, goal, goal->region, STEP_FORGET, "its device has another name now");
	step_text(p, &step->object, goal->device->name);
	step_text(p, &step->label, goal->former->volume);
}

/* Only where more is appended does each byte stay at its offset. */
static bool resize_loses(const struct goal *goal)
{
	return goal->destructive ||
	       (holds_data(goal) &&
		!range_list_begins_with(&goal->ranges, &goal->device->ranges));
}

static void emit_resize(struct planner *p, struct goal *goal)
{
	struct step *step = emit_step(p, goal, goal->region, STEP_RESIZE_DEVICE, goal->reason);

	step->start = goal->device->ranges.ranges[0].start;
	step->align = goal->align;
	step->destructive = resize_loses(goal);
	step_text(p, &step->object, goal->device->name);
	copy_ranges(p, &step->ranges, &goal->ranges);
}

static bool only_shrinks(const struct goal *goal)
{
	for (size_t i = 0; i < goal->ranges.n; i++)
		if (!range_list_contains(&goal->device->ranges, goal->ranges.ranges[i]))
			return false;
	return range_list_size(&goal->ranges) < goal->device->size;
}

static void emit_remove(struct planner *p, struct goal *goal)
{
	struct step *step;

	if (goal->device) {
		if (!goal_may_take(goal, &goal->device->holders) &&
		    goal_refuse_held(p, goal, goal->device->name, &goal->device->holders,
				     "be destroyed"))
			return;
		emit_deactivate(p, goal, goal->region, NULL, goal->device,
				"the volume is to be absent");
		step = emit_step(p, goal, goal->region, STEP_DESTROY_DEVICE,
				 "the volume is to be absent");
		step->start = goal->device->ranges.ranges[0].start;
		step->destructive = holds_data(goal);
		step->ignore_open = goal->volume->ignore_open;
		step_text(p, &step->object, goal->device->name);
		emit_releases_space(p, goal->region);
	}
	if (!goal->record)
		return;
	step = emit_step(p, goal, goal->region, STEP_FORGET, "the volume is to be absent");
	step_text(p, &step->label, goal->volume->name);
}

void dynamic_emit_teardown(struct planner *p, struct goal *goal)
{
	if (goal->verdict == VERDICT_REMOVE) {
		emit_remove(p, goal);
		return;
	}
	if (goal->verdict != VERDICT_RESIZE ||
	    goal_refuse_held(p, goal, goal->device->name, &goal->device->holders, "be resized"))
		return;
	emit_record(p, goal);
	emit_deactivate(p, goal, goal->region, NULL, goal->device, goal->reason);
	if (only_shrinks(goal)) {
		emit_resize(p, goal);
		emit_releases_space(p, goal->region);
	}
}

void dynamic_emit_build(struct planner *p, struct goal *goal)
{
	bool fresh = goal->verdict != VERDICT_KEEP;

	if (goal->verdict == VERDICT_CREATE) {
		struct step *step;

		emit_record(p, goal);
		step = emit_step(p, goal, goal->region, STEP_CREATE_DEVICE, goal->reason);
		step->align = goal->align;
		copy_ranges(p, &step->ranges, &goal->ranges);
		emit_after_release(p, step, goal->region);
	} else if (goal->verdict == VERDICT_RESIZE) {
		if (!only_shrinks(goal)) {
			emit_resize(p, goal);
			emit_after_release(p, &p->plan->steps[p->plan->n_steps - 1], goal->region);
		}
	} else {
		emit_record(p, goal);
	}
	emit_activate(p, goal, fresh);
}
