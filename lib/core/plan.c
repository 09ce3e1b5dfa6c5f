/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The four passes of planning, and what the kinds of regions need alike. */
#include "core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/planner.h"
#include "core/topology-json.h"

/* Volumes that say where they are go first, then those with a size, then "all". */
enum place_turn { TURN_FIXED, TURN_SIZED, TURN_ALL, TURN_GROW };

static void drift_clear(struct drift *drift)
{
	free(drift->volume);
	free(drift->attribute);
	free(drift->have);
	free(drift->want);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_steps; i++)
		step_clear(&plan->steps[i]);
	free(plan->steps);
	for (size_t i = 0; i < plan->n_regions; i++)
		free(plan->regions[i]);
	free(plan->regions);
	for (size_t i = 0; i < plan->n_drifts; i++)
		drift_clear(&plan->drifts[i]);
	free(plan->drifts);
	free(plan);
}

char *planner_text(struct planner *p, const char *format, ...)
{
	char *text;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r >= 0)
		return text;
	p->no_memory = true;
	return NULL;
}

static void _printf_(6, 0) refuse_at(struct planner *p, struct goal *goal, const struct path *at,
				     int code, char *hint, const char *format, va_list args)
{
	_cleanup_(freep) char *message = NULL;

	goal->verdict = VERDICT_REFUSED;
	if (vasprintf(&message, format, args) < 0) {
		message = NULL;
		p->no_memory = true;
	}
	(void)report_add(p->report, at, code, hint, "%s", message ? message : "");
	free(hint);
}

void goal_refuse(struct planner *p, struct goal *goal, const char *member, int code, char *hint,
		 const char *format, ...)
{
	struct volume_path at;
	va_list args;

	va_start(args, format);
	refuse_at(p, goal, volume_path(&at, goal->volume, member), code, hint, format, args);
	va_end(args);
}

void partition_refuse(struct planner *p, struct goal *goal, const struct partition *partition,
		      const char *member, int code, char *hint, const char *format, ...)
{
	struct volume_path at;
	va_list args;

	va_start(args, format);
	refuse_at(p, goal, partition_path(&at, goal->volume, partition, member), code, hint, format,
		  args);
	va_end(args);
}

void planner_drift(struct planner *p, const struct goal *goal, const char *attribute,
		   const char *have, const char *want)
{
	struct drift *drift = ARRAY_APPEND(p->plan->drifts, p->plan->n_drifts);

	if (!drift) {
		p->no_memory = true;
		return;
	}
	p->plan->n_drifts++;
	step_text(p, &drift->volume, goal->volume->name);
	step_text(p, &drift->attribute, attribute);
	step_text(p, &drift->have, have);
	step_text(p, &drift->want, want);
}

void planner_drift_size(struct planner *p, const struct goal *goal, const char *attribute,
			uint64_t have, uint64_t want)
{
	struct size_text from = size_format(have), to = size_format(want);

	planner_drift(p, goal, attribute, from.text, to.text);
}

char *describe_holders(struct planner *p, const struct holder_list *holders)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		p->no_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < holders->n; i++) {
		const struct holder *holder = &holders->holders[i];

		(void)fprintf(out, "%s%s %s", i ? ", " : "", holder_kind_word(holder->kind),
			      holder->name);
		if (holder->mapping)
			(void)fprintf(out, " (%s)", holder->mapping);
		if (holder->pid)
			(void)fprintf(out, " (pid %d%s)", holder->pid,
				      holder->mapped ? ", mapped" : "");
	}
	if (fclose(out) != 0)
		p->no_memory = true;
	return text;
}

static bool is_only_open(const struct holder_list *holders)
{
	for (size_t i = 0; i < holders->n; i++)
		if (holders->holders[i].kind != HOLDER_PROCESS || holders->holders[i].mapped)
			return false;
	return true;
}

bool goal_may_take(const struct goal *goal, const struct holder_list *holders)
{
	return goal->volume->ignore_open && is_only_open(holders);
}

bool goal_refuse_held(struct planner *p, struct goal *goal, const char *object,
		      const struct holder_list *holders, const char *what)
{
	_cleanup_(freep) char *who = NULL;

	if (holders->n == 0)
		return false;
	who = describe_holders(p, holders);
	goal_refuse(p, goal, NULL, EBUSY,
		    planner_text(p, "stop what uses it, then apply again."),
		    "%s would have to %s, and it is in use by %s.", object, what, who ? who : "");
	return true;
}

