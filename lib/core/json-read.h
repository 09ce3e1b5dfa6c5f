/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From scanned JSON to structs, by tables: one line a member says its key, who reads it and
 * where it goes.  All problems go to the report, each with its pointer; a member that could
 * not be read leaves what was there before, so set the defaults first.
 *
 * What readers store is the caller's at once and freed by the caller's own clear function.
 */
#ifndef DAXD_CORE_JSON_READ_H
#define DAXD_CORE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/json-scan.h"

/* Read value into *to, whose type the reader knows; arg is from the table. */
typedef void json_read_fn(struct report *report, const struct json_value *value,
			  const struct path *at, void *to, const void *arg);

struct json_field {
	const char *key;
	json_read_fn *read;
	size_t offset;
	const void *arg;
	size_t has; /* offset of a bool that tells the member is there; 0: none */
	bool required;
	const char *hint; /* how to write it, when it is missing or of another type */
};

/* JSON_FIELD("size", json_u64, struct range, size, .required = true) */
#define JSON_FIELD(name, reader, type, member, ...)                            \
	{                                                                      \
		.key = (name), .read = (reader), .offset = offsetof(type, member), \
		__VA_ARGS__                                                    \
	}

struct json_table {
	const char *what; /* "a volume" */
	const struct json_field *fields;
	size_t n; /* at most 64 */
};

#define JSON_TABLE(what, fields) { (what), (fields), ARRAY_SIZE(fields) }

/* The enum's words; first: values below are not for documents. */
struct json_words {
	const char *(*word)(unsigned int value);
	unsigned int first, n;
};

/* For arrays kept as a pointer and, right behind it, a size_t count. */
struct json_list {
	size_t element_size;
	json_read_fn *read; /* of an element; the index is in its path */
	const void *arg;
};

struct json_limits {
	uint64_t min, max;
};

/* Readers for tables. */
json_read_fn json_skip;	  /* known, and of no interest */
json_read_fn json_bool;	  /* bool */
json_read_fn json_text;	  /* char *, replaces; not empty */
json_read_fn json_u64;	  /* uint64_t; arg: struct json_limits, or NULL */
json_read_fn json_count;  /* size_t */
json_read_fn json_unsigned; /* unsigned int; arg: struct json_limits, or NULL */
json_read_fn json_int;	  /* int; arg: int, the least there is (NULL: 0) */
json_read_fn json_word;	  /* an enum; arg: struct json_words */
json_read_fn json_hex;	  /* uint64_t from "0x..." */
json_read_fn json_uuid;	  /* struct uuid */
json_read_fn json_perm;	  /* unsigned int from "0660" */
json_read_fn json_version; /* nothing; arg: the uint64_t it must be */
json_read_fn json_object; /* arg: struct json_table */
json_read_fn json_array;  /* arg: struct json_list */
json_read_fn json_range;  /* struct range from {"start":..,"size":..} */
json_read_fn json_hex_range; /* struct range from "0xSTART-0xEND", inclusive */

/* As json_object, and says which members (bit i: fields[i]) there were, readable or not. */
uint64_t json_read_members(struct report *report, const struct json_value *value,
			   const struct path *at, const struct json_table *table, void *to);

/* "\"size\" must be wanted, not true." for a value of the wrong type. */
void json_wrong_type(struct report *report, const struct json_value *value, const struct path *at,
		     const char *wanted, const char *hint);

/* An integer from digits alone; -EINVAL, or -ERANGE when it does not fit. */
int json_parse_u64(const char *digits, uint64_t *ret);

/* Report that there was no memory. */
void json_no_memory(struct report *report);

/* Scan, then read the root by the table; 0, or the code of the first problem there was. */
int json_read_document(const char *text, size_t length, const struct json_table *table, void *to,
		       struct report *report);

#endif
