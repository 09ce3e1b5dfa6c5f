/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char suffixes[] = "KMGTP";

int size_parse(const char *text, uint64_t *ret)
{
	uint64_t size = 0;
	const char *c = text, *suffix;

	if (*c < '0' || *c > '9')
		return -EINVAL;
	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(size, 10, &size) ||
		    __builtin_add_overflow(size, (uint64_t)(*c - '0'), &size))
			return -ERANGE;
	if (*c) {
		suffix = strchr(suffixes, *c >= 'a' ? *c - 'a' + 'A' : *c);
		if (!suffix || c[1])
			return -EINVAL;
		if (__builtin_mul_overflow(size, UINT64_C(1) << (10 * (suffix - suffixes + 1)),
					   &size))
			return -ERANGE;
	}
	*ret = size;
	return 0;
}

struct size_text size_format(uint64_t size)
{
	struct size_text ret;
	int unit = -1;

	while (size && size % 1024 == 0 && unit + 1 < (int)strlen(suffixes)) {
		size /= 1024;
		unit++;
	}
	(void)snprintf(ret.text, sizeof(ret.text), "%" PRIu64 "%.1s", size,
		       unit < 0 ? "" : suffixes + unit);
	return ret;
}

struct size_text size_format_human(uint64_t size)
{
	struct size_text ret;
	double value = (double)size;
	int unit = -1;

	while (value >= 1024 && unit + 1 < (int)strlen(suffixes)) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		(void)snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " B", size);
	else
		(void)snprintf(ret.text, sizeof(ret.text), "%.*f %ciB",
			       value == (double)(uint64_t)value ? 0 : 2, value, suffixes[unit]);
	return ret;
}

int round_up_to(uint64_t n, uint64_t step, uint64_t *ret)
{
	uint64_t rest = n % step;

	if (rest && __builtin_add_overflow(n, step - rest, &n))
		return -ERANGE;
	*ret = n;
	return 0;
}
