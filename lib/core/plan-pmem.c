/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes that are namespaces of pmem regions, with labels and without. */
#include <errno.h>
#include <string.h>

#include "core/planner.h"

static enum namespace_mode wanted_mode(const struct goal *goal)
{
	return goal->volume->mode == MODE_FSDAX ? NAMESPACE_FSDAX : NAMESPACE_DEVDAX;
}

/* Contents that were RAM when last used are nobody's data. */
static bool was_memory(const struct planner *p, const struct goal *goal)
{
	struct uuid ram = volume_uuid(&p->topology->seed, goal->volume->name, MODE_SYSTEM_RAM);
	struct uuid info = volume_info_uuid(&ram);

	return uuid_equal(&goal->ns->uuid, &ram) || uuid_equal(&goal->ns->info_uuid, &info);
}

/*
 * The uuid for the info block.  Where the uuid of the namespace was chosen by the configuration
 * and tells nothing of the mode, this one must: contents that were RAM are nobody's data.
 */
static struct uuid info_uuid_for(const struct planner *p, const struct goal *goal)
{
	struct uuid uuid = goal->uuid;

	if (uuid_is_set(&goal->volume->uuid) && goal->volume->mode == MODE_SYSTEM_RAM)
		uuid = volume_uuid(&p->topology->seed, goal->volume->name, MODE_SYSTEM_RAM);
	return volume_info_uuid(&uuid);
}

static bool is_ours(const struct goal *goal)
{
	struct uuid info = volume_info_uuid(&goal->uuid);

	return uuid_equal(&goal->ns->uuid, &goal->uuid) ||
	       uuid_equal(&goal->ns->info_uuid, &info);
}

static bool check_keys(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;

	if (volume->ranges.n) {
		goal_refuse(p, goal, "ranges", EOPNOTSUPP,
			    planner_text(p, "say \"size\": the kernel places namespaces, first fit."),
			    "Ranges can be chosen in dynamic regions only, and %s is pmem.",
			    goal->region->name);
		return false;
	}
	if (volume->mode == MODE_SYSTEM_RAM && goal->region->target_node < 0) {
		goal_refuse(p, goal, "mode", ENODEV,
			    planner_text(p, "firmware gives the node of memory (ACPI SRAT); use "
					    "devdax or fsdax here."),
			    "Memory of %s belongs to no NUMA node, so the kernel cannot use it as RAM.",
			    goal->region->name);
		return false;
	}
	return goal_check_align(p, goal);
}

static bool check_changeable(struct planner *p, struct goal *goal)
{
	if (goal->region->read_only) {
		goal_refuse(p, goal, "region", EROFS,
			    planner_text(p, "a DIMM that is not armed (battery, flush) does this."),
			    "%s is read-only, so nothing can be made or changed in it.",
			    goal->region->name);
		return false;
	}
	return goal_check_enabled(p, goal);
}

static void replace(struct planner *p, struct goal *goal, enum verdict verdict, const char *reason)
{
	if (goal->verdict == VERDICT_KEEP) {
		goal->verdict = verdict;
		goal->reason = reason;
		goal->destructive = !was_memory(p, goal);
	}
}