/* "did you intend 2G or 3G?", with what lies around size. */
static char *nearest_sizes(struct planner *p, uint64_t size, uint64_t step)
{
	struct size_text low = size_format(round_down_to(size, step)), high;
	uint64_t above;

	if (round_up_to(size, step, &above) < 0)
		return planner_text(p, "did you intend %s?", low.text);
	high = size_format(above);
	if (size < step)
		return planner_text(p, "did you intend %s?", high.text);
	return planner_text(p, "did you intend %s or %s?", low.text, high.text);
}

bool goal_wanted_size(struct planner *p, struct goal *goal, uint64_t step, uint64_t have,
		      uint64_t *ret)
{
	const struct size_spec *spec = &goal->volume->size;
	const struct region *region = goal->region;

	switch (spec->kind) {
	case SIZE_ALL:
		*ret = 0;
		return true;
	case SIZE_PERCENT:
		*ret = round_down_to(percent_of(region->range.size, spec->percent_x100), step);
		if (*ret)
			return true;
		goal_refuse(p, goal, "size", ERANGE,
			    planner_text(p, "the smallest size there is %s.", SIZE_STR(step)),
			    "%s of %s is less than the step of %s in which it is divided.",
			    size_spec_format(spec).text, region->name, SIZE_STR(step));
		return false;
	case SIZE_BYTES:
		*ret = spec->bytes;
		if (spec->bytes == have || spec->bytes % step == 0)
			return true;
		goal_refuse(p, goal, "size", EINVAL, nearest_sizes(p, spec->bytes, step),
			    "%s is not a multiple of %s, the step in which %s is divided for this "
			    "volume.", SIZE_STR(spec->bytes), SIZE_STR(step), region->name);
		return false;
	}
	return false;
}

bool goal_check_enabled(struct planner *p, struct goal *goal)
{
	const struct region *region = goal->region;

	if (region->enabled)
		return true;
	goal_refuse(p, goal, "region", ENODEV,
		    region_is_dynamic(region) ?
			    planner_text(p, "the kernel's log has why its driver is not bound.") :
			    planner_text(p, "enable it: ndctl enable-region %s.", region->name),
		    "%s is disabled, so nothing can be made or changed in it.", region->name);
	return false;
}

bool goal_check_align(struct planner *p, struct goal *goal)
{
	uint64_t aligns = goal->region->aligns;
	char names[64] = "";

	if (goal->align & aligns)
		return true;
	if (!aligns && !goal_check_enabled(p, goal))
		return false; /* what it supports is only known while it is enabled */
	for (uint64_t bit = ALIGN_4K; bit <= ALIGN_1G; bit <<= 1)
		if (aligns & bit)
			(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				       names[0] ? ", " : "", SIZE_STR(bit));
	goal_refuse(p, goal, "align", EOPNOTSUPP, planner_text(p, "it supports %s.", names),
		    "%s does not support align %s.", goal->region->name, SIZE_STR(goal->align));
	return false;
}

void goal_refuse_no_space(struct planner *p, struct goal *goal, struct space *space, uint64_t size,
			  uint64_t step, bool contiguous)
{
	uint64_t fits = contiguous ? space_largest(space, step) : space_available(space, step);
	uint64_t left = space_available(space, 1);
	struct range_list whole = { .ranges = &space->whole, .n = 1 };
	const struct record *foreign = planner_foreign_record(p, &whole);
	char *hint;

	if (fits)
		hint = planner_text(p, "%s would fit.", SIZE_STR(fits));
	else if (foreign)
		hint = planner_text(p, "volume \"%s\" has %s of it: remove it with \"ensure\": "
				       "\"absent\", or choose another region.", foreign->volume,
				    SIZE_STR(range_list_size(&foreign->ranges)));
	else
		hint = planner_text(p, "remove a volume (\"ensure\": \"absent\") or choose another "
				       "region.");
	if (size)
		goal_refuse(p, goal, "size", ENOSPC, hint,
			    "%s%s does not fit into %s, which has %s free.", SIZE_STR(size),
			    contiguous ? " in one piece" : "", goal->region->name,
			    left ? SIZE_STR(left) : "nothing");
	else
		goal_refuse(p, goal, "size", ENOSPC, hint,
			    "%s has no room left for this volume: %s is free.",
			    goal->region->name, left ? SIZE_STR(left) : "nothing");
}

