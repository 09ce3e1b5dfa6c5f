/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM_FIRST 128

static bool make_room(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : ROOM_FIRST;
	char *grown;

	if (text->room - text->length > more)
		return true;
	while (room - text->length <= more)
		if (__builtin_mul_overflow(room, 2, &room))
			return false;
	grown = realloc(text->bytes, room);
	if (!grown)
		return false;
	text->bytes = grown;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int length = 0;

	/* The first try tells how much room is needed, and mostly has it. */
	for (int tries = 0; tries < 2 && !text->failed; tries++) {
		if (!make_room(text, (size_t)length)) {
			text->failed = true;
			return;
		}
		va_start(args, format);
		length = vsnprintf(text->bytes + text->length, text->room - text->length, format,
				   args);
		va_end(args);
		if (length < 0) {
			text->failed = true;
		} else if ((size_t)length < text->room - text->length) {
			text->length += (size_t)length;
			return;
		}
	}
}

char *text_finish(struct text *text)
{
	char *bytes = text->bytes;

	if (text->failed) {
		free(bytes);
		bytes = NULL;
	}
	*text = (struct text){ 0 };
	return bytes;
}
