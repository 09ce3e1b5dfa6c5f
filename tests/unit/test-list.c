/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../daxctl-ext/list-json.h"

#include "test.h"

/* As daxctl 81 has them, where that can be seen without machines of such sizes: see list.sh. */
static const struct {
	uint64_t bytes;
	const char *want;
} sizes[] = {
	{ 0, "0" },
	{ 4096, "4096" },
	{ 5119999, "5119999" },
	{ 5120000, "\"4.88 MiB (5.12 MB)\"" },
	{ 33554432, "\"32.00 MiB (33.55 MB)\"" },
	{ 1073741824, "\"1024.00 MiB (1073.74 MB)\"" },
	{ 2147483647, "\"2048.00 MiB (2147.48 MB)\"" },
	{ 2147483648, "\"2.00 GiB (2.15 GB)\"" },
	{ 2199023255551, "\"2048.00 GiB (2199.02 GB)\"" },
	{ 2199023255552, "\"2.00 TiB (2.20 TB)\"" },
	{ UINT64_MAX, "\"16777216.00 TiB (18446744.07 TB)\"" },
};

TEST(list_size_human)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK_STR(list_size_human(sizes[i].bytes).text, sizes[i].want, sizes[i].want);
}