/* What of an existing namespace is not as configured; the first difference gives the reason. */
static void compare(struct planner *p, struct goal *goal, uint64_t wanted_size)
{
	const struct volume *volume = goal->volume;
	const struct namespace *ns = goal->ns;
	enum namespace_mode mode = wanted_mode(goal);
	bool chosen = uuid_is_set(&volume->uuid), ram = was_memory(p, goal);
	/* A namespace with a chosen uuid keeps it: only its info block is made anew. */
	enum verdict anew = chosen ? VERDICT_CONVERT : VERDICT_REPLACE;
	bool labelled = goal->region->labels == LABELS_VALID;

	if (ns->mode == NAMESPACE_RAW && mode != ns->mode && labelled && is_ours(goal) &&
	    !chosen) {
		goal->verdict = VERDICT_CONVERT;
		goal->reason = "an earlier run was cut short";
	} else if (volume->foreign && ns->mode == mode) {
		/* It is the owner's to say what his is for: until the next boot it is memory. */
		goal->destructive = volume->mode == MODE_SYSTEM_RAM && ns->device &&
				    ns->device->driver != DRIVER_KMEM;
	} else if (ns->mode != mode) {
		planner_drift(p, goal, "mode", namespace_mode_word(ns->mode),
			      volume_mode_word(volume->mode));
		replace(p, goal, VERDICT_REPLACE, "its mode changes");
	} else if (volume->mode == MODE_SYSTEM_RAM && (chosen ? !ram : !is_ours(goal))) {
		planner_drift(p, goal, "mode", "devdax", "system-ram");
		replace(p, goal, anew, "its mode changes");
	} else if (volume->mode == MODE_DEVDAX && ram) {
		planner_drift(p, goal, "mode", "system-ram", "devdax");
		replace(p, goal, anew, "its mode changes");
	}
	if (wanted_size && labelled && wanted_size != ns->range.size) {
		planner_drift_size(p, goal, "size", ns->range.size, wanted_size);
		replace(p, goal, VERDICT_REPLACE, "its size changes");
	}
	if (volume->align && ns->align && volume->align != ns->align) {
		planner_drift_size(p, goal, "align", ns->align, volume->align);
		replace(p, goal, VERDICT_REPLACE, "its align changes");
	}
	if (volume->map != MAP_NONE && ns->map != MAP_NONE && volume->map != ns->map) {
		planner_drift(p, goal, "map", map_location_word(ns->map),
			      map_location_word(volume->map));
		replace(p, goal, VERDICT_REPLACE, "its map changes");
	}
}

static bool judge_unlabelled(struct planner *p, struct goal *goal)
{
	struct region_state *state = planner_state(p, goal->region);
	const struct size_spec *size = &goal->volume->size;
	uint64_t whole = goal->region->range.size;

	if (state->unlabelled) {
		goal_refuse(p, goal, "region", EEXIST,
			    planner_text(p, "without labels a region is one namespace; volume \"%s\" "
					    "has it.", state->unlabelled->volume->name),
			    "%s has no room for a second volume.", goal->region->name);
		return false;
	}
	state->unlabelled = goal;
	if ((size->kind == SIZE_BYTES && size->bytes != whole) ||
	    (size->kind == SIZE_PERCENT && size->percent_x100 != 10000)) {
		goal_refuse(p, goal, "size", EOPNOTSUPP, planner_text(p, "did you intend \"all\"?"),
			    "%s has no labels: its one namespace is the whole region, %s, and cannot "
			    "be divided.", goal->region->name, SIZE_STR(whole));
		return false;
	}
	if (uuid_is_set(&goal->volume->uuid)) {
		goal_refuse(p, goal, "uuid", EOPNOTSUPP, NULL,
			    "%s has no labels that could keep a uuid.", goal->region->name);
		return false;
	}
	if (!goal->ns) {
		goal_refuse(p, goal, "region", ENODEV,
			    planner_text(p, "enable the region: ndctl enable-region %s.",
					 goal->region->name),
			    "The namespace of %s is not there.", goal->region->name);
		return false;
	}
	return true;
}

/* A region without labels keeps no name: its namespace is ours by its info block. */
static void compare_unlabelled(struct planner *p, struct goal *goal)
{
	compare(p, goal, 0);
	if (goal->verdict == VERDICT_REPLACE)
		goal->verdict = VERDICT_CONVERT;
}

