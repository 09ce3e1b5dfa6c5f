/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map-print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/json-write.h"
#include "table.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MAX 160 /* wider bars tell no more */
#define WIDTH_MIN 16
#define MARGIN 4 /* two spaces and two brackets */
#define SEVERAL '*'

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/* Background colours that letters can be read on; neighbours differ. */
static const char *const colours[] = { "44", "42", "45", "46", "43", "41" };

const struct volume_view *piece_volume(const struct maps *maps, const struct piece *piece)
{
	return piece->volume == NO_VOLUME ? NULL : &maps->volumes.views[piece->volume];
}

struct piece_text piece_describe(const struct maps *maps, const struct piece *piece)
{
	const struct volume_view *view = piece_volume(maps, piece);
	struct piece_text text = { "" };

	switch (piece->kind) {
	case PIECE_FREE:
		(void)snprintf(text.text, sizeof(text.text), "free");
		break;
	case PIECE_LOST:
		(void)snprintf(text.text, sizeof(text.text), "free, but less than a step");
		break;
	case PIECE_METADATA:
		(void)snprintf(text.text, sizeof(text.text), "metadata");
		break;
	case PIECE_TAIL:
		(void)snprintf(text.text, sizeof(text.text), "misaligned, unused");
		break;
	case PIECE_DATA:
		if (piece->of > 1)
			(void)snprintf(text.text, sizeof(text.text), "%s, range %zu of %zu",
				       view->mode, piece->nth, piece->of);
		else
			(void)snprintf(text.text, sizeof(text.text), "%s", view->mode);
		break;
	}
	return text;
}

/* The first volume of the region is A. */
static size_t first_volume(const struct map *map)
{
	size_t first = NO_VOLUME;

	for (size_t i = 0; i < map->n; i++)
		if (map->pieces[i].volume < first)
			first = map->pieces[i].volume;
	return first;
}

static char key_of(const struct piece *piece, size_t first)
{
	switch (piece->kind) {
	case PIECE_FREE:
		return '.';
	case PIECE_LOST:
		return '-';
	case PIECE_METADATA:
		return '#';
	case PIECE_TAIL:
		return '~';
	case PIECE_DATA:
		return piece->volume - first < sizeof(letters) - 1 ?
			       letters[piece->volume - first] : SEVERAL;
	}
	return SEVERAL;
}

static void put_cells(const struct cli *cli, const struct piece *piece, char key, size_t first,
		      size_t n)
{
	bool colour = cli->colour_out && piece->kind == PIECE_DATA;

	if (colour)
		(void)fprintf(cli->out, "\033[1;37;%sm",
			      colours[(piece->volume - first) % ARRAY_SIZE(colours)]);
	else if (cli->colour_out)
		(void)fputs("\033[2m", cli->out);
	while (n--)
		(void)fputc(key, cli->out);
	if (cli->colour_out)
		(void)fputs("\033[0m", cli->out);
}

/* The piece that has more than half of what lies between two addresses, or NULL. */
static const struct piece *main_piece(const struct map *map, size_t *from, uint64_t start,
				      uint64_t end)
{
	while (*from + 1 < map->n && range_end(map->pieces[*from].range) <= start)
		(*from)++;
	for (size_t i = *from; i < map->n && map->pieces[i].range.start < end; i++) {
		const struct range range = map->pieces[i].range;
		uint64_t low = range.start > start ? range.start : start;
		uint64_t high = range_end(range) < end ? range_end(range) : end;

		if (high > low && high - low > (end - start) / 2)
			return &map->pieces[i];
	}
	return NULL;
}

/* More pieces than cells: a cell shows what most of it is, if that is one piece. */
static void put_crowd(const struct cli *cli, const struct map *map, size_t width, size_t first)
{
	uint64_t at = map->whole.start;
	size_t from = 0;

	for (size_t c = 0; c < width; c++) {
		uint64_t end = map->whole.start +
			       (uint64_t)((unsigned __int128)map->whole.size * (c + 1) / width);
		const struct piece *piece = main_piece(map, &from, at, end);

		if (piece)
			put_cells(cli, piece, key_of(piece, first), first, 1);
		else
			(void)fputc(SEVERAL, cli->out);
		at = end;
	}
}

