/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json-scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW_MEMBERS 16 /* up to here comparing each with each beats sorting */
/*
 * Each problem holds a pointer with all names down to its place: a text of a stranger must not
 * make more of them, nor longer ones, than anybody would read.
 */
#define KEY_MAX 256
#define PROBLEMS_MAX 1000 /* of the kinds that the text is read on after */

struct scan {
	const char *start, *at, *end;
	char *out; /* where the next string goes; never more bytes than the text has */
	struct json *json;
	struct report *report;
	size_t n_problems; /* those that are too many to tell, too */
};

void json_clear(struct json *json)
{
	free(json->values);
	free(json->strings);
	*json = (struct json)JSON_INIT;
}

struct json_shown json_show(const char *text)
{
	struct json_shown shown;
	size_t length = strlen(text), n = length;
	char *out = shown.text;

	if (n > JSON_SHOWN_MAX) {
		n = JSON_SHOWN_MAX;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80) /* inside a character */
			n--;
	}
	*out++ = '"';
	for (size_t i = 0; i < n; i++) {
		bool control = (unsigned char)text[i] < ' ' || text[i] == 0x7f;

		*out++ = control ? '?' : text[i];
	}
	(void)memcpy(out, n < length ? "...\"" : "\"", n < length ? 5 : 2);
	return shown;
}

/* The byte to look at, or -1 at the end of the text. */
static int peek(const struct scan *scan)
{
	return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
		scan->at++;
}

/* The text is not JSON at scan->at. */
static int syntax_error(const struct scan *scan, const struct path *path, const char *hint,
			const char *expected)
{
	size_t line = 1, column = 1;
	char found[32] = "the end of the text";
	int c = peek(scan);

	for (const char *p = scan->start; p < scan->at; p++) {
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
	}
	if (c == '\'' || c == '"')
		(void)snprintf(found, sizeof(found), "%c", c);
	else if (c > ' ' && c < 0x7f)
		(void)snprintf(found, sizeof(found), "'%c'", c);
	else if (c == '\n' || c == '\r')
		(void)snprintf(found, sizeof(found), "the end of the line");
	else if (c >= 0)
		(void)snprintf(found, sizeof(found), "byte 0x%02x", (unsigned int)c);
	return report_add(scan->report, path, EINVAL, hint,
			  "Line %zu, column %zu: expected %s, found %s.", line, column, expected,
			  found);
}

static int out_of_memory(const struct scan *scan)
{
	struct error error = ERROR_INIT;

	(void)error_oom(&error);
	return report_take(scan->report, &error);
}