void goal_frees(struct planner *p, const struct goal *goal, const void *object)
{
	struct region_state *state = planner_state(p, goal->region);
	const void **slot = ARRAY_APPEND(state->freed, state->n_freed);

	if (!slot) {
		p->no_memory = true;
		return;
	}
	*slot = object;
	state->n_freed++;
}

struct region_state *planner_state(struct planner *p, const struct region *region)
{
	return &p->states[region - p->topology->regions];
}

static bool is_freed(const struct region_state *state, const void *object)
{
	for (size_t i = 0; i < state->n_freed; i++)
		if (state->freed[i] == object)
			return true;
	return false;
}

/* Take out of the region's space what stays where it is. */
static void prepare_space(struct planner *p, const struct region *region)
{
	struct region_state *state = planner_state(p, region);
	int r = 0;

	state->space.whole = region->range;
	for (size_t i = 0; r == 0 && i < region->n_namespaces; i++)
		if (!state->init_labels && !is_freed(state, &region->namespaces[i]))
			r = space_use(&state->space, region->namespaces[i].range);
	for (size_t i = 0; r == 0 && i < region->n_devices; i++)
		if (&region->devices[i] != state->default_device &&
		    !is_freed(state, &region->devices[i]))
			r = space_use_list(&state->space, &region->devices[i].ranges);
	if (r < 0)
		p->no_memory = true;
}

static void judge(struct planner *p, struct goal *goal)
{
	if (goal->verdict == VERDICT_REMOVE) {
		if (goal->ns || goal->device)
			goal_frees(p, goal, goal->ns ? (const void *)goal->ns : goal->device);
		return;
	}
	if (goal->verdict != VERDICT_KEEP)
		return;
	if (region_is_dynamic(goal->region))
		dynamic_judge(p, goal);
	else
		pmem_judge(p, goal);
}

/* Is the goal one of region kind and verdict that this turn of placing deals with? */
static bool is_turn(const struct goal *goal, enum place_turn turn)
{
	bool dynamic, all = goal->volume->size.kind == SIZE_ALL;

	if (goal->verdict == VERDICT_REFUSED || goal->verdict == VERDICT_REMOVE ||
	    goal->verdict == VERDICT_GONE)
		return false;
	dynamic = region_is_dynamic(goal->region);
	switch (turn) {
	case TURN_FIXED:
		return dynamic && goal->verdict != VERDICT_KEEP;
	case TURN_SIZED:
		return goal->verdict != VERDICT_KEEP && !all;
	case TURN_ALL:
		return goal->verdict != VERDICT_KEEP && all;
	case TURN_GROW:
		return dynamic && all && goal->device;
	}
	return false;
}

static void place(struct planner *p, struct goal *goal, enum place_turn turn)
{
	if (!region_is_dynamic(goal->region))
		pmem_place(p, goal);
	else if (turn == TURN_FIXED)
		dynamic_place_fixed(p, goal);
	else if (turn == TURN_GROW)
		dynamic_grow(p, goal);
	else
		dynamic_place(p, goal);
}

static void place_goals(struct planner *p)
{
	for (enum place_turn turn = TURN_FIXED; turn <= TURN_GROW; turn++)
		for (size_t i = 0; i < p->config->n_volumes; i++)
			if (is_turn(&p->goals[i], turn))
				place(p, &p->goals[i], turn);
}

/* Labels that were never written are written once, before anything is made in the region. */
static void emit_init_labels(struct planner *p, const struct region *region)
{
	struct step *step;

	step = emit_step(p, NULL, region, STEP_INIT_LABELS,
			 "its labels were never initialised; what the region holds is lost");
	step->destructive = true;
	step_text(p, &step->object, region->name);
	emit_releases_space(p, region);
}

