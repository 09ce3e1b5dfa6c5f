/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of volumes that are not in the configuration: they hold their ranges, whether a
 * device is there or not, unless nobody wants it back.
 */
#include <stdlib.h>

#include "core/planner.h"

static bool counts(const struct planner *p, size_t i)
{
	return !p->claimed[i] && !p->gone[i];
}

static bool is_there(const struct region *region, const struct range_list *ranges)
{
	for (size_t i = 0; i < region->n_devices; i++)
		for (size_t j = 0; j < region->devices[i].ranges.n; j++)
			for (size_t k = 0; k < ranges->n; k++)
				if (range_overlaps(region->devices[i].ranges.ranges[j],
						   ranges->ranges[k]))
					return true;
	return false;
}

/* Something else took the device away, or it was never made. */
void records_find_gone(struct planner *p)
{
	for (size_t i = 0; i < p->topology->n_records; i++) {
		const struct record *record = &p->topology->records[i];
		const struct region *region;

		if (!record->until_reboot || p->claimed[i] || !record->ranges.n)
			continue;
		region = match_region_at(p->match, record->ranges.ranges[0].start);
		p->gone[i] = region && !is_there(region, &record->ranges);
	}
}

void records_emit_gone(struct planner *p)
{
	for (size_t i = 0; i < p->topology->n_records; i++) {
		const struct record *record = &p->topology->records[i];
		struct step *step;

		if (!p->gone[i])
			continue;
		step = emit_step(p, NULL, match_region_at(p->match, record->ranges.ranges[0].start),
				 STEP_FORGET, "its device is gone");
		step_text(p, &step->volume, record->volume);
		step_text(p, &step->label, record->volume);
	}
}

const struct record *planner_foreign_record(const struct planner *p,
					    const struct range_list *ranges)
{
	for (size_t i = 0; i < p->topology->n_records; i++) {
		const struct record *record = &p->topology->records[i];

		for (size_t j = 0; counts(p, i) && j < record->ranges.n; j++)
			for (size_t k = 0; k < ranges->n; k++)
				if (range_overlaps(record->ranges.ranges[j], ranges->ranges[k]))
					return record;
	}
	return NULL;
}

/* Also what a volume of another configuration has, whether its device is there or not. */
int records_use_space(struct planner *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->topology->n_records; i++) {
		const struct range_list *ranges = &p->topology->records[i].ranges;
		const struct region *region =
			counts(p, i) && ranges->n ?
				match_region_at(p->match, ranges->ranges[0].start) :
				NULL;

		if (region && region_is_dynamic(region))
			r = space_use_list(&planner_state(p, region)->space, ranges);
	}
	return r;
}
