/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * One sorted array of regions for each key a selector can have.  A look-up takes the shortest
 * run of equal keys and checks the other keys one by one.
 */
enum key { KEY_PATH, KEY_UUID, KEY_PROVIDER, KEY_TYPE, KEY_NUMA, KEY_TARGET_NODE, KEY_START };
#define N_KEYS 7

struct match {
	size_t n_regions;
	const struct region **by[N_KEYS];
	struct place *by_label, *by_uuid; /* those that have one */
	struct place *by_info_uuid;
	size_t n_labels, n_uuids, n_info_uuids;
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static int compare_key(enum key key, const struct region *a, const struct region *b)
{
	switch (key) {
	case KEY_PATH:
		return strcmp(text_or_empty(a->path), text_or_empty(b->path));
	case KEY_UUID:
		return strcmp(a->uuid.text, b->uuid.text);
	case KEY_PROVIDER:
		return strcmp(text_or_empty(a->provider), text_or_empty(b->provider));
	case KEY_TYPE:
		return COMPARE(a->type, b->type);
	case KEY_NUMA:
		return COMPARE(a->numa, b->numa);
	case KEY_TARGET_NODE:
		return COMPARE(a->target_node, b->target_node);
	case KEY_START:
		return COMPARE(a->range.start, b->range.start);
	}
	return 0;
}

static int compare_regions(const void *a, const void *b, void *key)
{
	const struct region *const *x = a, *const *y = b;
	int r = compare_key(*(enum key *)key, *x, *y);

	return r ? r : COMPARE(*x, *y); /* topology order among equals */
}

static int compare_labels(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int r = strcmp(x->ns->label, y->ns->label);

	return r ? r : COMPARE(x->ns, y->ns);
}

static int compare_info_uuids(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->ns->info_uuid.text, y->ns->info_uuid.text);
}

static int compare_uuids(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->ns->uuid.text, y->ns->uuid.text);
}

void match_free(struct match *match)
{
	if (!match)
		return;
	for (size_t key = 0; key < N_KEYS; key++)
		free(match->by[key]);
	free(match->by_label);
	free(match->by_uuid);
	free(match->by_info_uuid);
	free(match);
}

static int index_regions(struct match *match, const struct topology *topology)
{
	match->n_regions = topology->n_regions;
	for (enum key key = 0; key < N_KEYS; key++) {
		match->by[key] = calloc(topology->n_regions + 1, sizeof(*match->by[key]));
		if (!match->by[key])
			return -ENOMEM;
		for (size_t i = 0; i < topology->n_regions; i++)
			match->by[key][i] = &topology->regions[i];
		qsort_r(match->by[key], match->n_regions, sizeof(*match->by[key]), compare_regions,
			&key);
	}
	return 0;
}

static int add_place(struct place **places, size_t *n, const struct region *region,
		     const struct namespace *ns)
{
	struct place *place = ARRAY_APPEND(*places, *n);

	if (!place)
		return -ENOMEM;
	*place = (struct place){ region, ns };
	(*n)++;
	return 0;
}

static int index_namespaces(struct match *match, const struct topology *topology)
{
	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++) {
			const struct namespace *ns = &region->namespaces[j];

			if (ns->label && ns->label[0] &&
			    add_place(&match->by_label, &match->n_labels, region, ns) < 0)
				return -ENOMEM;
			if (uuid_is_set(&ns->info_uuid) &&
			    add_place(&match->by_info_uuid, &match->n_info_uuids, region, ns) < 0)
				return -ENOMEM;
			if (uuid_is_set(&ns->uuid) &&
			    add_place(&match->by_uuid, &match->n_uuids, region, ns) < 0)
				return -ENOMEM;
		}
	}
	if (match->n_labels)
		qsort(match->by_label, match->n_labels, sizeof(struct place), compare_labels);
	if (match->n_info_uuids)
		qsort(match->by_info_uuid, match->n_info_uuids, sizeof(struct place),
		      compare_info_uuids);
	if (match->n_uuids)
		qsort(match->by_uuid, match->n_uuids, sizeof(struct place), compare_uuids);
	return 0;
}

int match_new(const struct topology *topology, struct match **ret)
{
	_cleanup_(match_freep) struct match *match = calloc(1, sizeof(*match));

	if (!match || index_regions(match, topology) < 0 || index_namespaces(match, topology) < 0)
		return -ENOMEM;
	*ret = TAKE(match);
	return 0;
}

