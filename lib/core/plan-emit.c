/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Last pass: steps, and what volumes of every kind of region need alike. */
#include <stdlib.h>
#include <string.h>

#include "core/planner.h"

void step_text(struct planner *p, char **member, const char *text)
{
	*member = strdup(text);
	if (!*member)
		p->no_memory = true;
}

void emit_after(struct planner *p, struct step *step, size_t earlier)
{
	size_t *slot;

	if (step->n_after && step->after[step->n_after - 1] == earlier)
		return;
	slot = ARRAY_APPEND(step->after, step->n_after);
	if (!slot) {
		p->no_memory = true;
		return;
	}
	*slot = earlier;
	step->n_after++;
}

struct step *emit_step(struct planner *p, struct goal *goal, const struct region *region,
		       enum step_kind kind, const char *reason)
{
	struct step *step = ARRAY_APPEND(p->plan->steps, p->plan->n_steps);

	if (!step) {
		p->no_memory = true;
		return &p->nowhere;
	}
	p->plan->n_steps++;
	step->kind = kind;
	if (region)
		step_text(p, &step->region, region->path);
	step_text(p, &step->reason, reason);
	if (goal) {
		step_text(p, &step->volume, goal->volume->name);
		for (size_t i = goal->together ? goal->together : goal->last_step;
		     i && i <= goal->last_step; i++)
			emit_after(p, step, i - 1);
		goal->last_step = p->plan->n_steps;
		goal->together = 0;
	}
	return step;
}

struct together together_begin(const struct goal *goal)
{
	return (struct together){ .last_step = goal->last_step, .before = goal->together };
}

struct step *together_step(struct planner *p, struct goal *goal, struct together *together,
			   enum step_kind kind, const char *reason)
{
	struct step *step;

	goal->last_step = together->last_step;
	goal->together = together->before;
	step = emit_step(p, goal, goal->region, kind, reason);
	if (!together->first)
		together->first = goal->last_step;
	return step;
}

void together_end(struct goal *goal, const struct together *together)
{
	if (together->first)
		goal->together = together->first;
}

void emit_after_release(struct planner *p, struct step *step, const struct region *region)
{
	size_t last = planner_state(p, region)->last_release;

	if (last)
		emit_after(p, step, last - 1);
}

void emit_releases_space(struct planner *p, const struct region *region)
{
	planner_state(p, region)->last_release = p->plan->n_steps;
}

static bool all_online_in(const struct dax_device *device, enum zone zone)
{
	for (size_t i = 0; i < device->n_blocks; i++)
		if (!device->blocks[i].online || device->blocks[i].zone != zone)
			return false;
	return device->n_blocks > 0;
}

/* A step on the dax device of a namespace or, in dynamic regions, at an address. */
static struct step *emit_on_device(struct planner *p, struct goal *goal,
				   const struct region *region, const struct uuid *uuid,
				   uint64_t start, const struct dax_device *device,
				   enum step_kind kind, const char *reason)
{
	struct step *step = emit_step(p, goal, region, kind, reason);

	if (device)
		step_text(p, &step->object, device->name);
	if (goal && (kind == STEP_OFFLINE || kind == STEP_ONLINE))
		step->within = (uint64_t)goal->volume->offline_within;
	if (region_is_dynamic(region))
		step->start = start;
	else if (region->labels != LABELS_NONE)
		step->uuid = *uuid;
	return step;
}

static enum driver wanted_driver(const struct volume *volume)
{
	if (!volume->enabled)
		return DRIVER_NONE;
	return volume->mode == MODE_SYSTEM_RAM ? DRIVER_KMEM : DRIVER_DEVICE_DAX;
}

/* Not where device_dax comes back, nor where the namespace goes, too. */
static bool ignores_open(const struct goal *goal, const struct region *region)
{
	if (!goal || !goal->volume->ignore_open)
		return false;
	return goal->verdict == VERDICT_REMOVE ?
		       region_is_dynamic(region) :
		       goal->verdict == VERDICT_KEEP &&
			       wanted_driver(goal->volume) != DRIVER_DEVICE_DAX;
}

void emit_deactivate(struct planner *p, struct goal *goal, const struct region *region,
		     const struct namespace *ns, const struct dax_device *device,
		     const char *reason)
{
	const struct uuid none = { "" }, *uuid = ns ? &ns->uuid : &none;
	uint64_t start = device->ranges.n ? device->ranges.ranges[0].start : 0;

	if (dax_device_any_online(device))
		(void)emit_on_device(p, goal, region, uuid, start, device, STEP_OFFLINE, reason);
	if (device->driver != DRIVER_NONE) {
		struct step *step = emit_on_device(p, goal, region, uuid, start, device,
						   STEP_UNBIND, reason);

		step->driver = device->driver;
		step->ignore_open = ignores_open(goal, region);
	}
}

char *goal_link(struct planner *p, const struct goal *goal)
{
	return planner_text(p, "%s%s", goal->volume->mode == MODE_FSDAX ? PMEM_LINKS : DAX_LINKS,
			    goal->volume->name);
}

