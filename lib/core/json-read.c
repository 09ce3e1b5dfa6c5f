/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json-read.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/range.h"
#include "core/topology.h"

#define NAME_MAX_COMPARED 32 /* longer words are not compared for "did you mean" */

/* A value as a sentence names it. */
struct named {
	char text[JSON_SHOWN_MAX + 32];
};

static struct named name_value(const struct json_value *value)
{
	static const char *const plain[] = {
		[JSON_NULL] = "null",	     [JSON_FALSE] = "false", [JSON_TRUE] = "true",
		[JSON_NUMBER] = "the number", [JSON_STRING] = "the string",
		[JSON_ARRAY] = "an array",   [JSON_OBJECT] = "an object",
	};
	struct named named;

	if (value->type == JSON_STRING)
		(void)snprintf(named.text, sizeof(named.text), "the string %s",
			       json_show(value->text).text);
	else if (value->type == JSON_NUMBER)
		(void)snprintf(named.text, sizeof(named.text), "the number %.40s%s", value->text,
			       strlen(value->text) > 40 ? "..." : "");
	else
		(void)snprintf(named.text, sizeof(named.text), "%s", plain[value->type]);
	return named;
}

/* The place as a sentence begins with it: "size", Element 3 of "ranges", The document. */
static struct named name_place(const struct path *at)
{
	struct named named;

	if (!at)
		(void)snprintf(named.text, sizeof(named.text), "The document");
	else if (at->key)
		(void)snprintf(named.text, sizeof(named.text), "%s", json_show(at->key).text);
	else
		(void)snprintf(named.text, sizeof(named.text), "Element %zu", at->index);
	return named;
}

void json_no_memory(struct report *report)
{
	struct error error = ERROR_INIT;

	(void)error_oom(&error);
	(void)report_take(report, &error);
}

void json_wrong_type(struct report *report, const struct json_value *value, const struct path *at,
		     const char *wanted, const char *hint)
{
	(void)report_add(report, at, EINVAL, hint, "%s must be %s, not %s.", name_place(at).text,
			 wanted, name_value(value).text);
}

/* Steps from one word to the other: a character more, less, another, or two swapped. */
static size_t word_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_COMPARED + 1], n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_COMPARED || m > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);
			size_t d = up[j - 1] + (x != y);

			d = row[j - 1] + 1 < d ? row[j - 1] + 1 : d;
			d = up[j] + 1 < d ? up[j] + 1 : d;
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) && up2[j - 2] + 1 < d)
				d = up2[j - 2] + 1;
			row[j] = d;
		}
	}
	return rows[n % 3][m];
}

/* Collects words and turns them into a hint: the near one, or all there are. */
struct guess {
	const char *word, *near;
	size_t distance;
	char all[512];
};

static void guess_consider(struct guess *guess, const char *candidate)
{
	size_t distance = word_distance(guess->word, candidate);
	size_t used = strlen(guess->all);

	(void)snprintf(guess->all + used, sizeof(guess->all) - used, "%s%s", used ? ", " : "",
		       candidate);
	/* Half the word wrong is another word. */
	if (distance <= 2 && distance * 2 < strlen(candidate) &&
	    (!guess->near || distance < guess->distance)) {
		guess->near = candidate;
		guess->distance = distance;
	}
}

static const char *guess_hint(const struct guess *guess, char hint[static 600])
{
	if (guess->near)
		(void)snprintf(hint, 600, "did you mean \"%s\"?", guess->near);
	else
		(void)snprintf(hint, 600, "known here: %s", guess->all);
	return hint;
}

static void report_unknown(struct report *report, const struct json_table *table,
			   const struct path *at)
{
	struct guess guess = { .word = at->key };
	char hint[600];

	for (size_t i = 0; i < table->n; i++)
		guess_consider(&guess, table->fields[i].key);
	(void)report_add(report, at, EINVAL, guess_hint(&guess, hint), "%s is not a key of %s.",
			 json_show(at->key).text, table->what);
}

