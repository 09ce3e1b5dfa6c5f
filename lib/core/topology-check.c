/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/topology-check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

/*
 * A place in the document.  Short enough to keep one for every name and range there is; only
 * when there is a problem it becomes a path.
 */
struct place {
	const char *list;  /* "regions", "dimms", "records" */
	const char *inner; /* "namespaces", "devices"; NULL: the element of list itself */
	const char *member; /* "name", "ranges", "device"; NULL: the element itself */
	size_t outer_index, inner_index;
};

static void report_at(struct report *report, const struct place *place, int code,
		      const char *sentence, const char *value)
{
	const struct path list = { .key = place->list };
	const struct path outer = { .parent = &list, .index = place->outer_index };
	const struct path inner = { .parent = &outer, .key = place->inner };
	const struct path element = { .parent = &inner, .index = place->inner_index };
	const struct path *at = place->inner ? &element : &outer;
	const struct path member = { .parent = at, .key = place->member };

	(void)report_add(report, place->member ? &member : at, code, NULL, "%s %s.", value,
			 sentence);
}

static void report_range(struct report *report, const struct place *place, int code,
			 const char *sentence, struct range range)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "The range 0x%" PRIx64 "-0x%" PRIx64, range.start,
		       range_end(range) - 1);
	report_at(report, place, code, sentence, text);
}

/* Everything of one sort, collected to be sorted: names that must differ, ranges that may not
 * overlap. */
struct entry {
	const char *text;
	struct range range;
	struct place place;
};

struct entries {
	struct entry *entries;
	size_t n;
};

static void entries_add(struct entries *entries, struct entry entry)
{
	struct entry *slot = ARRAY_APPEND(entries->entries, entries->n);

	if (!slot)
		abort(); /* as report_add() does: a check left out would let bad input through */
	*slot = entry;
	entries->n++;
}

static int compare_places(const struct place *a, const struct place *b)
{
	if (a->outer_index != b->outer_index)
		return a->outer_index < b->outer_index ? -1 : 1;
	return (a->inner_index > b->inner_index) - (a->inner_index < b->inner_index);
}

static int compare_texts(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	return r ? r : compare_places(&x->place, &y->place);
}

static int compare_starts(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = (x->range.start > y->range.start) - (x->range.start < y->range.start);

	return r ? r : compare_places(&x->place, &y->place);
}

/* Report all but the first of equal ones, and free the entries. */
static void check_unique(struct report *report, struct entries *entries)
{
	char quoted[80];

	if (entries->n > 1)
		qsort(entries->entries, entries->n, sizeof(entries->entries[0]), compare_texts);
	for (size_t i = 1; i < entries->n; i++) {
		const struct entry *entry = &entries->entries[i];

		if (strcmp(entry[-1].text, entry->text) != 0)
			continue;
		(void)snprintf(quoted, sizeof(quoted), "\"%.60s\"", entry->text);
		report_at(report, &entry->place, EEXIST, "is there already", quoted);
	}
	free(entries->entries);
	*entries = (struct entries){ 0 };
}

static void check_disjoint(struct report *report, struct entries *entries)
{
	const struct entry *last = entries->entries;

	if (entries->n > 1)
		qsort(entries->entries, entries->n, sizeof(entries->entries[0]), compare_starts);
	for (size_t i = 1; i < entries->n; i++) {
		const struct entry *entry = &entries->entries[i];

		if (range_overlaps(last->range, entry->range))
			report_range(report, &entry->place, EEXIST,
				     "overlaps another of its region", entry->range);
		if (range_end(entry->range) > range_end(last->range))
			last = entry;
	}
	free(entries->entries);
	*entries = (struct entries){ 0 };
}

static bool range_is_inside(struct range inner, struct range outer)
{
	return inner.start >= outer.start && range_end(inner) <= range_end(outer);
}

static void check_align(struct report *report, struct place place, uint64_t align)
{
	char text[64];

	if (align == 0 || is_power_of_2(align))
		return;
	place.member = "align";
	(void)snprintf(text, sizeof(text), "The alignment %" PRIu64, align);
	report_at(report, &place, EINVAL, "is not a power of two", text);
}

