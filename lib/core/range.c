/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/range.h"

#include <errno.h>
#include <stdlib.h>

void range_list_clear(struct range_list *list)
{
	free(list->ranges);
	*list = (struct range_list){ 0 };
}

int range_list_add(struct range_list *list, struct range range)
{
	struct range *slot = ARRAY_APPEND(list->ranges, list->n);

	if (!slot)
		return -ENOMEM;
	*slot = range;
	list->n++;
	return 0;
}

int range_list_copy(struct range_list *to, const struct range_list *from)
{
	struct range_list copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		if (range_list_add(&copy, from->ranges[i]) < 0) {
			range_list_clear(&copy);
			return -ENOMEM;
		}
	*to = copy;
	return 0;
}

uint64_t range_list_size(const struct range_list *list)
{
	uint64_t size = 0;

	for (size_t i = 0; i < list->n; i++)
		size += list->ranges[i].size;
	return size;
}

bool range_list_equal(const struct range_list *a, const struct range_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->ranges[i].start != b->ranges[i].start ||
		    a->ranges[i].size != b->ranges[i].size)
			return false;
	return true;
}

bool range_list_contains(const struct range_list *list, struct range r)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->ranges[i].start <= r.start && range_end(r) <= range_end(list->ranges[i]))
			return true;
	return false;
}

bool range_overlaps(struct range a, struct range b)
{
	return a.size && b.size && a.start < range_end(b) && b.start < range_end(a);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void range_list_sort(struct range_list *list)
{
	if (list->n > 1)
		qsort(list->ranges, list->n, sizeof(list->ranges[0]), compare_ranges);
}

void range_list_join(struct range_list *list)
{
	size_t kept = 0;

	for (size_t i = 1; i < list->n; i++) {
		if (range_end(list->ranges[kept]) == list->ranges[i].start)
			list->ranges[kept].size += list->ranges[i].size;
		else
			list->ranges[++kept] = list->ranges[i];
	}
	if (list->n)
		list->n = kept + 1;
}

bool range_list_begins_with(const struct range_list *a, const struct range_list *b)
{
	uint64_t done = 0, total = range_list_size(b);
	size_t i = 0, j = 0;
	uint64_t in_a = 0, in_b = 0;

	if (total > range_list_size(a))
		return false;
	while (done < total) {
		uint64_t left_a = a->ranges[i].size - in_a, left_b = b->ranges[j].size - in_b;
		uint64_t both = left_a < left_b ? left_a : left_b;

		if (a->ranges[i].start + in_a != b->ranges[j].start + in_b)
			return false;
		done += both;
		in_a += both;
		in_b += both;
		if (in_a == a->ranges[i].size) {
			in_a = 0;
			i++;
		}
		if (in_b == b->ranges[j].size) {
			in_b = 0;
			j++;
		}
	}
	return true;
}

bool range_list_same_bytes(const struct range_list *a, const struct range_list *b)
{
	return range_list_size(a) == range_list_size(b) && range_list_begins_with(a, b);
}

static uint64_t overlap(struct range a, struct range b)
{
	uint64_t start = a.start > b.start ? a.start : b.start;
	uint64_t end = range_end(a) < range_end(b) ? range_end(a) : range_end(b);

	return end > start ? end - start : 0;
}

bool range_list_same_set(const struct range_list *a, const struct range_list *b)
{
	uint64_t both = 0;

	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			both += overlap(a->ranges[i], b->ranges[j]);
	return both == range_list_size(a) && both == range_list_size(b);
}

int range_list_free_of(struct range whole, const struct range_list *used, struct range_list *ret)
{
	struct range_list sorted = { 0 }, left = { 0 };
	uint64_t at = whole.start;
	int r;

	r = range_list_copy(&sorted, used);
	range_list_sort(&sorted);
	for (size_t i = 0; r == 0 && i < sorted.n; i++) {
		struct range u = sorted.ranges[i];

		if (u.start > at && at < range_end(whole)) {
			uint64_t end = u.start < range_end(whole) ? u.start : range_end(whole);

			r = range_list_add(&left, (struct range){ at, end - at });
		}
		if (range_end(u) > at)
			at = range_end(u);
	}
	if (r == 0 && at < range_end(whole))
		r = range_list_add(&left, (struct range){ at, range_end(whole) - at });
	range_list_clear(&sorted);
	if (r < 0) {
		range_list_clear(&left);
		return r;
	}
	*ret = left;
	return 0;
}

struct range range_trim(struct range r, uint64_t step)
{
	uint64_t start = r.start, end = range_end(r);

	if (r.start % step && __builtin_add_overflow(r.start, step - r.start % step, &start))
		return (struct range){ r.start, 0 };
	end -= end % step;
	return (struct range){ start, end > start ? end - start : 0 };
}