bool selector_admits(const struct selector *s, const struct region *region)
{
	if (s->has_type && s->type != region->type)
		return false;
	if (s->has_numa && s->numa != region->numa)
		return false;
	if (s->has_target_node && s->target_node != region->target_node)
		return false;
	if (uuid_is_set(&s->uuid) && !uuid_equal(&s->uuid, &region->uuid))
		return false;
	if (s->path && strcmp(s->path, region->path) != 0)
		return false;
	if (s->provider && strcmp(s->provider, text_or_empty(region->provider)) != 0)
		return false;
	if (s->has_range && (region->range.start < s->range.start ||
			     range_end(region->range) > range_end(s->range)))
		return false;
	return true;
}

/* First index whose key is not below (or, with after, is above) that of wanted. */
static size_t bound(const struct match *match, enum key key, const struct region *wanted, bool after)
{
	size_t low = 0, high = match->n_regions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = compare_key(key, match->by[key][middle], wanted);

		if (r < 0 || (after && r == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct run {
	enum key key;
	size_t begin, end;
};

static void narrow(const struct match *match, struct run *best, enum key key,
		   const struct region *low, const struct region *high)
{
	struct run run = { key, bound(match, key, low, false), bound(match, key, high, true) };

	if (run.end - run.begin < best->end - best->begin)
		*best = run;
}

static struct run shortest_run(const struct match *match, const struct selector *s)
{
	struct run best = { KEY_START, 0, match->n_regions };
	struct region wanted = {
		.path = s->path,
		.uuid = s->uuid,
		.provider = s->provider,
		.type = s->type,
		.numa = s->numa,
		.target_node = s->target_node,
		.range = s->range,
	};

	if (s->path)
		narrow(match, &best, KEY_PATH, &wanted, &wanted);
	if (uuid_is_set(&s->uuid))
		narrow(match, &best, KEY_UUID, &wanted, &wanted);
	if (s->provider)
		narrow(match, &best, KEY_PROVIDER, &wanted, &wanted);
	if (s->has_type)
		narrow(match, &best, KEY_TYPE, &wanted, &wanted);
	if (s->has_numa)
		narrow(match, &best, KEY_NUMA, &wanted, &wanted);
	if (s->has_target_node)
		narrow(match, &best, KEY_TARGET_NODE, &wanted, &wanted);
	if (s->has_range) {
		struct region last = { .range.start = range_end(s->range) };

		narrow(match, &best, KEY_START, &wanted, &last);
	}
	return best;
}

size_t match_regions(const struct match *match, const struct selector *selector,
		     const struct region **regions, size_t max)
{
	struct run run = shortest_run(match, selector);
	size_t n = 0;

	for (size_t i = run.begin; i < run.end && n < max; i++)
		if (selector_admits(selector, match->by[run.key][i]))
			regions[n++] = match->by[run.key][i];
	return n;
}

const struct region *match_region_at(const struct match *match, uint64_t address)
{
	const struct region wanted = { .range.start = address };
	size_t i = bound(match, KEY_START, &wanted, true);
	const struct region *region = i ? match->by[KEY_START][i - 1] : NULL;

	return region && address < range_end(region->range) ? region : NULL;
}

size_t match_label(const struct match *match, const char *label, const struct place **ret)
{
	size_t low = 0, high = match->n_labels, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(match->by_label[middle].ns->label, label) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < match->n_labels && strcmp(match->by_label[low + n].ns->label, label) == 0)
		n++;
	*ret = n ? &match->by_label[low] : NULL;
	return n;
}

static const struct place *search(const struct place *places, size_t n,
				  const struct namespace *ns,
				  int (*compare)(const void *a, const void *b))
{
	const struct place key = { .ns = ns };

	return n ? bsearch(&key, places, n, sizeof(key), compare) : NULL;
}

const struct place *match_uuid(const struct match *match, const struct uuid *uuid)
{
	const struct namespace ns = { .uuid = *uuid, .info_uuid = *uuid };
	const struct place *place = search(match->by_uuid, match->n_uuids, &ns, compare_uuids);

	return place ? place : search(match->by_info_uuid, match->n_info_uuids, &ns,
				      compare_info_uuids);
}
