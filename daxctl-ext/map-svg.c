/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One SVG document: a bar for each region, all of the same width and each to its own scale,
 * with a legend below.  Widths are exact; what is too narrow to see is in the legend.
 */
#include "map-print.h"

#include <inttypes.h>
#include <string.h>

#include "base/size.h"
#include "table.h"

#define WIDTH 1000
#define MARGIN 20
#define BAR (WIDTH - 2 * MARGIN)
#define BAR_HEIGHT 40
#define LINE 18
#define HEADING 26
#define GAP 24
#define LETTER_WIDTH 8 /* of a letter in a bar, about */

static const char *const fills[] = { "#4e79a7", "#59a14f", "#b07aa1", "#76b7b2", "#edc948",
				     "#e15759", "#f28e2b", "#9c755f" };

static void put_text(FILE *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '<')
			(void)fputs("&lt;", out);
		else if (*c == '>')
			(void)fputs("&gt;", out);
		else if (*c == '&')
			(void)fputs("&amp;", out);
		else if (*c == '"')
			(void)fputs("&quot;", out);
		else if ((unsigned char)*c < ' ')
			(void)fputc('?', out); /* XML has no way to write most of these */
		else
			(void)fputc(*c, out);
	}
}

static const char *fill_of(const struct piece *piece)
{
	switch (piece->kind) {
	case PIECE_FREE:
		return "#ffffff";
	case PIECE_LOST:
		return "#dddddd";
	case PIECE_METADATA:
		return "#888888";
	case PIECE_TAIL:
		return "#bbbbbb";
	case PIECE_DATA:
		break;
	}
	return fills[piece->volume % ARRAY_SIZE(fills)];
}

static void put_description(FILE *out, const struct maps *maps, const struct piece *piece)
{
	const struct volume_view *view = piece_volume(maps, piece);

	if (view) {
		put_text(out, view->title);
		(void)fputs(": ", out);
	}
	(void)fprintf(out, "%s, %s at 0x%" PRIx64 "-0x%" PRIx64, piece_describe(maps, piece).text,
		      SIZE_STR(piece->range.size), piece->range.start,
		      range_end(piece->range) - 1);
}

/* Thousandths of a pixel from the left of the bar. */
static uint64_t place_of(const struct map *map, uint64_t address)
{
	if (map->whole.size == 0)
		return 0;
	return (uint64_t)((unsigned __int128)(address - map->whole.start) * BAR * 1000 /
			  map->whole.size);
}

static void put_piece(FILE *out, const struct maps *maps, const struct map *map,
		      const struct piece *piece, unsigned int y)
{
	uint64_t x = MARGIN * 1000 + place_of(map, piece->range.start);
	uint64_t width = MARGIN * 1000 + place_of(map, range_end(piece->range)) - x;
	const struct volume_view *view = piece_volume(maps, piece);
	const char *label = view && piece->kind == PIECE_DATA ? view->title : NULL;

	if (piece->kind == PIECE_FREE)
		label = "free";
	(void)fprintf(out,
		      "<rect x=\"%" PRIu64 ".%03" PRIu64 "\" y=\"%u\" width=\"%" PRIu64
		      ".%03" PRIu64 "\" height=\"%d\" fill=\"%s\"><title>",
		      x / 1000, x % 1000, y, width / 1000, width % 1000, BAR_HEIGHT,
		      fill_of(piece));
	put_description(out, maps, piece);
	(void)fputs("</title></rect>\n", out);
	if (!label || text_width(label) * LETTER_WIDTH * 1000 > width)
		return;
	(void)fprintf(out, "<text class=\"in\" x=\"%" PRIu64 ".%03" PRIu64 "\" y=\"%u\">",
		      (x + width / 2) / 1000, (x + width / 2) % 1000, y + BAR_HEIGHT / 2 + 5);
	put_text(out, label);
	(void)fputs("</text>\n", out);
}

static unsigned int height_of(const struct map *map)
{
	return HEADING + BAR_HEIGHT + LINE / 2 + (unsigned int)map->n * LINE + GAP;
}

static void put_map(FILE *out, const struct maps *maps, const struct map *map, unsigned int y)
{
	(void)fprintf(out, "<text class=\"heading\" x=\"%d\" y=\"%u\">", MARGIN, y + LINE);
	put_text(out, map->region->name);
	(void)fprintf(out, ", %s: %s at 0x%" PRIx64 ", %s free</text>\n",
		      region_type_word(map->region->type), SIZE_STR(map->whole.size),
		      map->whole.start, SIZE_STR(map->free));
	y += HEADING;
	for (size_t i = 0; i < map->n; i++)
		put_piece(out, maps, map, &map->pieces[i], y);
	y += BAR_HEIGHT + LINE / 2;
	for (size_t i = 0; i < map->n; i++, y += LINE) {
		(void)fprintf(out,
			      "<rect x=\"%d\" y=\"%u\" width=\"12\" height=\"12\" fill=\"%s\"/>\n"
			      "<text x=\"%d\" y=\"%u\">",
			      MARGIN, y, fill_of(&map->pieces[i]), MARGIN + LINE, y + 11);
		put_description(out, maps, &map->pieces[i]);
		(void)fputs("</text>\n", out);
	}
}

void maps_print_svg(FILE *out, const struct maps *maps)
{
	unsigned int height = 2 * MARGIN, y = MARGIN;

	for (size_t i = 0; i < maps->n; i++)
		height += height_of(&maps->maps[i]);
	(void)fprintf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		      "viewBox=\"0 0 %d %u\">\n"
		      "<style>text { font: 13px sans-serif } .heading { font-weight: bold } "
		      ".in { text-anchor: middle } rect { stroke: #333333; stroke-width: 0.5 }"
		      "</style>\n"
		      "<rect width=\"%d\" height=\"%u\" fill=\"#ffffff\" stroke=\"none\"/>\n",
		      WIDTH, height, WIDTH, height, WIDTH, height);
	for (size_t i = 0; i < maps->n; i++) {
		put_map(out, maps, &maps->maps[i], y);
		y += height_of(&maps->maps[i]);
	}
	(void)fputs("</svg>\n", out);
}
