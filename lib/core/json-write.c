/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json-write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ROOM_FIRST 1024
#define U64_TEXT_MAX 24

static void put_bytes(struct json_out *out, const char *bytes, size_t n)
{
	if (out->room - out->length < n) {
		size_t room = out->room ? out->room : ROOM_FIRST;
		char *grown;

		while (room - out->length < n && !out->failed)
			if (__builtin_mul_overflow(room, 2, &room))
				out->failed = true;
		grown = out->failed ? NULL : realloc(out->text, room);
		if (!grown) {
			out->failed = true;
			return;
		}
		out->text = grown;
		out->room = room;
	}
	memcpy(out->text + out->length, bytes, n);
	out->length += n;
}

/* Names of files, for one, are any bytes; other readers of JSON want UTF-8, and so does ours. */
static void put_escape(struct json_out *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *escape = strchr(from, c);
	char code[8];

	if (escape)
		(void)snprintf(code, sizeof(code), "\\%c", to[escape - from]);
	else
		(void)snprintf(code, sizeof(code), "\\u%04x",
			       (unsigned char)c < 0x80 ? (unsigned int)c : 0xfffdu);
	put_bytes(out, code, strlen(code));
}

static void put_quoted(struct json_out *out, const char *text)
{
	const char *run = text, *c = text;

	put_bytes(out, "\"", 1);
	while (*c) {
		unsigned char u = (unsigned char)*c;
		size_t length = u < 0x80 ? 1 : text_utf8_length(c);

		if (length && u >= ' ' && u != '"' && u != '\\' && u != 0x7f) {
			c += length;
			continue;
		}
		put_bytes(out, run, (size_t)(c - run));
		put_escape(out, *c++);
		run = c;
	}
	put_bytes(out, run, (size_t)(c - run));
	put_bytes(out, "\"", 1);
}

static void put_new_line(struct json_out *out)
{
	put_bytes(out, "\n", 1);
	for (unsigned int i = 0; i < out->depth; i++)
		put_bytes(out, "  ", 2);
}

/* What comes before any value: comma, line, key. */
static void put_lead(struct json_out *out, const char *key)
{
	if (out->more)
		put_bytes(out, ",", 1);
	if (out->indent && out->depth)
		put_new_line(out);
	out->more = true;
	if (!key)
		return;
	put_quoted(out, key);
	put_bytes(out, ": ", out->indent ? 2 : 1);
}

void json_open(struct json_out *out, const char *key, char bracket)
{
	put_lead(out, key);
	put_bytes(out, &bracket, 1);
	out->depth++;
	out->more = false;
}

void json_close(struct json_out *out, char bracket)
{
	out->depth--;
	if (out->indent && out->more)
		put_new_line(out);
	put_bytes(out, &bracket, 1);
	out->more = true;
}

void json_put_text(struct json_out *out, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	put_lead(out, key);
	put_quoted(out, text);
}

void json_put_json(struct json_out *out, const char *key, const char *json)
{
	if (!*json)
		return;
	put_lead(out, key);
	put_bytes(out, json, strlen(json));
}

void json_put_u64(struct json_out *out, const char *key, uint64_t value)
{
	char digits[U64_TEXT_MAX], *first = digits + sizeof(digits);

	/* By hand: a topology is mostly numbers. */
	do {
		*--first = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put_lead(out, key);
	put_bytes(out, first, (size_t)(digits + sizeof(digits) - first));
}

void json_put_int(struct json_out *out, const char *key, int value)
{
	char text[U64_TEXT_MAX];

	put_lead(out, key);
	(void)snprintf(text, sizeof(text), "%d", value);
	put_bytes(out, text, strlen(text));
}

void json_put_bool(struct json_out *out, const char *key, bool value)
{
	put_lead(out, key);
	put_bytes(out, value ? "true" : "false", value ? 4 : 5);
}

void json_put_hex(struct json_out *out, const char *key, uint64_t value)
{
	char text[U64_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_put_text(out, key, text);
}

void json_put_perm(struct json_out *out, const char *key, unsigned int perm)
{
	char text[U64_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%04o", perm);
	json_put_text(out, key, text);
}

void json_put_ranges(struct json_out *out, const char *key, const struct range_list *ranges)
{
	if (!ranges->n)
		return;
	json_open(out, key, '[');
	for (size_t i = 0; i < ranges->n; i++) {
		json_open(out, NULL, '{');
		json_put_u64(out, "start", ranges->ranges[i].start);
		json_put_u64(out, "size", ranges->ranges[i].size);
		json_close(out, '}');
	}
	json_close(out, ']');
}

char *json_out_finish(struct json_out *out)
{
	char *text;

	put_bytes(out, "", 1);
	text = out->text;
	if (out->failed) {
		free(text);
		text = NULL;
	}
	*out = (struct json_out){ 0 };
	return text;
}
