/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which name the kernel has given to the device that starts at an address: one walk of a region
 * for many steps.  Names move, so whoever uses one looks at what has it (kernel_find_device()),
 * and an index that is wrong costs time only.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct kernel_place {
	char *region; /* its path */
	bool used;    /* false: a seed, size 0 and without a driver */
	uint64_t start;
	char name[SYSFS_NAME_MAX];
};

void kernel_index_clear(struct kernel_index *index)
{
	for (size_t i = 0; i < index->n; i++)
		free(index->places[i].region);
	free(index->places);
	*index = (struct kernel_index){ 0 };
}

static int add(struct kernel_index *index, const char *region, const char *name, bool used,
	       uint64_t start)
{
	struct kernel_place *places, *place;

	/* Regions are forgotten too, so room does not only double as array_grow() wants it. */
	places = reallocarray(index->places, index->n + 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	index->places = places;
	place = &places[index->n];
	*place = (struct kernel_place){ .used = used, .start = start };
	place->region = strdup(region);
	if (!place->region)
		return -ENOMEM;
	(void)snprintf(place->name, sizeof(place->name), "%s", name);
	index->n++;
	return 0;
}

static void forget_region(struct kernel_index *index, const char *region)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->n; i++) {
		if (strcmp(index->places[i].region, region) == 0)
			free(index->places[i].region);
		else
			index->places[kept++] = index->places[i];
	}
	index->n = kept;
}

struct region_of_index {
	struct kernel_index *index;
	const char *region;
};

/* Adds each, and so accepts none. */
static int add_device(int fd, const char *name, const void *data, struct error *reterr)
{
	const struct region_of_index *to = data;
	_cleanup_(range_list_clear) struct range_list ranges = { 0 };
	int r;

	r = kernel_read_ranges(fd, name, &ranges, reterr);
	if (r < 0)
		return r;
	if (ranges.n)
		r = add(to->index, to->region, name, true, ranges.ranges[0].start);
	else if (faccessat(fd, "driver", F_OK, 0) < 0)
		r = add(to->index, to->region, name, false, 0);
	return r < 0 ? error_oom(reterr) : 0;
}

int kernel_index_read(struct kernel_index *index, const struct step *step, struct error *reterr)
{
	const struct region_of_index to = { index, step->region };
	struct kernel_device none = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int region_fd = kernel_open_region(step, reterr);

	if (region_fd < 0)
		return region_fd;
	forget_region(index, step->region);
	return kernel_find_below(region_fd, add_device, &to, &none, reterr);
}

const char *kernel_index_find(const struct kernel_index *index, const char *region,
			      uint64_t start)
{
	for (size_t i = 0; i < index->n; i++) {
		const struct kernel_place *place = &index->places[i];

		if (place->used && place->start == start && strcmp(place->region, region) == 0)
			return place->name;
	}
	return NULL;
}

bool kernel_index_take_seed(struct kernel_index *index, const char *region, char *name)
{
	for (size_t i = 0; i < index->n; i++) {
		struct kernel_place *place = &index->places[i];

		if (place->used || strcmp(place->region, region) != 0)
			continue;
		(void)snprintf(name, SYSFS_NAME_MAX, "%s", place->name);
		free(place->region);
		*place = index->places[--index->n];
		return true;
	}
	return false;
}

int kernel_index_add(struct kernel_index *index, const char *region, const char *name,
		     uint64_t start)
{
	return add(index, region, name, true, start);
}
