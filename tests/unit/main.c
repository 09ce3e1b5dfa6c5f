/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one place with state: constructors run before main() can hand anything around. */
static struct test *tests;
static bool failed;

void test_register(struct test *test)
{
	struct test **at = &tests;

	while (*at && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

void test_check(bool good, const char *text, const char *file, int line)
{
	if (good)
		return;
	failed = true;
	(void)printf("%s:%d: %s does not hold\n", file, line, text);
}

void test_check_int(intmax_t have, intmax_t want, const char *label, const char *text,
		    const char *file, int line)
{
	if (have == want)
		return;
	failed = true;
	(void)printf("%s:%d: %s: %s is %" PRIdMAX ", not %" PRIdMAX "\n", file, line,
		     label ? label : "-", text, have, want);
}

void test_check_str(const char *have, const char *want, const char *label, const char *text,
		    const char *file, int line)
{
	if (have == want || (have && want && strcmp(have, want) == 0))
		return;
	failed = true;
	(void)printf("%s:%d: %s: %s is\n  \"%s\", not\n  \"%s\"\n", file, line, label ? label : "-",
		     text, have ? have : "(null)", want ? want : "(null)");
}

/* Without arguments all tests, else those whose name begins with one of them. */
static bool is_wanted(const struct test *test, int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		if (strncmp(test->name, argv[i], strlen(argv[i])) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char *argv[])
{
	unsigned int n_passed = 0, n_failed = 0;

	for (struct test *test = tests; test; test = test->next) {
		if (!is_wanted(test, argc, argv))
			continue;
		failed = false;
		test->run();
		if (failed)
			(void)printf("FAIL %s\n", test->name);
		n_passed += !failed;
		n_failed += failed;
	}
	(void)printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
