/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies where in a region, from its first byte to its last without gaps: the pieces that
 * a map draws.  It knows nothing of how they are drawn.
 */
#ifndef DAXCTL_EXT_MAP_LAYOUT_H
#define DAXCTL_EXT_MAP_LAYOUT_H

#include "volumes.h"

enum piece_kind {
	PIECE_FREE,
	PIECE_DATA,	/* of a volume: what its user gets */
	PIECE_METADATA, /* of a volume: info block and page structures */
	PIECE_TAIL,	/* of a volume: cut off, because it is no multiple of what is needed */
	PIECE_LOST,	/* free, but less than a step: nothing can be made there */
};
#define N_PIECE_KINDS 5

struct piece {
	enum piece_kind kind;
	struct range range;
	size_t volume;	 /* index into the volumes; of free and lost: NO_VOLUME */
	size_t nth, of;	 /* data of a volume in several ranges: 1 of 2; else 1 of 1 */
};
#define NO_VOLUME ((size_t)-1)

struct map {
	const struct region *region;
	struct range whole;
	uint64_t free; /* sum of the free pieces */
	struct piece *pieces;
	size_t n;
};

void map_clear(struct map *map);
/* -ENOMEM */
int map_fill(struct map *map, const struct topology *topology, const struct region *region,
	     const struct volumes *volumes);
/* free, data, metadata, tail, lost */
const char *piece_kind_word(enum piece_kind kind);

/*
 * How many of width cells each piece gets: to scale, but at least one, as long as there are
 * enough; then cells[i] is set and the sum is width.  false: there are more pieces than cells.
 */
bool map_cells(const struct map *map, size_t width, size_t cells[]);

#endif