static int put_bar(const struct cli *cli, const struct map *map, size_t width)
{
	_cleanup_(freep) size_t *cells = calloc(map->n + 1, sizeof(*cells));
	size_t first = first_volume(map);

	if (!cells)
		return -ENOMEM;
	(void)fputs("  [", cli->out);
	if (map_cells(map, width, cells))
		for (size_t i = 0; i < map->n; i++)
			put_cells(cli, &map->pieces[i], key_of(&map->pieces[i], first), first,
				  cells[i]);
	else if (map->n)
		put_crowd(cli, map, width, first);
	(void)fputs("]\n", cli->out);
	return 0;
}

static int put_legend(const struct cli *cli, const struct maps *maps, const struct map *map)
{
	static const struct table_column columns[] = {
		{ NULL, 0 },		   { NULL, 0 }, { NULL, TABLE_RIGHT }, { NULL, 0 },
		{ NULL, TABLE_WRAP },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	size_t first = first_volume(map);

	for (size_t i = 0; i < map->n; i++) {
		const struct piece *piece = &map->pieces[i];
		const struct volume_view *view = piece_volume(maps, piece);

		table_cell(table, "  %c", key_of(piece, first));
		table_cell(table, "%s", view ? view->title : "");
		table_cell(table, "%s", SIZE_STR(piece->range.size));
		table_cell(table, "0x%" PRIx64 "-0x%" PRIx64, piece->range.start,
			   range_end(piece->range) - 1);
		table_cell(table, "%s", piece_describe(maps, piece).text);
	}
	return table_print(table, cli->out, cli->width, false);
}

static int put_map(const struct cli *cli, const struct maps *maps, const struct map *map)
{
	size_t width = cli->width ? cli->width : WIDTH_DEFAULT;
	char heading[256];
	int r;

	width = width > WIDTH_MAX ? WIDTH_MAX : width;
	width = width < WIDTH_MIN + MARGIN ? WIDTH_MIN : width - MARGIN;
	(void)snprintf(heading, sizeof(heading), "%.100s  %s  %s, %s free", map->region->name,
		       region_type_word(map->region->type), SIZE_STR(map->whole.size),
		       SIZE_STR(map->free));
	cli_print_heading(cli, heading);
	r = put_bar(cli, map, width);
	return r < 0 ? r : put_legend(cli, maps, map);
}

int maps_print_text(struct cli *cli, const struct maps *maps)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < maps->n; i++) {
		if (i)
			(void)fputc('\n', cli->out);
		r = put_map(cli, maps, &maps->maps[i]);
	}
	return r;
}

static void put_piece(struct json_out *out, const struct maps *maps, const struct piece *piece)
{
	const struct volume_view *view = piece_volume(maps, piece);

	json_open(out, NULL, '{');
	json_put_text(out, "kind", piece_kind_word(piece->kind));
	json_put_u64(out, "start", piece->range.start);
	json_put_u64(out, "size", piece->range.size);
	if (view) {
		json_put_text(out, "volume", volume_name(view));
		json_put_text(out, "namespace", view->ns ? view->ns->name : NULL);
		json_put_text(out, "device", view->device ? view->device->name : NULL);
		json_put_text(out, "mode", view->mode);
	}
	if (piece->of > 1) {
		json_put_u64(out, "range", piece->nth - 1);
		json_put_u64(out, "ranges", piece->of);
	}
	json_close(out, '}');
}

char *maps_to_json(const struct maps *maps, bool indent)
{
	struct json_out out = { .indent = indent };

	json_open(&out, NULL, '{');
	json_open(&out, "regions", '[');
	for (size_t i = 0; i < maps->n; i++) {
		const struct map *map = &maps->maps[i];

		json_open(&out, NULL, '{');
		json_put_text(&out, "name", map->region->name);
		json_put_text(&out, "path", map->region->path);
		json_put_text(&out, "type", region_type_word(map->region->type));
		json_put_u64(&out, "start", map->whole.start);
		json_put_u64(&out, "size", map->whole.size);
		json_put_u64(&out, "free", map->free);
		json_open(&out, "pieces", '[');
		for (size_t j = 0; j < map->n; j++)
			put_piece(&out, maps, &map->pieces[j]);
		json_close(&out, ']');
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	return json_out_finish(&out);
}
