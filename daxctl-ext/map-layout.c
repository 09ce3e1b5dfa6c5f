/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map-layout.h"

#include <errno.h>
#include <stdlib.h>

#include "core/geometry.h"

void map_clear(struct map *map)
{
	free(map->pieces);
	*map = (struct map){ 0 };
}

const char *piece_kind_word(enum piece_kind kind)
{
	static const char *const words[N_PIECE_KINDS] = {
		[PIECE_FREE] = "free",	   [PIECE_DATA] = "data", [PIECE_METADATA] = "metadata",
		[PIECE_TAIL] = "tail",	   [PIECE_LOST] = "lost",
	};

	return words[kind];
}

static int add(struct map *map, struct piece piece)
{
	struct piece *slot;

	if (piece.range.size == 0)
		return 0;
	slot = ARRAY_APPEND(map->pieces, map->n);
	if (!slot)
		return -ENOMEM;
	*slot = piece;
	map->n++;
	return 0;
}

/* What kmem makes memory of: whole memory blocks. Size 0 at the end: nothing. */
static struct range memory_of(struct range given, const struct dax_device *device,
			      uint64_t block_size)
{
	struct range data = given;

	if (device && device->driver == DRIVER_KMEM && block_size)
		data = range_trim(given, block_size);
	return data.size ? data : (struct range){ range_end(given), 0 };
}

/* all: a volume's range; given: what its user is given of it; the rest is for the kernel. */
static int add_volume(struct map *map, struct range all, struct range given, struct range data,
		      struct piece like)
{
	const struct {
		enum piece_kind kind;
		uint64_t start, end;
	} parts[] = {
		{ PIECE_METADATA, all.start, given.start },
		{ PIECE_TAIL, given.start, data.start },
		{ PIECE_DATA, data.start, range_end(data) },
		{ PIECE_TAIL, range_end(data), range_end(all) },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
		like.kind = parts[i].kind;
		like.range = (struct range){ parts[i].start, parts[i].end - parts[i].start };
		r = add(map, like);
	}
	return r;
}

static int add_namespace(struct map *map, const struct volume_view *view, size_t volume,
			 uint64_t block_size)
{
	const struct piece like = { .volume = volume, .nth = 1, .of = 1 };
	const struct namespace *ns = view->ns;
	struct range given = ns->range;

	if (ns->mode == NAMESPACE_FSDAX || ns->mode == NAMESPACE_DEVDAX)
		given = namespace_data(ns->range, ns->align, ns->map);
	if (view->device && view->device->ranges.n == 1)
		given = view->device->ranges.ranges[0];
	if (given.size == 0 || given.start < ns->range.start ||
	    range_end(given) > range_end(ns->range))
		given = ns->range; /* too small, or a file made by hand */
	return add_volume(map, ns->range, given, memory_of(given, view->device, block_size),
			  like);
}

static int add_device(struct map *map, const struct volume_view *view, size_t volume,
		      uint64_t block_size)
{
	const struct range_list *ranges = &view->device->ranges;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ranges->n; i++) {
		const struct piece like = { .volume = volume, .nth = i + 1, .of = ranges->n };
		const struct range range = ranges->ranges[i];

		r = add_volume(map, range, range, memory_of(range, view->device, block_size),
			       like);
	}
	return r;
}

static int add_free(struct map *map, struct range range)
{
	struct piece like = { .volume = NO_VOLUME, .nth = 1, .of = 1, .kind = PIECE_LOST };
	struct range data = range_trim(range, map->region->align ? map->region->align : 1);
	int r;

	if (data.size == 0)
		data = (struct range){ range_end(range), 0 };
	map->free += data.size;
	like.range = (struct range){ range.start, data.start - range.start };
	r = add(map, like);
	like.range = data;
	like.kind = PIECE_FREE;
	if (r == 0)
		r = add(map, like);
	like.range = (struct range){ range_end(data), range_end(range) - range_end(data) };
	like.kind = PIECE_LOST;
	return r < 0 ? r : add(map, like);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* Where a scan could not tell where a region starts, its devices show more of it. */
static void widen(struct map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct range range = map->pieces[i].range;

		if (range.start < map->whole.start) {
			map->whole.size += map->whole.start - range.start;
			map->whole.start = range.start;
		}
		if (range_end(range) > range_end(map->whole))
			map->whole.size = range_end(range) - map->whole.start;
	}
}

static int fill(struct map *map, const struct topology *topology, const struct volumes *volumes,
		struct range_list *used, struct range_list *free_ranges)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < volumes->n; i++) {
		const struct volume_view *view = &volumes->views[i];

		if (view->region != map->region)
			continue;
		r = view->ns ? add_namespace(map, view, i, topology->memory_block_size) :
			       add_device(map, view, i, topology->memory_block_size);
	}
	if (r < 0)
		return r;
	widen(map);
	for (size_t i = 0; r == 0 && i < map->n; i++)
		r = range_list_add(used, map->pieces[i].range);
	if (r == 0)
		r = range_list_free_of(map->whole, used, free_ranges);
	for (size_t i = 0; r == 0 && i < free_ranges->n; i++)
		r = add_free(map, free_ranges->ranges[i]);
	return r;
}

int map_fill(struct map *map, const struct topology *topology, const struct region *region,
	     const struct volumes *volumes)
{
	_cleanup_(range_list_clear) struct range_list used = { 0 }, free_ranges = { 0 };
	int r;

	*map = (struct map){ .region = region, .whole = region->range };
	r = fill(map, topology, volumes, &used, &free_ranges);
	if (r < 0) {
		map_clear(map);
		return r;
	}
	if (map->n > 1)
		qsort(map->pieces, map->n, sizeof(map->pieces[0]), compare_pieces);
	return 0;
}

static size_t largest(const size_t cells[], size_t n)
{
	size_t at = 0;

	for (size_t i = 1; i < n; i++)
		if (cells[i] > cells[at])
			at = i;
	return at;
}

bool map_cells(const struct map *map, size_t width, size_t cells[])
{
	size_t sum = 0, last = 0;
	uint64_t done = 0;

	if (map->n > width || map->whole.size == 0)
		return false;
	for (size_t i = 0; i < map->n; i++) {
		size_t end;

		done += map->pieces[i].range.size;
		end = (size_t)((unsigned __int128)done * width / map->whole.size);
		cells[i] = end > last ? end - last : 1;
		last = end;
		sum += cells[i];
	}
	/* Those that would have vanished take their cell from the largest. */
	for (; sum > width; sum--)
		cells[largest(cells, map->n)]--;
	for (; sum < width && map->n; sum++)
		cells[largest(cells, map->n)]++;
	return true;
}