/* A table's hint is for the member itself, not for what lies deeper in it. */
static void add_hint(struct error *error, const struct path *at, const char *hint)
{
	_cleanup_(freep) char *pointer = path_to_pointer(at);

	if (!error->hint && pointer && error->pointer && strcmp(error->pointer, pointer) == 0)
		(void)error_hint(error, "%s", hint);
}

static void read_member(struct report *report, const struct json_value *value,
			const struct path *at, const struct json_field *field, void *to)
{
	size_t before = report->n;

	if (field->has)
		*(bool *)((char *)to + field->has) = true;
	field->read(report, value, at, (char *)to + field->offset, field->arg);
	if (field->hint && report->n == before + 1)
		add_hint(&report->errors[before], at, field->hint);
}

uint64_t json_read_members(struct report *report, const struct json_value *value,
			   const struct path *at, const struct json_table *table, void *to)
{
	const struct json_value *member;
	uint64_t seen = 0;

	assert(table->n <= 64);
	if (value->type != JSON_OBJECT) {
		json_wrong_type(report, value, at, "an object", NULL);
		return 0;
	}
	member = json_first(value);
	for (uint32_t i = 0; i < value->n; i++, member = json_next(member)) {
		const struct path member_at = { .parent = at, .key = member->key };
		size_t f = 0;

		while (f < table->n && strcmp(table->fields[f].key, member->key) != 0)
			f++;
		if (f == table->n) {
			report_unknown(report, table, &member_at);
			continue;
		}
		/* Of two with the same key, which json_scan() reported, the first is read. */
		if (!(seen & UINT64_C(1) << f))
			read_member(report, member, &member_at, &table->fields[f], to);
		seen |= UINT64_C(1) << f;
	}
	for (size_t f = 0; f < table->n; f++)
		if (table->fields[f].required && !(seen & UINT64_C(1) << f))
			(void)report_add(report, at, EINVAL, table->fields[f].hint,
					 "\"%s\" is missing; %s needs it.", table->fields[f].key,
					 table->what);
	return seen;
}

void json_object(struct report *report, const struct json_value *value, const struct path *at,
		 void *to, const void *arg)
{
	(void)json_read_members(report, value, at, arg, to);
}

void json_array(struct report *report, const struct json_value *value, const struct path *at,
		void *to, const void *arg)
{
	const struct json_list *list = arg;
	size_t *n = (size_t *)((char *)to + sizeof(void *));
	const struct json_value *element;

	if (value->type != JSON_ARRAY) {
		json_wrong_type(report, value, at, "an array", NULL);
		return;
	}
	element = json_first(value);
	for (uint32_t i = 0; i < value->n; i++, element = json_next(element)) {
		const struct path element_at = { .parent = at, .index = i };
		void *slot = array_grow(to, *n, list->element_size);

		if (!slot) {
			json_no_memory(report);
			return;
		}
		++*n;
		list->read(report, element, &element_at, slot, list->arg);
	}
}

void json_skip(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	(void)report;
	(void)value;
	(void)at;
	(void)to;
	(void)arg;
}

void json_bool(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	const char *hint = NULL;

	(void)arg;
	if (value->type == JSON_TRUE || value->type == JSON_FALSE) {
		*(bool *)to = value->type == JSON_TRUE;
		return;
	}
	if (value->type == JSON_STRING &&
	    (strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0))
		hint = "remove the quotes";
	json_wrong_type(report, value, at, "true or false", hint);
}

void json_text(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	char *copy;

	(void)arg;
	if (value->type != JSON_STRING) {
		json_wrong_type(report, value, at, "a string", NULL);
		return;
	}
	if (!value->text[0]) {
		(void)report_add(report, at, EINVAL, NULL, "%s must not be empty.",
				 name_place(at).text);
		return;
	}
	copy = strdup(value->text);
	if (!copy) {
		json_no_memory(report);
		return;
	}
	free(*(char **)to);
	*(char **)to = copy;
}

int json_parse_u64(const char *digits, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*digits)
		return -EINVAL;
	for (const char *c = digits; *c; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n))
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

