/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "core/event.h"

/* These are written as they were read. */
static const char *const lines[] = {
	"{\"event\":\"begin\",\"steps\":12}",
	"{\"event\":\"step\",\"step\":3,\"state\":\"started\"}",
	"{\"event\":\"step\",\"step\":3,\"state\":\"progress\",\"done\":2,\"total\":8}",
	"{\"event\":\"step\",\"step\":3,\"state\":\"done\"}",
	"{\"event\":\"step\",\"step\":4,\"state\":\"failed\",\"error\":{\"message\":"
	"\"It is busy.\",\"hint\":\"unmount it\",\"code\":16,\"errno\":\"EBUSY\"}}",
	"{\"event\":\"step\",\"step\":5,\"state\":\"skipped\"}",
	"{\"event\":\"step\",\"step\":3,\"state\":\"undone\"}",
	"{\"event\":\"end\",\"outcome\":\"done\"}",
	"{\"event\":\"end\",\"outcome\":\"busy\"}",
	"{\"event\":\"end\",\"outcome\":\"cancelled\"}",
	"{\"event\":\"end\",\"outcome\":\"failed\",\"error\":{\"file\":\"a.json\","
	"\"pointer\":\"/volumes/0\",\"message\":\"Bad.\",\"code\":5,\"errno\":\"EIO\"}}",
};

TEST(event_round_trip)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct report report = REPORT_INIT;
		_cleanup_(event_clear) struct event event = { 0 };
		_cleanup_(freep) char *again = NULL;

		CHECK_INT(event_parse(lines[i], strlen(lines[i]), &event, &report), 0, lines[i]);
		again = event_to_json(&event);
		CHECK_STR(again, lines[i], lines[i]);
		report_clear(&report);
	}
}

static const struct {
	const char *line, *problem;
} bad[] = {
	{ "[]", "The document must be an object, not an array." },
	{ "{}", "\"event\" is missing; an event needs it." },
	{ "{\"event\":\"stop\"}", "\"event\" cannot be \"stop\"." },
	{ "{\"event\":\"begin\"}", "\"steps\" is missing from this event." },
	{ "{\"event\":\"begin\",\"steps\":1,\"step\":1}",
	  "\"step\" does not belong to this event." },
	{ "{\"event\":\"step\",\"step\":1}", "\"state\" is missing from this event." },
	{ "{\"event\":\"step\",\"step\":1,\"state\":\"failed\"}",
	  "\"error\" is missing from this event." },
	{ "{\"event\":\"step\",\"step\":1,\"state\":\"failed\",\"error\":{\"code\":0,\"message\":"
	  "\"x\"}}",
	  "\"code\" must be an integer of 1 or more, not the number 0." },
	{ "{\"event\":\"step\",\"step\":1,\"state\":\"progress\",\"done\":3,\"total\":2}",
	  "More is done than there is." },
	{ "{\"event\":\"end\",\"outcome\":\"done\",\"error\":{\"code\":1,\"message\":\"x\"}}",
	  "\"error\" does not belong to this event." },
};

TEST(event_problems)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct report report = REPORT_INIT;
		struct event event = { 0 };

		CHECK_INT(event_parse(bad[i].line, strlen(bad[i].line), &event, &report), -EINVAL,
			  bad[i].line);
		if (report.n)
			CHECK_STR(error_message(&report.errors[0]), bad[i].problem, bad[i].line);
		report_clear(&report);
	}
}
