/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "core/json-read.h"
#include "core/json-scan.h"
#include "core/json-write.h"
#include "json-c.h"

/* What the first problem is; "" for none. */
static char *first_problem(const char *text, size_t length)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	struct report report = REPORT_INIT;
	char *message;

	(void)json_scan(text, length, &json, &report);
	message = strdup(report.n ? error_message(&report.errors[0]) : "");
	report_clear(&report);
	return message;
}

static const struct {
	const char *text, *problem;
} scans[] = {
	{ "{}", "" },
	{ " [ 1 , -0.5e+3, true, false, null, \"x\" ] ", "" },
	{ "0", "" },
	{ "\"\\u00e4\\ud83d\\ude00\\n\"", "" },
	{ "[18446744073709551616]", "" }, /* the reader of the member says that it is too much */
	{ "", "Line 1, column 1: expected a value, found the end of the text." },
	{ "[1,]", "Line 1, column 4: expected a value after ',', found ']'." },
	{ "{\"a\":1,}", "Line 1, column 8: expected a member after ',', found '}'." },
	{ "[1 2]", "Line 1, column 4: expected ',' or ']', found '2'." },
	{ "{\"a\" 1}", "Line 1, column 6: expected ':' after a member name, found '1'." },
	{ "{a:1}", "Line 1, column 2: expected a member name in double quotes, found 'a'." },
	{ "\n\n [01]", "Line 3, column 4: expected the end of a number, found '1'." },
	{ "[1.]", "Line 1, column 4: expected a digit after the decimal point, found ']'." },
	{ "[-]", "Line 1, column 3: expected a digit, found ']'." },
	{ "[1e]", "Line 1, column 4: expected a digit in the exponent, found ']'." },
	{ "[+1]", "Line 1, column 2: expected a value, found '+'." },
	{ "[.5]", "Line 1, column 2: expected a value, found '.'." },
	{ "[NaN]", "Line 1, column 2: expected a value, found 'N'." },
	{ "[Infinity]", "Line 1, column 2: expected a value, found 'I'." },
	{ "['a']", "Line 1, column 2: expected a value, found '." },
	{ "[tRue]", "Line 1, column 2: expected a value, found 't'." },
	{ "[\"a\tb\"]", "Line 1, column 4: expected the rest of a string, found byte 0x09." },
	{ "[\"\\x\"]",
	  "Line 1, column 4: expected one of \" \\ / b f n r t u after a backslash, found 'x'." },
	{ "[\"\\u12\"]",
	  "Line 1, column 7: expected four hexadecimal digits after \\u, found \"." },
	{ "[\"\\ud800\"]",
	  "Line 1, column 9: expected a \\u pair that makes a character, found \"." },
	{ "[\"\\udc00\"]",
	  "Line 1, column 9: expected a \\u pair that makes a character, found \"." },
	{ "[\"\xc3\"]", "Line 1, column 3: expected UTF-8 text, found byte 0xc3." },
	{ "[\"\xc0\xaf\"]", "Line 1, column 3: expected UTF-8 text, found byte 0xc0." },
	{ "[\"\xed\xa0\x80\"]", "Line 1, column 3: expected UTF-8 text, found byte 0xed." },
	{ "[1]x", "Line 1, column 4: expected nothing more after the document, found 'x'." },
	{ "[1] // c", "Line 1, column 5: expected nothing more after the document, found '/'." },
	{ "[\"\\u0000\"]", "A string may not contain the character U+0000." },
	{ "{\"a\":1,\"b\":2,\"a\":3}", "\"a\" is there more than once." },
	{ "{\"a\":1,\"\\u0061\":3}", "\"a\" is there more than once." },
};

TEST(json_scan)
{
	for (size_t i = 0; i < ARRAY_SIZE(scans); i++) {
		_cleanup_(freep) char *problem =
			first_problem(scans[i].text, strlen(scans[i].text));

		CHECK_STR(problem, scans[i].problem, scans[i].text);
	}
}

/* Another reader has to take whatever ours takes. */
TEST(json_scan_agrees_with_json_c)
{
	for (size_t i = 0; i < ARRAY_SIZE(scans); i++)
		if (!scans[i].problem[0])
			CHECK_INT(json_c_accepts(scans[i].text, strlen(scans[i].text)), true,
				  scans[i].text);
}

TEST(json_scan_many_duplicates)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	struct report report = REPORT_INIT;
	struct json_out out = { 0 };
	_cleanup_(freep) char *text = NULL;
	char key[16];

	json_open(&out, NULL, '{');
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i % 90);
		json_put_int(&out, key, i);
	}
	json_close(&out, '}');
	text = json_out_finish(&out);
	CHECK_INT(json_scan(text, strlen(text), &json, &report), 0, "text");
	CHECK_INT(report.n, 10, "duplicates");
	report_clear(&report);
}