/* Of a problem that the text is read on after: is it to be told by itself? */
static bool count_problem(struct scan *scan)
{
	return scan->n_problems++ < PROBLEMS_MAX;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int scan_hex4(struct scan *scan, const struct path *path, unsigned int *ret)
{
	*ret = 0;
	for (int i = 0; i < 4; i++, scan->at++) {
		int digit = hex_digit(peek(scan));

		if (digit < 0)
			return syntax_error(scan, path, NULL, "four hexadecimal digits after \\u");
		*ret = *ret << 4 | (unsigned int)digit;
	}
	return 0;
}

static void put_utf8(struct scan *scan, unsigned int c)
{
	if (c < 0x80) {
		*scan->out++ = (char)c;
		return;
	}
	if (c < 0x800) {
		*scan->out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*scan->out++ = (char)(0xe0 | c >> 12);
		} else {
			*scan->out++ = (char)(0xf0 | c >> 18);
			*scan->out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*scan->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*scan->out++ = (char)(0x80 | (c & 0x3f));
}

/* At the character after \u. Two of them may make one character (a surrogate pair). */
static int scan_unicode(struct scan *scan, const struct path *path)
{
	static const char pair[] = "a \\u pair that makes a character";
	unsigned int c, low;
	int r;

	r = scan_hex4(scan, path, &c);
	if (r < 0)
		return r;
	if (c == 0) {
		if (count_problem(scan))
			(void)report_add(scan->report, path, EINVAL, "remove the \\u0000",
					 "A string may not contain the character U+0000.");
		return 0;
	}
	if (c >= 0xd800 && c < 0xe000) {
		if (c >= 0xdc00 || scan->end - scan->at < 2 || scan->at[0] != '\\' ||
		    scan->at[1] != 'u')
			return syntax_error(scan, path, NULL, pair);
		scan->at += 2;
		r = scan_hex4(scan, path, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low >= 0xe000)
			return syntax_error(scan, path, NULL, pair);
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(scan, c);
	return 0;
}

static int scan_escape(struct scan *scan, const struct path *path)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *which;
	int c;

	scan->at++;
	c = peek(scan);
	if (c == 'u') {
		scan->at++;
		return scan_unicode(scan, path);
	}
	which = c > 0 ? strchr(from, c) : NULL;
	if (!which)
		return syntax_error(scan, path, "a backslash itself is written \\\\",
				    "one of \" \\ / b f n r t u after a backslash");
	*scan->out++ = to[which - from];
	scan->at++;
	return 0;
}

/* Copy one character of two or more bytes; shortest form only, no surrogates (RFC 3629). */
static int scan_utf8(struct scan *scan, const struct path *path)
{
	static const unsigned int smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int c = (unsigned char)*scan->at, n;

	n = c >= 0xf8 ? 0 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;
	if (n && (size_t)(scan->end - scan->at) >= n) {
		c &= 0x7fu >> n;
		for (unsigned int i = 1; i < n; i++) {
			unsigned int next = (unsigned char)scan->at[i];

			if ((next & 0xc0) != 0x80) {
				n = 0;
				break;
			}
			c = c << 6 | (next & 0x3f);
		}
		if (n && c >= smallest[n] && c <= 0x10ffff && (c < 0xd800 || c >= 0xe000)) {
			memcpy(scan->out, scan->at, n);
			scan->out += n;
			scan->at += n;
			return 0;
		}
	}
	return syntax_error(scan, path, "save the file as UTF-8", "UTF-8 text");
}

/* At the opening quote. */
static int scan_string(struct scan *scan, const struct path *path, const char **ret)
{
	char *text = scan->out;
	int r = 0;

	scan->at++;
	while (r == 0) {
		int c = peek(scan);

		if (c == '"')
			break;
		if (c == '\\')
			r = scan_escape(scan, path);
		else if (c >= 0x80)
			r = scan_utf8(scan, path);
		else if (c < ' ')
			r = syntax_error(scan, path, "is a closing \" missing?",
					 "the rest of a string");
		else
			*scan->out++ = *scan->at++;
	}
	if (r < 0)
		return r;
	scan->at++;
	*scan->out++ = 0;
	*ret = text;
	return 0;
}

static bool scan_digits(struct scan *scan)
{
	const char *from = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > from;
}

static int scan_number(struct scan *scan, const struct path *path, const char **ret)
{
	const char *from = scan->at;
	char *text = scan->out;
	int c;

	if (*scan->at == '-')
		scan->at++;
	if (peek(scan) == '0')
		scan->at++;
	else if (!scan_digits(scan))
		return syntax_error(scan, path, NULL, "a digit");
	if (peek(scan) == '.') {
		scan->at++;
		if (!scan_digits(scan))
			return syntax_error(scan, path, NULL, "a digit after the decimal point");
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		if (!scan_digits(scan))
			return syntax_error(scan, path, NULL, "a digit in the exponent");
	}
	c = peek(scan);
	if (c == 'x' || c == 'X')
		return syntax_error(scan, path, "JSON numbers are decimal", "the end of a number");
	if (c >= '0' && c <= '9')
		return syntax_error(scan, path, "remove the leading zeros", "the end of a number");
	if (c == '%' || (c > 0 && isalpha(c)))
		return syntax_error(scan, path,
				    "a number with a unit is a string: put it in double quotes",
				    "the end of a number");
	memcpy(text, from, (size_t)(scan->at - from));
	scan->out += scan->at - from;
	*scan->out++ = 0;
	*ret = text;
	return 0;
}

static const char *hint_for_value(int c)
{
	if (c == '\'')
		return "strings are in double quotes";
	if (c == '/' || c == '#')
		return "JSON has no comments";
	if (c == '}' || c == ']')
		return "is a value missing, or is there a comma too many?";
	if (c == 'T' || c == 'F' || c == 'N')
		return "write true, false or null in small letters; there is no NaN";
	if (c == '+' || c == '.')
		return "a number begins with a digit or with -";
	if (c > 0 && isalpha(c))
		return "strings are in double quotes";
	return NULL;
}

static int scan_literal(struct scan *scan, const struct path *path, enum json_type *ret)
{
	static const struct {
		const char *word;
		size_t length;
		enum json_type type;
	} literals[] = {
		{ "null", 4, JSON_NULL },
		{ "false", 5, JSON_FALSE },
		{ "true", 4, JSON_TRUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		size_t length = literals[i].length;

		if ((size_t)(scan->end - scan->at) < length ||
		    memcmp(scan->at, literals[i].word, length) != 0)
			continue;
		scan->at += length;
		*ret = literals[i].type;
		return 0;
	}
	return syntax_error(scan, path, hint_for_value(peek(scan)), "a value");
}

static int compare_members(const void *a, const void *b)
{
	const struct json_value *const *x = a, *const *y = b;
	int r = strcmp((*x)->key, (*y)->key);

	return r ? r : (*x > *y) - (*x < *y);
}

static void report_duplicate(struct scan *scan, const struct path *path, const char *key)
{
	const struct path at = { .parent = path, .key = key };

	if (count_problem(scan))
		(void)report_add(scan->report, &at, EINVAL, "keep one of them",
				 "%s is there more than once.", json_show(key).text);
}

static int find_duplicates(struct scan *scan, const struct path *path,
			   const struct json_value *object)
{
	_cleanup_(freep) const struct json_value **sorted = NULL;
	const struct json_value *few[FEW_MEMBERS], **members = few;
	const struct json_value *member = json_first(object);

	if (object->n > FEW_MEMBERS) {
		members = sorted = calloc(object->n, sizeof(sorted[0]));
		if (!sorted)
			return out_of_memory(scan);
	}
	for (uint32_t i = 0; i < object->n; i++, member = json_next(member))
		members[i] = member;
	if (sorted)
		qsort(sorted, object->n, sizeof(sorted[0]), compare_members);
	for (uint32_t i = 1; i < object->n; i++)
		for (uint32_t j = i; j > (sorted ? i - 1 : 0); j--)
			if (strcmp(members[i]->key, members[j - 1]->key) == 0) {
				report_duplicate(scan, path, members[i]->key);
				break;
			}
	return 0;
}

static int scan_value(struct scan *scan, const struct path *path, const char *key,
		      unsigned int depth);

/* Between two members or elements, or at the end: 1 go on, 0 done. */
static int scan_separator(struct scan *scan, const struct path *path, char close)
{
	const char expected[] = { '\'', ',', '\'', ' ', 'o', 'r', ' ', '\'', close, '\'', 0 };

	skip_space(scan);
	if (peek(scan) == close) {
		scan->at++;
		return 0;
	}
	if (peek(scan) != ',')
		return syntax_error(scan, path,
				    peek(scan) < 0 ? "is a closing bracket missing?" :
						     "is a comma or a quote missing before it?",
				    expected);
	scan->at++;
	skip_space(scan);
	if (peek(scan) == close)
		return syntax_error(scan, path, "remove the comma before it",
				    close == '}' ? "a member after ','" : "a value after ','");
	return 1;
}

static int scan_member(struct scan *scan, const struct path *path, unsigned int depth)
{
	struct path at = { .parent = path };
	int r;

	skip_space(scan);
	if (peek(scan) != '"')
		return syntax_error(scan, path,
				    peek(scan) == '/' || peek(scan) == '#' ?
					    "JSON has no comments" :
					    "member names are in double quotes",
				    "a member name in double quotes");
	r = scan_string(scan, path, &at.key);
	if (r < 0)
		return r;
	if (strlen(at.key) > KEY_MAX)
		return report_add(scan->report, path, EINVAL, NULL,
				  "The member name %s is longer than %d bytes.",
				  json_show(at.key).text, KEY_MAX);
	skip_space(scan);
	if (peek(scan) != ':')
		return syntax_error(scan, &at, NULL, "':' after a member name");
	scan->at++;
	return scan_value(scan, &at, at.key, depth);
}

/* At the opening bracket. values[index] is the container's own value. */
static int scan_container(struct scan *scan, const struct path *path, size_t index,
			  unsigned int depth)
{
	bool object = *scan->at == '{';
	uint32_t n = 0;
	int r = 1;

	scan->json->values[index].type = object ? JSON_OBJECT : JSON_ARRAY;
	if (depth == JSON_DEPTH_MAX)
		return syntax_error(scan, path, NULL, "no more than 32 levels of nesting");
	scan->at++;
	skip_space(scan);
	if (peek(scan) == (object ? '}' : ']')) {
		scan->at++;
		r = 0;
	}
	while (r > 0) {
		const struct path at = { .parent = path, .index = n };

		r = object ? scan_member(scan, path, depth + 1) :
			     scan_value(scan, &at, NULL, depth + 1);
		if (r < 0)
			return r;
		n++;
		r = scan_separator(scan, path, object ? '}' : ']');
	}
	if (r < 0)
		return r;
	scan->json->values[index].n = n;
	return object && n > 1 ? find_duplicates(scan, path, &scan->json->values[index]) : 0;
}

static int scan_value(struct scan *scan, const struct path *path, const char *key,
		      unsigned int depth)
{
	size_t index = scan->json->n;
	struct json_value *value;
	int c, r;

	value = ARRAY_APPEND(scan->json->values, index);
	if (!value)
		return out_of_memory(scan);
	scan->json->n++;
	value->key = key;
	skip_space(scan);
	c = peek(scan);
	if (c == '{' || c == '[') {
		r = scan_container(scan, path, index, depth);
	} else if (c == '"') {
		value->type = JSON_STRING;
		r = scan_string(scan, path, &value->text);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		value->type = JSON_NUMBER;
		r = scan_number(scan, path, &value->text);
	} else {
		r = scan_literal(scan, path, &value->type);
	}
	/* The array may have moved meanwhile. */
	scan->json->values[index].span = (uint32_t)(scan->json->n - index);
	return r;
}

static int scan_document(struct scan *scan)
{
	int r;

	if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xef\xbb\xbf", 3) == 0)
		return syntax_error(scan, NULL, "save the file without a byte order mark",
				    "a value");
	r = scan_value(scan, NULL, NULL, 0);
	if (r < 0)
		return r;
	skip_space(scan);
	if (scan->at < scan->end)
		return syntax_error(scan, NULL, NULL, "nothing more after the document");
	return 0;
}

int json_scan(const char *text, size_t length, struct json *ret, struct report *report)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	struct scan scan = {
		.start = text, .at = text, .end = text + length, .json = &json, .report = report,
	};
	int r;

	if (length >= UINT32_MAX / 2)
		return report_add(report, NULL, EFBIG, NULL, "The text is too long.");
	/* Each string or number takes its characters and a NUL: two quotes, or what follows. */
	json.strings = scan.out = malloc(length + 2);
	if (!json.strings)
		return out_of_memory(&scan);
	r = scan_document(&scan);
	if (scan.n_problems > PROBLEMS_MAX)
		(void)report_add(report, NULL, EINVAL, NULL,
				 "The text has %zu more mistakes of these kinds.",
				 scan.n_problems - PROBLEMS_MAX);
	if (r < 0)
		return r;
	*ret = json;
	json = (struct json)JSON_INIT;
	return 0;
}
