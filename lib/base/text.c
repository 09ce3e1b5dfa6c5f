/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

size_t text_utf8_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length = *c < 0x80 ? *c != 0 : *c >= 0xc2 && *c < 0xe0 ? 2 :
			*c >= 0xe0 && *c < 0xf0 ? 3 : *c >= 0xf0 && *c < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* More bytes than it takes, halves of a pair, and what is beyond the last character. */
	if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] >= 0xa0) ||
	    (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] >= 0x90))
		return 0;
	return length;
}

/* U+0080 to U+009F are obeyed by some terminals, too. */
static bool is_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];

	return length == 1 ? first < ' ' || first == 0x7f :
			     first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

char *text_clean(const char *text)
{
	char *clean = strdup(*text ? text : "?");

	for (char *c = clean; clean && *c;) {
		size_t length = text_utf8_length(c);

		if (length == 0 || is_control(c, length)) {
			*c = '?';
			length = 1;
		}
		c += length;
	}
	return clean;
}