static void emit_steps(struct planner *p)
{
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		if (p->states[i].init_labels)
			emit_init_labels(p, &p->topology->regions[i]);
		if (p->states[i].release_default)
			dynamic_emit_release(p, &p->topology->regions[i]);
	}
	for (size_t i = 0; i < p->config->n_volumes; i++) {
		struct goal *goal = &p->goals[i];

		if (goal->verdict == VERDICT_REFUSED || goal->verdict == VERDICT_GONE)
			continue;
		if (goal->verdict != VERDICT_REMOVE)
			drift_zone(p, goal);
		if (goal->ns || (goal->region && !region_is_dynamic(goal->region)))
			pmem_emit_teardown(p, goal);
		else
			dynamic_emit_teardown(p, goal);
	}
	for (size_t i = 0; i < p->config->n_volumes; i++) {
		struct goal *goal = &p->goals[i];

		if (goal->verdict == VERDICT_REFUSED || goal->verdict == VERDICT_GONE ||
		    goal->verdict == VERDICT_REMOVE)
			continue;
		if (region_is_dynamic(goal->region))
			dynamic_emit_build(p, goal);
		else
			pmem_emit_build(p, goal);
	}
}

/* Objects that lose their region's labels or default device must not be in use. */
static void check_released(struct planner *p)
{
	for (size_t i = 0; i < p->config->n_volumes; i++) {
		struct goal *goal = &p->goals[i];
		const struct region *region = goal->region;
		struct region_state *state;

		if (goal->verdict != VERDICT_CREATE)
			continue;
		state = planner_state(p, region);
		if (state->release_default)
			(void)goal_refuse_held(p, goal, state->default_device->name,
					       &state->default_device->holders, "make room");
		for (size_t j = 0; state->init_labels && j < region->n_namespaces; j++)
			(void)goal_refuse_held(p, goal, region->namespaces[j].name,
					       &region->namespaces[j].holders, "be destroyed");
	}
}

static void planner_clear(struct planner *p)
{
	match_free(p->match);
	for (size_t i = 0; p->goals && i < p->n_goals; i++)
		range_list_clear(&p->goals[i].ranges);
	free(p->goals);
	for (size_t i = 0; p->states && i < p->topology->n_regions; i++) {
		space_clear(&p->states[i].space);
		free(p->states[i].freed);
	}
	free(p->states);
	free(p->claimed);
	free(p->gone);
	step_clear(&p->nowhere);
	plan_free(p->plan);
}

static bool makes_namespaces(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].kind == STEP_CREATE_NAMESPACE)
			return true;
	return false;
}

/*
 * Where its volumes are, those too that stay as they are; and when namespaces are made, or windows
 * get names, wherever there may be one with the same name or uuid.
 */
static void mark_regions(const struct planner *p, bool *marked)
{
	bool named = makes_namespaces(p->plan) || p->names_windows;

	for (size_t i = 0; i < p->n_goals; i++)
		if (p->goals[i].region)
			marked[p->goals[i].region - p->topology->regions] = true;
	for (size_t i = 0; named && i < p->topology->n_regions; i++)
		if (p->topology->regions[i].type == REGION_PMEM)
			marked[i] = true;
}

static void set_regions(struct planner *p)
{
	_cleanup_(freep) bool *marked = calloc(p->topology->n_regions + 1, sizeof(*marked));
	struct plan *plan = p->plan;

	if (!marked) {
		p->no_memory = true;
		return;
	}
	mark_regions(p, marked);
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		char **slot = marked[i] ? ARRAY_APPEND(plan->regions, plan->n_regions) : NULL;

		if (slot && (*slot = strdup(p->topology->regions[i].path)))
			plan->n_regions++;
		else if (marked[i])
			p->no_memory = true;
	}
}

/* What must be as it is now when the plan runs. */
static void set_digests(struct planner *p)
{
	_cleanup_(scope_clear) struct scope all = { 0 }, losses = { 0 };

	set_regions(p);
	if (scope_of_plan(p->plan, false, &all) < 0 || scope_of_plan(p->plan, true, &losses) < 0) {
		p->no_memory = true;
		return;
	}
	p->plan->digest = topology_digest(p->topology, &all);
	p->plan->holders = topology_holders_digest(p->topology, &losses);
}

