/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people in aligned columns.  Rows are given cell by cell and printed at the end,
 * when the widths are known.  Only a last column marked TABLE_WRAP keeps to the width of the
 * terminal, by going on in the line below; nothing is ever cut off.
 */
#ifndef DAXCTL_EXT_TABLE_H
#define DAXCTL_EXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/macro.h"

enum {
	TABLE_RIGHT = 1, /* numbers */
	TABLE_WRAP = 2,	 /* the last column only */
};

struct table_column {
	const char *title; /* NULL in all columns: no heading */
	int flags;
};

struct table;

/* columns must outlive the table. NULL: no memory, which all functions here accept. */
struct table *table_new(const struct table_column *columns, size_t n_columns);
void table_free(struct table *table);
DEFINE_FREEP(struct table, table)

/* The next cell, left to right and row by row. */
void table_cell(struct table *table, const char *format, ...) _printf_(2, 3);

/* width 0: no limit. Returns -ENOMEM when a cell could not be kept, and prints nothing. */
int table_print(const struct table *table, FILE *out, unsigned int width, bool bold_titles);

/*
 * Text broken at spaces so that lines, of which the first begins at column indent, end before
 * width (0: no limit).  Further lines are indented; "\n" begins a paragraph.  No newline at
 * the end.
 */
void text_wrap(FILE *out, const char *text, unsigned int indent, unsigned int width);
/* Columns that a UTF-8 text takes, one for each character. */
size_t text_width(const char *text);

#endif
