/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../daxctl-ext/map-layout.h"

#include "test.h"

#define PIECES_MAX 5

static const struct {
	const char *name;
	uint64_t sizes[PIECES_MAX]; /* 0 ends them */
	size_t width, want[PIECES_MAX];
} cases[] = {
	{ "one", { 7 }, 10, { 10 } },
	{ "halves", { 50, 50 }, 10, { 5, 5 } },
	{ "to scale", { 10, 20, 70 }, 10, { 1, 2, 7 } },
	{ "none vanishes", { 1, 998, 1 }, 10, { 1, 8, 1 } },
	{ "all the room", { 1, 1, 1000000 }, 3, { 1, 1, 1 } },
	{ "large", { UINT64_C(1) << 62, UINT64_C(1) << 62 }, 160, { 80, 80 } },
};

TEST(map_cells)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct piece pieces[PIECES_MAX] = { 0 };
		size_t cells[PIECES_MAX], sum = 0;
		struct map map = { .pieces = pieces };

		for (; map.n < PIECES_MAX && cases[i].sizes[map.n]; map.n++) {
			pieces[map.n].range.size = cases[i].sizes[map.n];
			map.whole.size += cases[i].sizes[map.n];
		}
		CHECK_INT(map_cells(&map, cases[i].width, cells), true, cases[i].name);
		for (size_t j = 0; j < map.n; sum += cells[j++])
			CHECK_INT(cells[j], cases[i].want[j], cases[i].name);
		CHECK_INT(sum, cases[i].width, cases[i].name);
		CHECK_INT(map_cells(&map, map.n - 1, cells), false, cases[i].name);
	}
}
