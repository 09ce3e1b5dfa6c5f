/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps as text for a terminal, as one SVG document, and as JSON. */
#ifndef DAXCTL_EXT_MAP_PRINT_H
#define DAXCTL_EXT_MAP_PRINT_H

#include "cli.h"
#include "map-layout.h"

struct maps {
	struct map *maps;
	size_t n;
	struct volumes volumes;
};

/* -ENOMEM */
int maps_print_text(struct cli *cli, const struct maps *maps);
void maps_print_svg(FILE *out, const struct maps *maps);
/* NULL: no memory. */
char *maps_to_json(const struct maps *maps, bool indent);

/* What a piece is, for a legend: "devdax, range 1 of 2", "metadata". */
struct piece_text {
	char text[96];
};
struct piece_text piece_describe(const struct maps *maps, const struct piece *piece);
/* The volume that a piece is of, or NULL. */
const struct volume_view *piece_volume(const struct maps *maps, const struct piece *piece);

#endif