void pmem_judge(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	struct region_state *state = planner_state(p, goal->region);
	bool unlabelled = goal->region->labels == LABELS_NONE;
	uint64_t have = goal->ns ? goal->ns->range.size : 0, wanted = 0, step;

	goal->align = volume->align ? volume->align :
		      goal->ns && goal->ns->align ? goal->ns->align : DEFAULT_ALIGN;
	goal->map = volume->map != MAP_NONE ? volume->map :
		    goal->ns && goal->ns->map != MAP_NONE ? goal->ns->map : MAP_DEV;
	goal->uuid = uuid_is_set(&volume->uuid) ? volume->uuid :
						  volume_uuid(&p->topology->seed, volume->name, volume->mode);
	if (!check_keys(p, goal))
		return;
	step = allocation_step(goal->region, goal->align, volume->mode,
			       p->topology->memory_block_size);
	if (unlabelled ? !judge_unlabelled(p, goal) : !goal_wanted_size(p, goal, step, have, &wanted))
		return;
	goal->size = wanted;
	if (unlabelled)
		compare_unlabelled(p, goal);
	else if (goal->ns)
		compare(p, goal, wanted);
	else {
		goal->verdict = VERDICT_CREATE;
		goal->reason = "the volume is new";
	}
	if (goal->verdict == VERDICT_KEEP) {
		goal->uuid = goal->ns->uuid; /* also of one that somebody else made */
		return;
	}
	if (!check_changeable(p, goal))
		return;
	if (goal->verdict == VERDICT_REPLACE)
		goal_frees(p, goal, goal->ns);
	if (goal->region->labels == LABELS_BLANK)
		state->init_labels = true;
	if (goal->verdict == VERDICT_CREATE || goal->verdict == VERDICT_REPLACE)
		state->n_creates++;
}

/* The data of a system-ram namespace must hold at least one whole memory block. */
static void check_memory(struct planner *p, struct goal *goal, struct range whole)
{
	uint64_t block = p->topology->memory_block_size;
	struct range data = namespace_data(whole, goal->align, goal->map);
	uint64_t first;

	if (goal->volume->mode != MODE_SYSTEM_RAM || memory_in(data, block) > 0)
		return;
	if (block == 0 || round_up_to(data.start, block, &first) < 0) {
		goal_refuse(p, goal, "mode", EOPNOTSUPP, NULL,
			    "This kernel cannot add memory: it shows no memory block size.");
		return;
	}
	goal_refuse(p, goal, "size", ERANGE,
		    planner_text(p, "there, %s would give one block.",
				 SIZE_STR(first + block - whole.start)),
		    "A namespace of %s at this place holds no whole memory block of %s, so none of "
		    "it would become memory.", SIZE_STR(whole.size), SIZE_STR(block));
}

void pmem_place(struct planner *p, struct goal *goal)
{
	const struct region *region = goal->region;
	struct region_state *state = planner_state(p, region);
	uint64_t step = allocation_step(region, goal->align, goal->volume->mode, 0);
	uint64_t place_step = region->align ? region->align : step;

	if (goal->verdict == VERDICT_CONVERT) {
		check_memory(p, goal, goal->ns->range);
		return;
	}
	if (goal->size == 0)
		goal->size = round_down_to(space_largest(&state->space, place_step), step);
	if (goal->size < NAMESPACE_SIZE_MIN ||
	    space_allocate(&state->space, goal->size, place_step, true, &goal->ranges) < 0) {
		goal_refuse_no_space(p, goal, &state->space, goal->size, step, true);
		return;
	}
	if (namespace_data(goal->ranges.ranges[0], goal->align, goal->map).size == 0) {
		goal_refuse(p, goal, "size", ERANGE,
			    planner_text(p, "choose a larger size or a smaller align."),
			    "A namespace of %s with align %s at this place has no room for data "
			    "behind its metadata.",
			    SIZE_STR(goal->size), SIZE_STR(goal->align));
		return;
	}
	check_memory(p, goal, goal->ranges.ranges[0]);
}

static void set_namespace_members(struct planner *p, struct goal *goal, struct step *step)
{
	if (goal->region->labels != LABELS_NONE)
		step->uuid = goal->uuid;
	step->info_uuid = info_uuid_for(p, goal);
	step->mode = wanted_mode(goal);
	step->align = goal->align;
	step->map = goal->map;
	step->fresh = goal->volume->n_partitions > 0;
	if (goal->ns)
		step_text(p, &step->object, goal->ns->name);
}

