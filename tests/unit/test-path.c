/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/error.h"
#include "base/macro.h"
#include "base/path.h"
#include "core/config.h"

TEST(path_to_pointer)
{
	const struct path volumes = { .key = "volumes" };
	const struct path volume = { .parent = &volumes, .index = 12 };
	const struct path odd = { .parent = &volume, .key = "a/b~c" };
	const struct path empty = { .parent = &volume, .key = "" };
	static const struct {
		const char *pointer;
	} want[] = { { "" }, { "/volumes" }, { "/volumes/12" }, { "/volumes/12/a~1b~0c" },
		     { "/volumes/12/" } };
	const struct path *paths[] = { NULL, &volumes, &volume, &odd, &empty };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		_cleanup_(freep) char *pointer = path_to_pointer(paths[i]);

		CHECK_STR(pointer, want[i].pointer, want[i].pointer);
	}
}

TEST(path_of_volume)
{
	const struct volume volume = { .index = 3 };
	struct volume_path at;
	_cleanup_(freep) char *whole = path_to_pointer(volume_path(&at, &volume, NULL));
	_cleanup_(freep) char *size = path_to_pointer(volume_path(&at, &volume, "size"));

	CHECK_STR(whole, "/volumes/3", NULL);
	CHECK_STR(size, "/volumes/3/size", NULL);
}

TEST(path_in_report)
{
	const struct path at = { .key = "x" };
	struct report report = REPORT_INIT;

	CHECK_INT(report_code(&report), 0, "empty");
	CHECK_INT(report_add(&report, &at, ERANGE, "hint", "%d is too much.", 7), -ERANGE, "first");
	CHECK_INT(report_add(&report, NULL, EINVAL, NULL, "Bad."), -EINVAL, "second");
	CHECK_INT(report_code(&report), -ERANGE, "the first counts");
	CHECK_STR(report.errors[0].message, "7 is too much.", NULL);
	CHECK_STR(report.errors[0].pointer, "/x", NULL);
	CHECK_STR(report.errors[0].hint, "hint", NULL);
	report_clear(&report);
}
