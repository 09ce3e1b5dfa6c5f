/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/macro.h"
#include "base/size.h"
#include "core/config.h"

static const struct {
	const char *text;
	int r;
	uint64_t size;
} sizes[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "2M", 0, 2097152 },
	{ "2m", 0, 2097152 },
	{ "16G", 0, UINT64_C(17179869184) },
	{ "1T", 0, UINT64_C(1) << 40 },
	{ "1P", 0, UINT64_C(1) << 50 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "18014398509481983K", 0, UINT64_C(18014398509481983) << 10 },
	{ "18014398509481984K", -ERANGE, 0 }, /* wraps to a plausible size */
	{ "", -EINVAL, 0 },
	{ "-2", -EINVAL, 0 },
	{ "+2", -EINVAL, 0 },
	{ " 2", -EINVAL, 0 },
	{ "2 ", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ "2MB", -EINVAL, 0 },
	{ "2MiB", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
};

TEST(size_parse)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t size = 0;

		CHECK_INT(size_parse(sizes[i].text, &size), sizes[i].r, sizes[i].text);
		CHECK_INT(size, sizes[i].size, sizes[i].text);
	}
}

static const struct {
	uint64_t size;
	const char *text, *human;
} formats[] = {
	{ 0, "0", "0 B" },
	{ 1023, "1023", "1023 B" },
	{ 1024, "1K", "1 KiB" },
	{ 1536u << 20, "1536M", "1.50 GiB" },
	{ UINT64_C(16) << 30, "16G", "16 GiB" },
	{ UINT64_MAX, "18446744073709551615", "16384 PiB" },
};

TEST(size_format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		uint64_t back = 1;

		CHECK_STR(SIZE_STR(formats[i].size), formats[i].text, formats[i].text);
		CHECK_STR(size_format_human(formats[i].size).text, formats[i].human,
			  formats[i].text);
		CHECK_INT(size_parse(formats[i].text, &back), 0, formats[i].text);
		CHECK_INT(back, formats[i].size, formats[i].text);
	}
}

static const struct {
	const char *text;
	int r;
	enum size_kind kind;
	unsigned int percent_x100;
	const char *canonical;
} specs[] = {
	{ "all", 0, SIZE_ALL, 0, "all" },
	{ "50%", 0, SIZE_PERCENT, 5000, "50%" },
	{ "12.5%", 0, SIZE_PERCENT, 1250, "12.5%" },
	{ "33.33%", 0, SIZE_PERCENT, 3333, "33.33%" },
	{ "0.01%", 0, SIZE_PERCENT, 1, "0.01%" },
	{ "100%", 0, SIZE_PERCENT, 10000, "100%" },
	{ "100.00%", 0, SIZE_PERCENT, 10000, "100%" },
	{ "4096K", 0, SIZE_BYTES, 0, "4M" },
	{ "0%", -ERANGE, 0, 0, NULL },
	{ "0.00%", -ERANGE, 0, 0, NULL },
	{ "100.01%", -ERANGE, 0, 0, NULL },
	{ "101%", -ERANGE, 0, 0, NULL },
	{ "4294967297%", -ERANGE, 0, 0, NULL }, /* wraps to 1% in 32 bits */
	{ "33.333%", -EINVAL, 0, 0, NULL },
	{ "50.%", -EINVAL, 0, 0, NULL },
	{ ".5%", -EINVAL, 0, 0, NULL },
	{ "-5%", -EINVAL, 0, 0, NULL },
	{ "50%%", -EINVAL, 0, 0, NULL },
	{ "%", -EINVAL, 0, 0, NULL },
	{ "All", -EINVAL, 0, 0, NULL },
};

TEST(size_spec_parse)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct size_spec spec = { 0 };

		CHECK_INT(size_spec_parse(specs[i].text, &spec), specs[i].r, specs[i].text);
		if (specs[i].r)
			continue;
		CHECK_INT(spec.kind, specs[i].kind, specs[i].text);
		CHECK_INT(spec.percent_x100, specs[i].percent_x100, specs[i].text);
		CHECK_STR(size_spec_format(&spec).text, specs[i].canonical, specs[i].text);
	}
}

TEST(size_round_up)
{
	uint64_t n = 0;

	CHECK_INT(round_up_to(5, 4, &n), 0, "5 by 4");
	CHECK_INT(n, 8, "5 by 4");
	CHECK_INT(round_up_to(8, 4, &n), 0, "8 by 4");
	CHECK_INT(n, 8, "8 by 4");
	CHECK_INT(round_up_to(UINT64_MAX, 4096, &n), -ERANGE, "past the end");
}