/* A number that is not in its range, or not an integer at all. */
static void wrong_number(struct report *report, const struct json_value *value,
			 const struct path *at, const char *wanted)
{
	uint64_t n;

	if (value->type == JSON_STRING && json_parse_u64(value->text, &n) == 0)
		json_wrong_type(report, value, at, wanted, "remove the quotes");
	else
		json_wrong_type(report, value, at, wanted, NULL);
}

void json_u64(struct report *report, const struct json_value *value, const struct path *at,
	      void *to, const void *arg)
{
	static const struct json_limits all = { 0, UINT64_MAX };
	const struct json_limits *limits = arg ? arg : &all;
	char wanted[96];
	uint64_t n;

	if (value->type == JSON_NUMBER && json_parse_u64(value->text, &n) == 0 &&
	    n >= limits->min && n <= limits->max) {
		*(uint64_t *)to = n;
		return;
	}
	if (limits->max == UINT64_MAX)
		(void)snprintf(wanted, sizeof(wanted), "an integer of up to 64 bits");
	else
		(void)snprintf(wanted, sizeof(wanted), "an integer from %" PRIu64 " to %" PRIu64,
			       limits->min, limits->max);
	wrong_number(report, value, at, wanted);
}

void json_count(struct report *report, const struct json_value *value, const struct path *at,
		void *to, const void *arg)
{
	static const struct json_limits limits = { 0, SIZE_MAX };
	size_t before = report->n;
	uint64_t n = 0;

	(void)arg;
	json_u64(report, value, at, &n, &limits);
	if (report->n == before)
		*(size_t *)to = (size_t)n;
}

void json_unsigned(struct report *report, const struct json_value *value, const struct path *at,
		   void *to, const void *arg)
{
	static const struct json_limits any = { 0, UINT_MAX };
	size_t before = report->n;
	uint64_t n = 0;

	json_u64(report, value, at, &n, arg ? arg : &any);
	if (report->n == before)
		*(unsigned int *)to = (unsigned int)n;
}

void json_int(struct report *report, const struct json_value *value, const struct path *at,
	      void *to, const void *arg)
{
	int min = arg ? *(const int *)arg : 0;
	char wanted[64];
	uint64_t n;

	if (value->type == JSON_NUMBER) {
		bool minus = value->text[0] == '-';

		if (json_parse_u64(value->text + minus, &n) == 0 && n <= INT_MAX) {
			int i = minus ? -(int)n : (int)n;

			if (i >= min) {
				*(int *)to = i;
				return;
			}
		}
	}
	(void)snprintf(wanted, sizeof(wanted), "an integer of %d or more", min);
	wrong_number(report, value, at, wanted);
}

void json_word(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	const struct json_words *words = arg;
	struct guess guess = { 0 };
	char hint[600];

	guess.word = value->type == JSON_STRING ? value->text : "";
	for (unsigned int i = words->first; i < words->n; i++) {
		const char *word = words->word(i);

		if (strcmp(word, guess.word) == 0) {
			/* Our enums have no negative value: their type is unsigned int. */
			*(unsigned int *)to = i;
			return;
		}
		guess_consider(&guess, word);
	}
	if (value->type != JSON_STRING)
		json_wrong_type(report, value, at, "a string", guess_hint(&guess, hint));
	else
		(void)report_add(report, at, EINVAL, guess_hint(&guess, hint), "%s cannot be %s.",
				 name_place(at).text, json_show(value->text).text);
}

/* Digits of 0x...; returns what follows them, or NULL. */
static const char *parse_hex(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	const char *c = text + 2;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || !isxdigit((unsigned char)*c))
		return NULL;
	for (; isxdigit((unsigned char)*c); c++) {
		unsigned int digit = (unsigned int)(*c <= '9' ? *c - '0' : (*c | 0x20) - 'a' + 10);

		if (n >> 60)
			return NULL;
		n = n << 4 | digit;
	}
	*ret = n;
	return c;
}

void json_hex(struct report *report, const struct json_value *value, const struct path *at,
	      void *to, const void *arg)
{
	const char *rest = NULL;
	uint64_t n = 0;

	(void)arg;
	if (value->type == JSON_STRING)
		rest = parse_hex(value->text, &n);
	if (rest && !*rest)
		*(uint64_t *)to = n;
	else
		json_wrong_type(report, value, at, "a string such as \"0x1a2b\" of up to 64 bits",
				NULL);
}

