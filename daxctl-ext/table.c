/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2	    /* columns between columns */
#define WRAP_MIN 20 /* a narrower column is no longer readable */

struct table {
	const struct table_column *columns;
	size_t n_columns;
	char **cells;
	size_t n_cells;
	bool broken; /* a cell was lost */
};

struct table *table_new(const struct table_column *columns, size_t n_columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->n_columns = n_columns;
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;
	char **cell;

	if (!table || table->broken)
		return;
	cell = ARRAY_APPEND(table->cells, table->n_cells);
	if (!cell) {
		table->broken = true;
		return;
	}
	va_start(args, format);
	table->broken = vasprintf(cell, format, args) < 0;
	va_end(args);
	if (!table->broken)
		table->n_cells++;
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (const char *c = text; *c; c++)
		n += ((unsigned char)*c & 0xc0) != 0x80; /* not a continuation byte */
	return n;
}

static void put_spaces(FILE *out, size_t n)
{
	(void)fprintf(out, "%*s", (int)n, "");
}

void text_wrap(FILE *out, const char *text, unsigned int indent, unsigned int width)
{
	size_t column = indent;
	bool first = true;

	if (!width && !strchr(text, '\n')) {
		(void)fputs(text, out); /* pipes get long output; it need not be looked at */
		return;
	}
	while (*text) {
		size_t length = strcspn(text, " \n");
		size_t columns = 0;

		for (size_t i = 0; i < length; i++)
			columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (!first && width && column + 1 + columns > width) {
			(void)fputc('\n', out);
			put_spaces(out, indent);
			column = indent;
			first = true;
		}
		if (!first) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fwrite(text, 1, length, out);
		column += columns;
		first = false;
		text += length;
		if (*text == '\n') {
			(void)fputs("\n\n", out);
			put_spaces(out, indent);
			column = indent;
			first = true;
		}
		text += *text != 0;
	}
}

static void measure(const struct table *table, size_t widths[])
{
	for (size_t c = 0; c < table->n_columns; c++)
		widths[c] = table->columns[c].title ? text_width(table->columns[c].title) : 0;
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t c = i % table->n_columns, w = text_width(table->cells[i]);

		if (w > widths[c])
			widths[c] = w;
	}
}

static void print_cell(const struct table *table, const size_t widths[], FILE *out, size_t c,
		       const char *text, size_t start, unsigned int width, bool more)
{
	size_t fill = widths[c] - text_width(text);
	bool last = c + 1 == table->n_columns;

	if (table->columns[c].flags & TABLE_RIGHT)
		put_spaces(out, fill);
	if (last && table->columns[c].flags & TABLE_WRAP) {
		if (width && width < start + WRAP_MIN)
			width = (unsigned int)start + WRAP_MIN;
		text_wrap(out, text, (unsigned int)start, width);
	} else {
		(void)fputs(text, out);
	}
	if (more && !(table->columns[c].flags & TABLE_RIGHT))
		put_spaces(out, fill);
}

/* No spaces at the end of a line: empty cells on the right are left out. */
static void print_row(const struct table *table, const size_t widths[], FILE *out,
		      const char *const cells[], unsigned int width)
{
	size_t start = 0, n = table->n_columns;

	while (n > 0 && (!cells[n - 1] || !*cells[n - 1]))
		n--;
	for (size_t c = 0; c < n; c++) {
		print_cell(table, widths, out, c, cells[c], start, width, c + 1 < n);
		start += widths[c] + GAP;
		if (c + 1 < n)
			put_spaces(out, GAP);
	}
	(void)fputc('\n', out);
}

int table_print(const struct table *table, FILE *out, unsigned int width, bool bold_titles)
{
	_cleanup_(freep) size_t *widths = NULL;
	_cleanup_(freep) const char **titles = NULL;

	if (!table || table->broken)
		return -ENOMEM;
	widths = calloc(table->n_columns, sizeof(*widths));
	titles = calloc(table->n_columns, sizeof(*titles));
	if (!widths || !titles)
		return -ENOMEM;
	measure(table, widths);
	for (size_t c = 0; c < table->n_columns; c++)
		titles[c] = table->columns[c].title;
	if (titles[0]) {
		(void)fputs(bold_titles ? "\033[1m" : "", out);
		print_row(table, widths, out, titles, 0);
		(void)fputs(bold_titles ? "\033[0m" : "", out);
	}
	for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
		print_row(table, widths, out, (const char *const *)table->cells + i, width);
	return 0;
}