/* What udev is to make of the node; have NULL: it is not there yet, or about to change hands. */
static void emit_publish(struct planner *p, struct goal *goal, const struct access *have)
{
	const struct volume *volume = goal->volume;
	char *link = goal_link(p, goal);
	struct step *step;

	if (!link || volume->foreign || volume->unlinked || (have && have->link && strcmp(have->link, link) == 0 &&
		      access_owners_are(have, volume->node.owner, volume->node.group) &&
		      (!volume->has_perm || have->perm == volume->node.perm))) {
		free(link);
		return;
	}
	step = emit_on_device(p, goal, goal->region, &goal->uuid,
			      goal->ranges.n ? goal->ranges.ranges[0].start : 0, goal->device,
			      STEP_PUBLISH, "so that it is found by name");
	step->access.link = link;
	if (volume->node.owner)
		step_text(p, &step->access.owner, volume->node.owner);
	if (volume->node.group)
		step_text(p, &step->access.group, volume->node.group);
	step->access.perm = volume->node.perm;
	step->has_perm = volume->has_perm;
	step->until_reboot = volume->until_reboot && step->start; /* else it lasts, as its object does */
}

static void emit_withdraw(struct planner *p, struct goal *goal, const struct dax_device *device)
{
	struct step *step;

	if (!device->node.link || !access_link_name(device->node.link))
		return;
	step = emit_on_device(p, goal, goal->region, &goal->uuid,
			      device->ranges.n ? device->ranges.ranges[0].start : 0, device,
			      STEP_WITHDRAW, "the volume is to be memory");
	step_text(p, &step->access.link, device->node.link);
}

void drift_zone(struct planner *p, const struct goal *goal)
{
	const struct volume *volume = goal->volume;

	if (goal->device && goal->device->driver == DRIVER_KMEM &&
	    wanted_driver(volume) == DRIVER_KMEM && volume->online &&
	    !all_online_in(goal->device, volume->zone))
		planner_drift(p, goal, "zone", "not all blocks online there",
			      zone_word(volume->zone));
}

static void emit_memory(struct planner *p, struct goal *goal, const struct dax_device *device,
			bool rebound)
{
	const struct volume *volume = goal->volume;
	uint64_t start = goal->ranges.n ? goal->ranges.ranges[0].start : 0;

	if (volume->online && (rebound || !all_online_in(device, volume->zone))) {
		emit_on_device(p, goal, goal->region, &goal->uuid, start, goal->device,
			       STEP_ONLINE, "its memory is to be online")->zone = volume->zone;
	} else if (!volume->online && !rebound && dax_device_any_online(device)) {
		(void)emit_on_device(p, goal, goal->region, &goal->uuid, start, goal->device,
				     STEP_OFFLINE, "its memory is to be offline");
	}
}

/* Take away the driver that the device has; false: somebody uses it. */
static bool emit_release(struct planner *p, struct goal *goal, const struct dax_device *device,
			 enum driver have, enum driver want)
{
	const char *reason = want == DRIVER_NONE ? "the volume is to be disabled" :
			     want == DRIVER_KMEM ? "the volume is to be memory" :
						   "the volume is to be a device";

	if (!device) {
		if (have != DRIVER_NONE)
			emit_on_device(p, goal, goal->region, &goal->uuid, 0, NULL, STEP_UNBIND,
				       reason)->driver = have;
		return true;
	}
	if (!(want != DRIVER_DEVICE_DAX && goal_may_take(goal, &device->holders)) &&
	    goal_refuse_held(p, goal, device->name, &device->holders, "change its driver"))
		return false;
	planner_drift(p, goal, "driver", driver_word(have), driver_word(want));
	if (want == DRIVER_KMEM)
		emit_withdraw(p, goal, device);
	emit_deactivate(p, goal, goal->region, goal->ns, device, "its driver changes");
	return true;
}

static void emit_bind(struct planner *p, struct goal *goal, enum driver want)
{
	struct step *step;

	step = emit_on_device(p, goal, goal->region, &goal->uuid,
			      goal->ranges.n ? goal->ranges.ranges[0].start : 0, goal->device,
			      STEP_BIND,
			      want == DRIVER_KMEM ? "the volume is to be memory" :
						    "the volume is to be a device");
	step->driver = want;
	step->destructive = goal->destructive && goal->verdict == VERDICT_KEEP;
}

void emit_activate(struct planner *p, struct goal *goal, bool fresh)
{
	const struct volume *volume = goal->volume;
	const struct dax_device *device = fresh ? NULL : goal->device;
	enum driver want = wanted_driver(volume), have;

	if (volume->mode == MODE_FSDAX) {
		emit_publish(p, goal, fresh ? NULL : &goal->ns->node);
		return;
	}
	/* The kernel binds device_dax to a new namespace, and nothing to a new dynamic device. */
	have = device ? device->driver :
			region_is_dynamic(goal->region) ? DRIVER_NONE : DRIVER_DEVICE_DAX;
	if (have != want) {
		if (!emit_release(p, goal, device, have, want))
			return;
		if (want != DRIVER_NONE)
			emit_bind(p, goal, want);
	}
	if (want == DRIVER_KMEM)
		emit_memory(p, goal, device, have != want);
	else if (want == DRIVER_DEVICE_DAX)
		emit_publish(p, goal, device && have == want ? &device->node : NULL);
}
