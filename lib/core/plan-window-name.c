/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A window is found by its name alone, so a second one of that name makes both unreachable.  What
 * is there twice already, since DIMMs were moved, is nobody's to refuse: only what comes is.
 */
#include <errno.h>
#include <string.h>

#include "core/json-scan.h"
#include "core/planner.h"
#include "core/window.h"

static bool is_looked_at(const struct dax_device *device)
{
	return device && device->driver == DRIVER_DEVICE_DAX;
}

static const struct goal *goal_of(const struct planner *p, const struct namespace *ns)
{
	for (size_t i = 0; i < p->n_goals; i++)
		if (p->goals[i].ns == ns)
			return &p->goals[i];
	return NULL;
}

/* Does its volume remove the partition, or give it another name? */
static bool gives_up(const struct planner *p, const struct goal *goal,
		     const struct table_entry *entry)
{
	for (size_t i = 0; i < goal->volume->n_partitions; i++) {
		const struct partition *partition = &goal->volume->partitions[i];
		struct uuid uuid = partition_goal_uuid(p, goal, partition);
		bool named = partition->name && strcmp(partition->name, entry->name) == 0;

		if (uuid_equal(&uuid, &entry->uuid))
			return partition->absent || (partition->name && !named);
		if (named && !uuid_is_set(&partition->uuid))
			return partition->absent;
	}
	return false;
}

/* Is it there still when the plan has run? */
static bool stays(const struct planner *p, const struct namespace *ns,
		  const struct table_entry *entry)
{
	const struct goal *goal = goal_of(p, ns);

	if (!goal)
		return true;
	switch (goal->verdict) {
	case VERDICT_REMOVE:
	case VERDICT_REPLACE:
	case VERDICT_CONVERT:
		return false;
	case VERDICT_KEEP:
		return !gives_up(p, goal, entry);
	case VERDICT_REFUSED:
	case VERDICT_CREATE:
	case VERDICT_RESIZE:
	case VERDICT_GONE:
		break;
	}
	return true;
}

static bool has_window(const struct planner *p, const struct namespace *ns, const char *name)
{
	const struct dax_device *device = ns->device;

	if (!is_looked_at(device) || !device->table)
		return false;
	for (size_t i = 0; i < device->table->n_entries; i++) {
		const struct table_entry *entry = &device->table->entries[i];

		if (entry->name && strcmp(entry->name, name) == 0 &&
		    table_is_window(device->table, i, device->size, device->align))
			return stays(p, ns, entry);
	}
	return false;
}

/* The other namespace that has such a window, or NULL. */
static const struct namespace *find_other(const struct planner *p, const struct goal *goal,
					  const char *name)
{
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		const struct region *region = &p->topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++)
			if (&region->namespaces[j] != goal->ns &&
			    has_window(p, &region->namespaces[j], name))
				return &region->namespaces[j];
	}
	return NULL;
}

static bool has_name(const struct dax_device *device, const char *name)
{
	for (size_t i = 0; device->table && i < device->table->n_entries; i++) {
		const char *have = device->table->entries[i].name;

		if (have && strcmp(have, name) == 0)
			return true;
	}
	return false;
}

static void check_name(struct planner *p, struct goal *goal, const struct partition *partition)
{
	const struct namespace *other = find_other(p, goal, partition->name);
	const char *link, *volume;

	p->names_windows = true;
	if (!other)
		return;
	link = other->device->node.link;
	volume = link ? access_link_name(link) : NULL;
	partition_refuse(p, goal, partition, "name", EEXIST,
			 planner_text(p, "windows are found by their name alone; give it another."),
			 "%s%s%s has a window %s already.", other->device->name,
			 volume ? " of volume " : "", volume ? json_show(volume).text : "",
			 json_show(partition->name).text);
}

void window_check_names(struct planner *p, struct goal *goal)
{
	const struct volume *volume = goal->volume;
	bool kept = goal->verdict == VERDICT_KEEP;

	if (goal->verdict == VERDICT_REFUSED || volume->absent || volume->mode != MODE_DEVDAX ||
	    !volume->enabled || (kept && !is_looked_at(goal->device)))
		return;
	for (size_t i = 0; i < volume->n_partitions; i++) {
		const struct partition *partition = &volume->partitions[i];

		if (!partition->absent && partition->name &&
		    !(kept && has_name(goal->device, partition->name)))
			check_name(p, goal, partition);
	}
}
