/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/told.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int told_init(struct told *told, const struct plan *plan, const struct topology *before)
{
	*told = (struct told){ .plan = plan, .before = before, .failed = plan->n_steps };
	told->states = calloc(plan->n_steps + 1, sizeof(*told->states));
	told->done = calloc(plan->n_steps + 1, sizeof(*told->done));
	return told->states && told->done ? 0 : -ENOMEM;
}

void told_clear(struct told *told)
{
	free(told->states);
	free(told->done);
}

static void add_step(struct told *told, const struct event *event)
{
	if (event->state == STEP_UNDONE && event->error.code)
		return; /* it is done still */
	told->states[event->step] = event->state;
	if (event->state == STEP_DONE)
		told->done[told->n_done++] = event->step;
	if (event->state == STEP_FAILED && told->failed == told->plan->n_steps)
		told->failed = event->step;
}

/* All steps of a group are told as started before anything else is. */
void told_add(struct told *told, const struct event *event)
{
	bool starts = event->kind == EVENT_STEP && event->state == STEP_STARTED;

	if (starts && !told->starting)
		told->before_group = told->events;
	told->starting = starts;
	told->events++;
	if (event->kind == EVENT_STEP)
		add_step(told, event);
}

bool told_any(const struct told *told, enum step_state state)
{
	for (size_t i = 0; i < told->plan->n_steps; i++)
		if (told->states[i] == state)
			return true;
	return false;
}

enum undo told_undo(const struct told *told, size_t step)
{
	struct step inverse = { 0 };
	enum undo undo = step_undo(&told->plan->steps[step], told->before, &inverse);

	step_clear(&inverse);
	return undo;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* What is of no volume belongs together in each region. */
static bool same_chain(const struct told *told, size_t a, size_t b)
{
	const struct step *x = &told->plan->steps[a], *y = &told->plan->steps[b];

	if (x->volume || y->volume)
		return same_text(x->volume, y->volume);
	return same_text(x->region, y->region);
}

/* Is the step done still, and another one of its volume is not? */
static bool is_left_over(const struct told *told, size_t step)
{
	if (told->states[step] != STEP_DONE)
		return false;
	for (size_t i = 0; i < told->plan->n_steps; i++)
		if (told->states[i] != STEP_DONE && same_chain(told, i, step))
			return true;
	return false;
}

static struct dax_device *find_device(const struct topology *topology, const struct step *step)
{
	const struct region *region =
		step->region ? topology_find_region(topology, step->region) : NULL;

	return region ? region_device(region, &step->uuid, step->start) : NULL;
}

static bool was_in_one_zone(const struct dax_device *device)
{
	for (size_t i = 0; device && i < device->n_blocks; i++)
		if (!device->blocks[i].online || device->blocks[i].zone != device->blocks[0].zone)
			return false;
	return device && device->n_blocks;
}

/* What step.h has another step for, as the machine was before; not asked of what is tested. */
static bool can_be_undone(const struct told *told, const struct step *step)
{
	static const enum step_kind always[] = {
		STEP_CREATE_NAMESPACE, STEP_RECORD,   STEP_CREATE_DEVICE,  STEP_BIND,
		STEP_PUBLISH,	       STEP_WITHDRAW, STEP_DROP_PARTITION, STEP_ADD_PARTITION,
		STEP_POLICY,	       STEP_UNMAP,
	};
	const struct dax_device *had = find_device(told->before, step);

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (step->kind == always[i])
			return true;
	return (step->kind == STEP_WRITE_TABLE && step->before_table.kind == TABLE_GPT) ||
	       (step->kind == STEP_UNBIND && !(had && had->holders.n)) ||
	       (step->kind == STEP_OFFLINE && was_in_one_zone(had));
}

static bool cannot_be_undone(const struct told *told, size_t step, enum undo why)
{
	return told_undo(told, step) == why &&
	       !can_be_undone(told, &told->plan->steps[step]);
}

/* Is there nothing to take back of it, or does it lie before what cannot be taken back? */
static bool may_stay(const struct told *told, size_t step)
{
	if (cannot_be_undone(told, step, UNDO_NOTHING))
		return true;
	for (size_t i = step; i < told->plan->n_steps; i++)
		if (told->states[i] == STEP_DONE && same_chain(told, i, step) &&
		    cannot_be_undone(told, i, UNDO_NEVER))
			return true;
	return false;
}

bool told_no_half_volume(const struct told *told)
{
	for (size_t i = 0; i < told->plan->n_steps; i++)
		if (is_left_over(told, i) && !may_stay(told, i))
			return false;
	return true;
}

static bool comes_after(const struct step *step, size_t earlier)
{
	for (size_t i = 0; i < step->n_after; i++)
		if (step->after[i] == earlier)
			return true;
	return false;
}

static bool gives_room(const struct step *step)
{
	return step->kind == STEP_DESTROY_NAMESPACE || step->kind == STEP_DESTROY_DEVICE ||
	       step->kind == STEP_RESIZE_DEVICE;
}

static bool takes_room(const struct step *step)
{
	return step->kind == STEP_CREATE_NAMESPACE || step->kind == STEP_CREATE_DEVICE ||
	       step->kind == STEP_RESIZE_DEVICE;
}

/* May the step be missing where another one is? */
static bool goes_with(const struct told *told, size_t step, size_t other)
{
	const struct step *x = &told->plan->steps[step], *y = &told->plan->steps[other];

	return same_chain(told, step, other) || comes_after(x, other) ||
	       (same_text(x->region, y->region) && takes_room(x) && gives_room(y));
}

/* One more step that may be missing; false: there is none. */
static bool spread(const struct told *told, bool *missing)
{
	size_t n = told->plan->n_steps;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n && !missing[i]; j++)
			if (missing[j] && goes_with(told, i, j)) {
				missing[i] = true;
				return true;
			}
	return false;
}

bool told_others_done(const struct told *told)
{
	_cleanup_(freep) bool *missing = calloc(told->plan->n_steps + 1, sizeof(*missing));

	if (!missing || told->failed == told->plan->n_steps)
		return false;
	missing[told->failed] = true;
	while (spread(told, missing))
		;
	for (size_t i = 0; i < told->plan->n_steps; i++)
		if (!missing[i] && told->states[i] != STEP_DONE)
			return false;
	return true;
}

/* A step whose object was taken back with another one has nothing to be done to. */
void told_replay(const struct told *told, struct backend *backend)
{
	for (size_t i = 0; i < told->n_done; i++) {
		size_t step = told->done[i];
		struct error error = ERROR_INIT;

		if (told->states[step] == STEP_DONE)
			(void)backend_apply(backend, &told->plan->steps[step], &error);
		error_clear(&error);
	}
}

static bool was_withdrawn(const struct told *told, size_t unbind)
{
	for (size_t i = 0; i < unbind; i++)
		if (told->plan->steps[i].kind == STEP_WITHDRAW && same_chain(told, i, unbind))
			return true;
	return false;
}

void told_bring_back_links(const struct told *told, struct topology *now)
{
	for (size_t i = 0; i < told->plan->n_steps; i++) {
		const struct step *step = &told->plan->steps[i];
		struct dax_device *device, *had;

		if (step->kind != STEP_UNBIND || told->states[i] == STEP_DONE ||
		    was_withdrawn(told, i))
			continue;
		device = find_device(now, step);
		had = find_device(told->before, step);
		if (device && had && device->driver == step->driver && !device->node.link &&
		    had->node.link)
			device->node.link = strdup(had->node.link);
	}
}