/* A document of a stranger: as deep, with names as long and with as many mistakes as may be. */
TEST(json_scan_many_mistakes)
{
	enum { MISTAKES = 20000 };
	_cleanup_(json_clear) struct json json = JSON_INIT;
	struct report report = REPORT_INIT;
	struct json_out out = { 0 };
	_cleanup_(freep) char *text = NULL;
	char key[258] = "", *from;

	memset(key, 'k', 256);
	json_open(&out, NULL, '{');
	json_open(&out, key, '[');
	for (int i = 0; i < MISTAKES; i++)
		json_put_text(&out, NULL, "-u0000");
	json_close(&out, ']');
	json_close(&out, '}');
	text = json_out_finish(&out);
	for (from = text; (from = strstr(from, "-u0000"));)
		*from = '\\';
	CHECK_INT(json_scan(text, strlen(text), &json, &report), 0, "text");
	CHECK_INT(report.n, 1001, "mistakes");
	CHECK_STR(error_message(&report.errors[1000]),
		  "The text has 19000 more mistakes of these kinds.", "the rest");
	report_clear(&report);
}

TEST(json_scan_long_key)
{
	_cleanup_(freep) char *good = NULL, *bad = NULL;
	char text[264];

	(void)snprintf(text, sizeof(text), "{\"%0256d\":1}", 7);
	good = first_problem(text, strlen(text));
	(void)snprintf(text, sizeof(text), "{\"%0257d\":1}", 7);
	bad = first_problem(text, strlen(text));
	CHECK_STR(good, "", "256");
	CHECK(bad && strstr(bad, "longer than 256 bytes"));
}

TEST(json_scan_depth)
{
	char deep[2 * JSON_DEPTH_MAX + 2];
	_cleanup_(freep) char *good = NULL, *bad = NULL;

	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	good = first_problem(deep + 1, sizeof(deep) - 2);
	bad = first_problem(deep, sizeof(deep));
	CHECK_STR(good, "", "32");
	CHECK(bad && bad[0]);
}

TEST(json_write_escapes)
{
	struct json_out out = { 0 };
	_cleanup_(freep) char *text = NULL;

	json_open(&out, NULL, '{');
	json_put_text(&out, "a\"b", "\\ \n \x01 \x7f \xc3\xa4");
	json_put_text(&out, "absent", NULL);
	json_put_u64(&out, "max", UINT64_MAX);
	json_put_int(&out, "min", -1);
	json_put_hex(&out, "hex", 0x1a2b);
	json_put_perm(&out, "perm", 0660);
	json_open(&out, "empty", '[');
	json_close(&out, ']');
	json_put_bool(&out, "yes", true);
	json_close(&out, '}');
	text = json_out_finish(&out);
	CHECK_STR(text,
		  "{\"a\\\"b\":\"\\\\ \\n \\u0001 \\u007f \xc3\xa4\",\"max\":18446744073709551615,"
		  "\"min\":-1,\"hex\":\"0x1a2b\",\"perm\":\"0660\",\"empty\":[],\"yes\":true}",
		  NULL);
}

/* What is no UTF-8 is written so that it can be read. */
TEST(json_write_no_utf8)
{
	_cleanup_(freep) char *text = NULL, *problem = NULL;
	struct json_out out = { 0 };

	json_open(&out, NULL, '[');
	json_put_text(&out, NULL, "a\xff\xc3\xa4\xc3");
	json_close(&out, ']');
	text = json_out_finish(&out);
	CHECK_STR(text, "[\"a\\ufffd\xc3\xa4\\ufffd\"]", NULL);
	problem = first_problem(text, strlen(text));
	CHECK_STR(problem, "", NULL);
}

TEST(json_write_indents)
{
	struct json_out out = { .indent = true };
	_cleanup_(freep) char *text = NULL;

	json_open(&out, NULL, '{');
	json_open(&out, "a", '[');
	json_put_int(&out, NULL, 1);
	json_put_int(&out, NULL, 2);
	json_close(&out, ']');
	json_open(&out, "b", '[');
	json_close(&out, ']');
	json_close(&out, '}');
	text = json_out_finish(&out);
	CHECK_STR(text, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}", NULL);
}

static const struct {
	const char *digits;
	int r;
	uint64_t n;
} numbers[] = {
	{ "0", 0, 0 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "-1", -EINVAL, 0 },
	{ "1.0", -EINVAL, 0 },
	{ "1e3", -EINVAL, 0 },
};

TEST(json_parse_u64)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t n = 0;

		CHECK_INT(json_parse_u64(numbers[i].digits, &n), numbers[i].r, numbers[i].digits);
		CHECK_INT(n, numbers[i].n, numbers[i].digits);
	}
}
