/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "base/macro.h"
#include "exec/parallel.h"

/* Plain memory on purpose: with ThreadSanitizer this finds two threads that have one job. */
static void count(void *userdata, size_t index)
{
	unsigned int *runs = userdata;

	runs[index]++;
}

TEST(parallel_run)
{
	static const size_t numbers[] = { 0, 1, 2, 32, 33, 500 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned int runs[501] = { 0 };
		size_t once = 0;

		parallel_run(count, runs, numbers[i]);
		for (size_t j = 0; j < ARRAY_SIZE(runs); j++)
			once += runs[j] == (j < numbers[i]);
		CHECK_INT(once, ARRAY_SIZE(runs), "jobs run once");
	}
}
