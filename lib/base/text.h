/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A string put together piece by piece.  Cheaper than a memory stream, which matters where ten
 * thousand lines are made; lack of memory is remembered and told once, by text_finish().
 */
#ifndef DAXD_BASE_TEXT_H
#define DAXD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

struct text {
	char *bytes;
	size_t length, room;
	bool failed;
};

void text_add(struct text *text, const char *format, ...) _printf_(2, 3);
/* The string, which the caller frees; NULL: no memory. */
char *text_finish(struct text *text);

/* How many bytes the character has that begins here; 0: it is no UTF-8, or the end. */
size_t text_utf8_length(const char *text);
/*
 * A copy of what anybody may have written, fit for documents and terminals: "?" stands for each
 * byte of what is no UTF-8 or controls a terminal, and for all of an empty one.  NULL: no memory.
 */
char *text_clean(const char *text);

#endif