static void run_passes(struct planner *p)
{
	resolve_goals(p);
	for (size_t i = 0; i < p->config->n_volumes; i++)
		judge(p, &p->goals[i]);
	for (size_t i = 0; i < p->topology->n_regions; i++)
		prepare_space(p, &p->topology->regions[i]);
	if (records_use_space(p) < 0)
		p->no_memory = true;
	place_goals(p);
	check_released(p);
	for (size_t i = 0; i < p->config->n_volumes; i++)
		window_check_names(p, &p->goals[i]);
	claims_check_links(p);
	records_emit_gone(p);
	emit_steps(p);
	for (size_t i = 0; i < p->plan->n_steps; i++)
		p->plan->n_destructive += p->plan->steps[i].destructive;
	set_digests(p);
}

/* The plan of what was not refused, or NULL when memory ran out. */
static struct plan *build(struct planner *p)
{
	const struct config *config = p->config;
	const struct topology *topology = p->topology;

	p->plan = calloc(1, sizeof(*p->plan));
	p->goals = calloc(config->n_volumes + 1, sizeof(*p->goals));
	p->n_goals = config->n_volumes;
	p->states = calloc(topology->n_regions + 1, sizeof(*p->states));
	p->claimed = calloc(topology->n_records + 1, sizeof(*p->claimed));
	p->gone = calloc(topology->n_records + 1, sizeof(*p->gone));
	p->no_memory = !p->plan || !p->goals || !p->states || !p->claimed || !p->gone ||
		       match_new(topology, &p->match) < 0;
	if (!p->no_memory)
		run_passes(p);
	if (!p->no_memory)
		return p->plan;
	(void)report_add(p->report, NULL, ENOMEM, NULL, "Memory ran out while planning.");
	return NULL;
}

int plan_build(const struct config *config, const struct topology *topology, struct plan **ret,
	       struct report *report)
{
	struct planner p = { .config = config, .topology = topology, .report = report };
	size_t before = report->n;

	(void)build(&p); /* what it could not do, the report holds */
	if (report->n == before)
		*ret = TAKE(p.plan);
	planner_clear(&p);
	return report->n > before ? -report->errors[before].code : 0;
}

static bool loses_data(const struct plan *plan, const struct goal *goal)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (!step->destructive)
			continue;
		if (step->volume ? strcmp(step->volume, goal->volume->name) == 0 :
				   goal->verdict == VERDICT_CREATE &&
					   strcmp(step->region, goal->region->path) == 0)
			return true;
	}
	return false;
}

static void refuse_losses(struct planner *p)
{
	for (size_t i = 0; p->plan->n_destructive && i < p->n_goals; i++)
		if (p->goals[i].verdict != VERDICT_REFUSED && loses_data(p->plan, &p->goals[i]))
			goal_refuse(p, &p->goals[i], NULL, ECANCELED,
				    planner_text(p, "daxctl-ext plan shows them; apply runs them "
						    "with --allow-data-loss."),
				    "Steps for volume \"%s\" would lose data.",
				    p->goals[i].volume->name);
}

/* Keep the volumes that were not refused; false: all were kept. */
static bool drop_refused(const struct planner *p, struct config *config)
{
	size_t kept = 0, n = config->n_volumes;

	for (size_t i = 0; i < n; i++)
		if (p->goals[i].verdict != VERDICT_REFUSED)
			config->volumes[kept++] = config->volumes[i];
	config->n_volumes = kept;
	return kept < n;
}

int plan_build_possible(const struct config *config, const struct topology *topology,
			bool lossless, struct plan **ret, struct report *report)
{
	struct config left = { .n_volumes = config->n_volumes };
	int r = -ENOMEM;
	bool again = true;

	/* These borrow what the volumes own. */
	left.volumes = calloc(config->n_volumes + 1, sizeof(*left.volumes));
	if (!left.volumes)
		return r;
	if (config->n_volumes)
		(void)memcpy(left.volumes, config->volumes,
			     config->n_volumes * sizeof(*left.volumes));
	while (again) {
		struct planner p = { .config = &left, .topology = topology, .report = report };

		r = build(&p) ? 0 : -ENOMEM;
		if (r == 0 && lossless)
			refuse_losses(&p);
		again = r == 0 && drop_refused(&p, &left);
		if (r == 0 && !again)
			*ret = TAKE(p.plan);
		planner_clear(&p);
	}
	free(left.volumes);
	return r;
}
