/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests: TEST(name) { ... } registers itself; checks print both values and go on, so that
 * one run shows all that is wrong.  The label says which line of a table it was.
 */
#ifndef DAXD_TESTS_UNIT_TEST_H
#define DAXD_TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);

void test_check(bool good, const char *text, const char *file, int line);
void test_check_int(intmax_t have, intmax_t want, const char *label, const char *text,
		    const char *file, int line);
/* NULL equals NULL only. */
void test_check_str(const char *have, const char *want, const char *label, const char *text,
		    const char *file, int line);

#define TEST(test_name)                                                        \
	static void test_##test_name(void);                                    \
	__attribute__((__constructor__)) static void register_##test_name(void) \
	{                                                                      \
		static struct test test = {                                    \
			.name = #test_name, .run = test_##test_name,           \
		};                                                             \
		test_register(&test);                                          \
	}                                                                      \
	static void test_##test_name(void)

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(have, want, label)                                           \
	test_check_int((intmax_t)(have), (intmax_t)(want), (label), #have, __FILE__, __LINE__)
#define CHECK_STR(have, want, label)                                           \
	test_check_str((have), (want), (label), #have, __FILE__, __LINE__)

#endif
