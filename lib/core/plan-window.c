/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The windows of a volume: partitions of its dax character device.  The kernel makes nothing of
 * them, so the table is all there is.  Who has the device open may use any of it: then nothing is
 * taken away, and what comes or grows harms nobody.
 */
#include <errno.h>

#include "core/config-size.h"
#include "core/planner.h"

/* Mappings have whole pages. */
static bool check_pages(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;

	for (size_t i = 0; i < volume->n_partitions; i++) {
		const struct partition *partition = &volume->partitions[i];
		bool odd_size = partition->size.kind == SIZE_BYTES &&
				partition->size.bytes % goal->align;

		uint64_t value = odd_size ? partition->size.bytes : partition->start;

		if (partition->absent || (!odd_size && !(partition->start % goal->align)))
			continue;
		partition_refuse(p, goal, partition, odd_size ? "size" : "start", EINVAL,
				 planner_text(p, "%s", size_hint_multiple(value, goal->align).text),
				 "%s is not a multiple of %s, the page size of volume \"%s\".",
				 SIZE_STR(value),
				 SIZE_STR(goal->align), volume->name);
		return false;
	}
	return true;
}

/* What is on a device without windows nobody has looked at: it may be somebody's data. */
static bool check_first(struct planner *p, struct goal *goal, const struct table_goal *table)
{
	const struct dax_device *device = goal->device;

	return !table->changed || !device || device->table ||
	       !goal_refuse_held(p, goal, device->name, &device->holders, "get a partition table");
}

static void emit_table(struct planner *p, struct goal *goal, const struct table_goal *table,
		       bool fresh)
{
	static const struct partition_table none = { .kind = TABLE_NONE };
	const struct partition_table *before =
		!fresh && goal->device->table ? goal->device->table : &none;
	struct step *step = emit_step(p, goal, goal->region, STEP_WRITE_TABLE,
				      !fresh && !goal->device->table ?
					      "nobody can tell whether what it holds is data" :
					      "the partitions are to be as configured");

	if (goal->region->labels != LABELS_NONE)
		step->uuid = goal->uuid;
	step->mode = NAMESPACE_DEVDAX;
	step->destructive = table->destructive || (!fresh && !goal->device->table);
	if (!fresh)
		step_text(p, &step->object, goal->device->name);
	if (table_copy(&step->before_table, before) < 0 ||
	    table_copy(&step->after_table, &table->table) < 0)
		p->no_memory = true;
	for (size_t i = 0; i < goal->volume->n_partitions; i++) {
		const struct partition *partition = &goal->volume->partitions[i];

		if (!partition->absent && (partition->node.owner || partition->node.group) &&
		    step_add_user(step, partition->name ? partition->name : partition->uuid.text,
				  &partition->node) < 0)
			p->no_memory = true;
	}
}

static uint64_t device_size(const struct goal *goal, bool fresh)
{
	struct range whole;

	if (!fresh)
		return goal->device->size;
	whole = goal->ranges.n ? goal->ranges.ranges[0] : goal->ns->range;
	return namespace_data(whole, goal->align, goal->map).size;
}

void window_emit_build(struct planner *p, struct goal *goal, bool fresh)
{
	struct table_goal table = { .name = goal->volume->name };

	if (!volume_has_table(goal->volume) || !goal->volume->enabled)
		return;
	if (goal->verdict == VERDICT_KEEP &&
	    (fresh || !goal->device || goal->device->driver != DRIVER_DEVICE_DAX)) {
		/* It has to have its driver before anybody can look what is on it. */
		planner_drift(p, goal, "partitions", "not known", "as configured");
		return;
	}
	if (!check_pages(p, goal))
		return;
	table.device = device_size(goal, fresh);
	table.grain = goal->align > TABLE_GRAIN ? goal->align : TABLE_GRAIN;
	if (!fresh) {
		table.name = goal->device->name;
		table.holders = &goal->device->holders;
	}
	if (!fresh && goal->device->table && table_copy(&table.table, goal->device->table) < 0)
		p->no_memory = true;
	if (table_plan(p, goal, &table) && check_first(p, goal, &table) && table.changed)
		emit_table(p, goal, &table, fresh);
	table_clear(&table.table);
}