static void check_device(struct report *report, struct place place, const struct range *whole,
			 const struct dax_device *device, struct entries *ranges)
{
	place.member = place.inner && strcmp(place.inner, "namespaces") == 0 ? "device" : "ranges";
	for (size_t i = 0; i < device->ranges.n; i++) {
		struct range range = device->ranges.ranges[i];

		if (!range_is_inside(range, *whole))
			report_range(report, &place, ERANGE, "does not lie in what it is part of",
				     range);
		if (ranges)
			entries_add(ranges, (struct entry){ .range = range, .place = place });
	}
	/* Overlapping ranges may add up to anything; they are a problem of their own. */
	if (device->ranges.n && range_list_size(&device->ranges) != device->size)
		report_at(report, &place, EINVAL, "is not what its ranges add up to", "The size");
	if (ranges && device->size && !device->ranges.n)
		report_at(report, &place, EINVAL, "are missing, it has a size", "The ranges");
	check_align(report, place, device->align);
}

static void check_region(struct report *report, const struct region *region, size_t index)
{
	struct place at = { .list = "regions", .outer_index = index };
	struct entries ranges = { 0 };

	at.inner = "namespaces";
	for (size_t i = 0; i < region->n_namespaces; i++) {
		const struct namespace *ns = &region->namespaces[i];

		at.inner_index = i;
		if (!range_is_inside(ns->range, region->range))
			report_range(report, &at, ERANGE, "does not lie in its region", ns->range);
		if (ns->size > ns->range.size)
			report_at(report, &at, EINVAL, "is more than the size", "What is usable");
		check_align(report, at, ns->align);
		entries_add(&ranges, (struct entry){ .range = ns->range, .place = at });
		if (ns->device)
			check_device(report, at, &ns->range, ns->device, NULL);
	}
	at.inner = "devices";
	for (size_t i = 0; i < region->n_devices; i++) {
		at.inner_index = i;
		check_device(report, at, &region->range, &region->devices[i], &ranges);
	}
	check_disjoint(report, &ranges);
	at.inner = NULL;
	if (region_is_dynamic(region) && region->n_namespaces)
		report_at(report, &at, EINVAL, "has no namespaces", "A dynamic region");
	if (!region_is_dynamic(region) && region->n_devices)
		report_at(report, &at, EINVAL, "has its devices in namespaces", "A pmem region");
}

static void check_names_of_regions(struct report *report, const struct topology *topology)
{
	struct entries names = { 0 }, paths = { 0 }, inner = { 0 }, uuids = { 0 }, devices = { 0 };

	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];
		struct place at = { .list = "regions", .outer_index = i, .member = "name" };

		entries_add(&names, (struct entry){ .text = region->name, .place = at });
		at.member = "path";
		entries_add(&paths, (struct entry){ .text = region->path, .place = at });
		at.inner = "namespaces";
		for (at.inner_index = 0; at.inner_index < region->n_namespaces; at.inner_index++) {
			const struct namespace *ns = &region->namespaces[at.inner_index];

			at.member = "name";
			entries_add(&inner, (struct entry){ .text = ns->name, .place = at });
			at.member = "uuid";
			if (uuid_is_set(&ns->uuid))
				entries_add(&uuids,
					    (struct entry){ .text = ns->uuid.text, .place = at });
			at.member = "device";
			if (ns->device)
				entries_add(&devices, (struct entry){ .text = ns->device->name,
								      .place = at });
		}
		at.inner = "devices";
		at.member = "name";
		for (at.inner_index = 0; at.inner_index < region->n_devices; at.inner_index++)
			entries_add(&devices,
				    (struct entry){ .text = region->devices[at.inner_index].name,
						    .place = at });
	}
	check_unique(report, &names);
	check_unique(report, &paths);
	check_unique(report, &inner);
	check_unique(report, &uuids);
	check_unique(report, &devices);
}

void topology_check(const struct topology *topology, struct report *report)
{
	struct entries names = { 0 };

	for (size_t i = 0; i < topology->n_regions; i++)
		check_region(report, &topology->regions[i], i);
	check_names_of_regions(report, topology);
	for (size_t i = 0; i < topology->n_dimms; i++)
		entries_add(&names, (struct entry){ .text = topology->dimms[i].name,
						    .place = { .list = "dimms", .outer_index = i,
							       .member = "name" } });
	check_unique(report, &names);
	for (size_t i = 0; i < topology->n_records; i++)
		entries_add(&names, (struct entry){ .text = topology->records[i].volume,
						    .place = { .list = "records", .outer_index = i,
							       .member = "volume" } });
	check_unique(report, &names);
}
