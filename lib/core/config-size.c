/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/config-size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config.h"

#define UNIT 1024 /* nobody means so few bytes */
#define DIGITS_MAX 15 /* of a decimal number that is worth a guess */

static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t')
		c++;
	return c;
}

/* After the digits: "", "G", "GB", "Gi", "GiB", " gb", "bytes". Gives the unit in bytes. */
static bool read_unit(const char *c, uint64_t *unit)
{
	static const char letters[] = "KMGTP", *letter;

	c = skip_blanks(c);
	*unit = 1;
	letter = *c ? strchr(letters, toupper((unsigned char)*c)) : NULL;
	if (letter) {
		*unit = UINT64_C(1) << (10 * (letter - letters + 1));
		c++;
		if (*c == 'i' || *c == 'I')
			c++;
	}
	if (strcasecmp(c, "bytes") == 0)
		return true;
	if (*c == 'b' || *c == 'B')
		c++;
	return !*skip_blanks(c);
}

/* The size that somebody who wrote this may have had in mind, when it is a whole number. */
static bool guess_size(const char *text, uint64_t *ret)
{
	uint64_t number = 0, scale = 1, unit;
	const char *c = skip_blanks(text);
	unsigned int digits = 0;
	bool point = false;

	for (; isdigit((unsigned char)*c) || (!point && digits && (*c == '.' || *c == ',')); c++) {
		if (!isdigit((unsigned char)*c)) {
			point = true;
			continue;
		}
		if (++digits > DIGITS_MAX)
			return false;
		number = number * 10 + (uint64_t)(*c - '0');
		if (point)
			scale *= 10;
	}
	if (!digits || !read_unit(c, &unit) || __builtin_mul_overflow(number, unit, &number) ||
	    number % scale)
		return false;
	*ret = number / scale;
	return *ret != 0;
}

/* 1e9, 1.5e3: a whole number in a writing that may lose digits. */
static bool guess_integer(const char *text, uint64_t *ret)
{
	double number = strtod(text, NULL);

	if (!(number >= 1 && number < 9007199254740992.0) || number != (double)(uint64_t)number)
		return false;
	*ret = (uint64_t)number;
	return true;
}

static struct size_hint hint_for_percent(const char *text)
{
	struct size_hint hint = { "a percentage is above 0% and up to 100%, with at most two decimals" };
	char tight[16];
	size_t n = 0;
	struct size_spec spec;

	for (const char *c = text; *c && n < sizeof(tight) - 1; c++)
		if (*c != ' ')
			tight[n++] = *c;
	tight[n] = 0;
	if (strlen(text) < sizeof(tight) && size_spec_parse(tight, &spec) == 0)
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"%s\"?", tight);
	return hint;
}

struct size_hint size_hint(const char *text, bool bytes_only)
{
	static const char *const all[] = { "all", "max", "rest", "full", "remaining", "*" };
	struct size_hint hint = { "digits and one of K, M, G, T, P (powers of 1024), such as \"16G\"" };
	uint64_t size;

	if (!bytes_only)
		(void)snprintf(hint.text, sizeof(hint.text),
			       "write \"16G\" (K, M, G, T, P are powers of 1024), \"50%%\" or "
			       "\"all\"");
	if (bytes_only && strchr(text, '%'))
		return hint;
	if (strchr(text, '%'))
		return hint_for_percent(text);
	if (guess_size(text, &size)) {
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"%s\"?",
			       SIZE_STR(size));
		return hint;
	}
	if (text[0] == '-')
		(void)snprintf(hint.text, sizeof(hint.text), "a size is not negative%s",
			       bytes_only ? "" : "; \"all\" takes what is free");
	for (size_t i = 0; !bytes_only && i < ARRAY_SIZE(all); i++)
		if (strcasecmp(text, all[i]) == 0)
			(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"all\"?");
	return hint;
}

struct size_hint size_hint_multiple(uint64_t size, uint64_t step)
{
	uint64_t lower = round_down_to(size, step), upper;
	struct size_hint hint;

	if (size < UNIT && size < step)
		(void)snprintf(hint.text, sizeof(hint.text),
			       "a number without a unit is bytes; did you intend \"%" PRIu64
			       "M\" or \"%" PRIu64 "G\"?", size, size);
	else if (round_up_to(size, step, &upper) < 0)
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"%s\"?",
			       SIZE_STR(lower));
	else if (lower == 0)
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"%s\"?",
			       SIZE_STR(upper));
	else
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend \"%s\" or \"%s\"?",
			       SIZE_STR(lower), SIZE_STR(upper));
	return hint;
}

static void report_number(struct report *report, const struct json_value *value,
			  const struct path *at)
{
	struct size_hint hint = { "a number is bytes; with a unit it is a string, such as \"16G\"" };
	uint64_t size;

	if (value->text[0] == '-') {
		(void)report_add(report, at, EINVAL, hint.text, "%.40s is negative, no size.",
				 value->text);
		return;
	}
	if (json_parse_u64(value->text, &size) == -ERANGE) {
		(void)report_add(report, at, ERANGE, NULL, "%.40s does not fit 64 bits.",
				 value->text);
		return;
	}
	if (guess_integer(value->text, &size))
		(void)snprintf(hint.text, sizeof(hint.text), "did you intend %" PRIu64 "?", size);
	(void)report_add(report, at, EINVAL, hint.text, "%.40s is not written as an integer.",
			 value->text);
}

static void read_spec(struct report *report, const struct json_value *value,
		      const struct path *at, struct size_spec *ret, bool bytes_only)
{
	struct size_spec spec = { .kind = SIZE_BYTES };
	int r;

	if (value->type == JSON_NUMBER) {
		if (json_parse_u64(value->text, &spec.bytes) < 0)
			report_number(report, value, at);
		else
			*ret = spec;
		return;
	}
	if (value->type != JSON_STRING) {
		json_wrong_type(report, value, at,
				bytes_only ? "a string such as \"2M\" or an integer of bytes" :
					     "a string such as \"16G\", \"50%\" or \"all\", or an "
					     "integer of bytes",
				NULL);
		return;
	}
	r = size_spec_parse(value->text, &spec);
	if (r == 0 && bytes_only && spec.kind != SIZE_BYTES)
		r = -EINVAL;
	if (r == 0)
		*ret = spec;
	else if (r == -ERANGE && !strchr(value->text, '%'))
		(void)report_add(report, at, ERANGE, NULL, "%s does not fit 64 bits.",
				 json_show(value->text).text);
	else
		(void)report_add(report, at, EINVAL, size_hint(value->text, bytes_only).text,
				 "%s is not a size.", json_show(value->text).text);
}

void config_read_size(struct report *report, const struct json_value *value,
		      const struct path *at, void *to, const void *arg)
{
	(void)arg;
	read_spec(report, value, at, to, false);
}

void config_read_bytes(struct report *report, const struct json_value *value,
		       const struct path *at, void *to, const void *arg)
{
	struct size_spec spec;
	size_t before = report->n;

	(void)arg;
	read_spec(report, value, at, &spec, true);
	if (report->n == before)
		*(uint64_t *)to = spec.bytes;
}
