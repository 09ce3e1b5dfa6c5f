/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../daxctl-ext/table.h"

#include <stdlib.h>

#include "../../daxctl-ext/suggest.h"
#include "test.h"

static const struct {
	const char *text;
	unsigned int indent, width;
	const char *want;
} wraps[] = {
	{ "", 0, 0, "" },
	{ "one two three", 0, 0, "one two three" },
	{ "one two three", 0, 13, "one two three" },
	{ "one two three", 0, 12, "one two\nthree" },
	{ "one two three", 4, 8, "one\n    two\n    three" },
	{ "abcdefghij k", 0, 4, "abcdefghij\nk" }, /* a word is never broken */
	{ "\xc3\xa4\xc3\xb6 \xc3\xbc", 0, 4, "\xc3\xa4\xc3\xb6 \xc3\xbc" }, /* 4 columns, 7 bytes */
	{ "one\ntwo", 2, 20, "one\n\n  two" },
};

TEST(text_wrap)
{
	for (size_t i = 0; i < ARRAY_SIZE(wraps); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		text_wrap(out, wraps[i].text, wraps[i].indent, wraps[i].width);
		CHECK_INT(fclose(out), 0, wraps[i].text);
		CHECK_STR(text, wraps[i].want, wraps[i].text);
		free(text);
	}
}

TEST(table_print)
{
	static const struct table_column columns[] = {
		{ "NAME", 0 }, { "SIZE", TABLE_RIGHT }, { "STATE", TABLE_WRAP }
	};
	static const char want[] = "NAME  SIZE  STATE\n"
				   "a       8G  one two three four\n"
				   "            five\n"
				   "bcd    16M\n";
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	static const char *const cells[] = { "a", "8G", "one two three four five",
					     "bcd", "16M", "" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_cell(table, "%s", cells[i]);
	CHECK_INT(table_print(table, out, 32, false), 0, "print");
	CHECK_INT(fclose(out), 0, "close");
	CHECK_STR(text, want, "table");
	free(text);
	CHECK_INT(table_print(NULL, stdout, 0, false) < 0, 1, "no table");
}

static const struct {
	const char *word, *want;
} suggestions[] = {
	{ "chek", "check" }, { "aply", "apply" },   { "stat", "status" },
	{ "plans", "plan" }, { "frobnicate", NULL }, { "x", NULL },
};

TEST(suggest)
{
	static const char *const words[] = { "check", "plan", "apply", "status" };

	for (size_t i = 0; i < ARRAY_SIZE(suggestions); i++)
		CHECK_STR(suggest(suggestions[i].word, words, ARRAY_SIZE(words)),
			  suggestions[i].want, suggestions[i].word);
}
