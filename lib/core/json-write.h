/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text, written as it is said: one line, or indented by two spaces a level.  Memory that
 * runs out is remembered and told once, by json_out_finish().  A NULL key is an element.
 */
#ifndef DAXD_CORE_JSON_WRITE_H
#define DAXD_CORE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/range.h"

struct json_out {
	char *text;
	size_t length, room;
	unsigned int depth;
	bool indent, more, failed; /* more: a comma goes before the next value */
};

void json_open(struct json_out *out, const char *key, char bracket);
void json_close(struct json_out *out, char bracket);
/* NULL and "" are left out: absent and empty are the same in all our documents. */
void json_put_text(struct json_out *out, const char *key, const char *text);
void json_put_u64(struct json_out *out, const char *key, uint64_t value);
void json_put_int(struct json_out *out, const char *key, int value);
void json_put_bool(struct json_out *out, const char *key, bool value);
/* "0x100000000" */
void json_put_hex(struct json_out *out, const char *key, uint64_t value);
/* "0660" */
void json_put_perm(struct json_out *out, const char *key, unsigned int perm);
/* [{"start":...,"size":...}]; left out when empty. */
void json_put_ranges(struct json_out *out, const char *key, const struct range_list *ranges);

/* A value that is JSON already, on one line; "" is left out. */
void json_put_json(struct json_out *out, const char *key, const char *json);

/* The text, which the caller frees; NULL: no memory. */
char *json_out_finish(struct json_out *out);

#endif
