/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "base/macro.h"
#include "base/text.h"

static const struct {
	const char *text, *clean;
} names[] = {
	{ "plain name", "plain name" },
	{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "", "?" },
	{ "\xff", "?" },
	{ "/mnt/B\xe4r", "/mnt/B?r" }, /* Latin-1 */
	{ "a\x1b[2Jb\nc\x7f", "a?[2Jb?c?" },
	{ "a\xc2\x9b" "2J", "a??2J" }, /* U+009B, which begins a sequence as ESC [ does */
	{ "cut \xe2\x82", "cut ??" },
	{ "\xc0\xaf", "??" },
	{ "\xed\xa0\x80", "???" },
	{ "\xf4\x90\x80\x80", "????" },
};

TEST(text_clean)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(freep) char *clean = text_clean(names[i].text);

		CHECK_STR(clean, names[i].clean, names[i].text);
	}
}