static bool held(struct planner *p, struct goal *goal, const char *what)
{
	return goal_refuse_held(p, goal, goal->ns->name, &goal->ns->holders, what) ||
	       (goal->device &&
		goal_refuse_held(p, goal, goal->device->name, &goal->device->holders, what));
}

void pmem_emit_teardown(struct planner *p, struct goal *goal)
{
	const char *reason = goal->verdict == VERDICT_REMOVE ? "the volume is to be absent" :
							       goal->reason;
	struct step *step;

	if (goal->verdict == VERDICT_CONVERT && goal->device &&
	    goal->device->driver == DRIVER_KMEM && !held(p, goal, "be converted"))
		emit_deactivate(p, goal, goal->region, goal->ns, goal->device, reason);
	if (goal->verdict != VERDICT_REMOVE && goal->verdict != VERDICT_REPLACE)
		return;
	if (goal->verdict == VERDICT_REMOVE) {
		goal->destructive = !was_memory(p, goal);
		if (goal->region->labels != LABELS_VALID) {
			goal_refuse(p, goal, NULL, EOPNOTSUPP,
				    planner_text(p, "let another volume have it, or clear it: "
						    "ndctl destroy-namespace %s.", goal->ns->name),
				    "%s has no labels: its namespace cannot be removed.",
				    goal->region->name);
			return;
		}
		if (!check_changeable(p, goal))
			return;
	}
	if (held(p, goal, "be destroyed"))
		return;
	partition_emit_teardown(p, goal, reason);
	/* device_dax goes with the namespace; memory must be taken back first. */
	if (goal->device && goal->device->driver == DRIVER_KMEM)
		emit_deactivate(p, goal, goal->region, goal->ns, goal->device, reason);
	step = emit_step(p, goal, goal->region, STEP_DESTROY_NAMESPACE, reason);
	step->uuid = goal->ns->uuid;
	step->destructive = goal->destructive;
	step_text(p, &step->object, goal->ns->name);
	emit_releases_space(p, goal->region);
}

void pmem_emit_build(struct planner *p, struct goal *goal)
{
	bool fresh = goal->verdict != VERDICT_KEEP;
	struct step *step;

	if (goal->verdict == VERDICT_CREATE || goal->verdict == VERDICT_REPLACE) {
		step = emit_step(p, goal, goal->region, STEP_CREATE_NAMESPACE, goal->reason);
		goal->ns = NULL;
		goal->device = NULL;
		set_namespace_members(p, goal, step);
		step_text(p, &step->label, goal->volume->name);
		step->size = goal->size;
		emit_after_release(p, step, goal->region);
	} else if (goal->verdict == VERDICT_CONVERT) {
		if (held(p, goal, "be converted"))
			return;
		partition_emit_teardown(p, goal, goal->reason);
		step = emit_step(p, goal, goal->region, STEP_CONVERT_NAMESPACE, goal->reason);
		set_namespace_members(p, goal, step);
		step->destructive = goal->destructive;
		goal->device = NULL;
	} else if (!goal->ns->enabled) {
		step = emit_step(p, goal, goal->region, STEP_ENABLE_NAMESPACE, "it is disabled");
		if (goal->region->labels == LABELS_VALID)
			step->uuid = goal->ns->uuid;
		step_text(p, &step->object, goal->ns->name);
		planner_drift(p, goal, "state", "disabled", "enabled");
		fresh = true;
	}
	emit_activate(p, goal, fresh);
	if (goal->volume->mode == MODE_FSDAX && goal->verdict != VERDICT_REFUSED)
		partition_emit_build(p, goal, fresh);
	if (goal->volume->mode == MODE_DEVDAX && goal->verdict != VERDICT_REFUSED)
		window_emit_build(p, goal, fresh);
}
