/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text (RFC 8259, nothing beyond it) to a flat array of values in the order of the text.
 * A container is followed by what it holds; json_next() steps over a value and all it holds.
 * Numbers keep the characters they were written in, so that no digit is lost before somebody
 * who knows the range has looked.  The struct json owns all values and their strings.
 *
 * Why not a library: libraries drop what people must be told (duplicate members, numbers that
 * do not fit, U+0000 inside a string, where in the text it went wrong), so the text would be
 * walked by code of our own anyway.
 */
#ifndef DAXD_CORE_JSON_SCAN_H
#define DAXD_CORE_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define JSON_DEPTH_MAX 32

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_value {
	enum json_type type;
	uint32_t n;	  /* members or elements */
	uint32_t span;	  /* values that this one takes, itself included */
	const char *key;  /* member name; NULL for an element or the root */
	const char *text; /* of a string; of a number as it was written */
};

struct json {
	struct json_value *values; /* values[0] is the root */
	size_t n;
	char *strings;
};

#define JSON_INIT { 0 }

void json_clear(struct json *json);

/* Text for a sentence: in double quotes, on one line, cut when it is long. */
#define JSON_SHOWN_MAX 48
struct json_shown {
	char text[JSON_SHOWN_MAX + 8];
};
struct json_shown json_show(const char *text);

/*
 * Returns 0 when the text is JSON; duplicate members and U+0000 in strings are in the report
 * all the same, the first thousand of them.  Returns -EINVAL at the first place that is not JSON,
 * or a member name of more than 256 bytes: there is no telling what the rest means.
 */
int json_scan(const char *text, size_t length, struct json *ret, struct report *report);

static inline const struct json_value *json_first(const struct json_value *container)
{
	return container + 1;
}

static inline const struct json_value *json_next(const struct json_value *value)
{
	return value + value->span;
}

#endif