void json_uuid(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	(void)arg;
	if (value->type != JSON_STRING || uuid_parse_text(value->text, to) < 0)
		json_wrong_type(report, value, at,
				"a uuid such as \"01234567-89ab-cdef-0123-456789abcdef\"", NULL);
}

void json_perm(struct report *report, const struct json_value *value, const struct path *at,
	       void *to, const void *arg)
{
	const char *c = value->type == JSON_STRING ? value->text : "";
	size_t length = strlen(c);
	unsigned int perm = 0;

	(void)arg;
	if (value->type == JSON_NUMBER) {
		json_wrong_type(report, value, at, "a string of octal digits",
				"JSON numbers are decimal: write it as \"0660\"");
		return;
	}
	for (; *c >= '0' && *c <= '7'; c++)
		perm = perm << 3 | (unsigned int)(*c - '0');
	if (*c || (length != 3 && length != 4) || perm > 0777)
		json_wrong_type(report, value, at, "octal permissions from \"0000\" to \"0777\"",
				"for owner and group to read and write: \"0660\"");
	else
		*(unsigned int *)to = perm;
}

void json_range(struct report *report, const struct json_value *value, const struct path *at,
		void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("start", json_u64, struct range, start, .required = true),
		JSON_FIELD("size", json_u64, struct range, size, .required = true),
	};
	static const struct json_table table = JSON_TABLE("a range", fields);
	struct range range = { 0 };
	size_t before = report->n;
	uint64_t end;

	(void)arg;
	(void)json_read_members(report, value, at, &table, &range);
	if (report->n > before)
		return;
	if (range.size == 0 || __builtin_add_overflow(range.start, range.size, &end))
		(void)report_add(report, at, EINVAL, NULL,
				 "The range at 0x%" PRIx64 " of %" PRIu64
				 " bytes is empty or goes past the end of 64 bits.",
				 range.start, range.size);
	else
		*(struct range *)to = range;
}

void json_hex_range(struct report *report, const struct json_value *value, const struct path *at,
		    void *to, const void *arg)
{
	uint64_t first = 0, last = 0;
	const char *rest = NULL;

	(void)arg;
	if (value->type == JSON_STRING)
		rest = parse_hex(value->text, &first);
	if (rest)
		rest = *rest == '-' ? parse_hex(rest + 1, &last) : NULL;
	if (!rest || *rest) {
		json_wrong_type(report, value, at, "a range such as \"0x100000000-0x13fffffff\"",
				"first and last address, both in hexadecimal with 0x");
		return;
	}
	if (last < first) {
		(void)report_add(report, at, EINVAL, "the first address comes first",
				 "The range %s ends before it begins.",
				 json_show(value->text).text);
		return;
	}
	if (last == UINT64_MAX) {
		(void)report_add(report, at, ERANGE, NULL, "The range %s ends beyond all memory.",
				 json_show(value->text).text);
		return;
	}
	*(struct range *)to = (struct range){ first, last - first + 1 };
}

void json_version(struct report *report, const struct json_value *value, const struct path *at,
		  void *to, const void *arg)
{
	const uint64_t *wanted = arg;
	char text[64];
	uint64_t version;

	(void)to;
	if (value->type == JSON_NUMBER && json_parse_u64(value->text, &version) == 0 &&
	    version == *wanted)
		return;
	(void)snprintf(text, sizeof(text), "the number %" PRIu64 " (the only version there is)",
		       *wanted);
	json_wrong_type(report, value, at, text,
			value->type == JSON_STRING ? "remove the quotes" : NULL);
}

int json_read_document(const char *text, size_t length, const struct json_table *table, void *to,
		       struct report *report)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	size_t before = report->n;
	int r;

	r = json_scan(text, length, &json, report);
	if (r < 0)
		return r;
	(void)json_read_members(report, json.values, NULL, table, to);
	return report->n > before ? -report->errors[before].code : 0;
}
