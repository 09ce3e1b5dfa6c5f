/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "core/plan.h"

#define PLAN(destructive, steps)                                               \
	"{\"plan\":1,\"digest\":\"00000000deadbeef\",\"destructive\":" destructive "" \
	",\"steps\":[" steps \
	"],\"drift\":[{\"volume\":\"a\",\"attribute\":\"size\",\"have\":\"1G\",\"want\":\"2G\"}]}"
#define BIND "{\"kind\":\"bind\",\"region\":\"/r\",\"start\":4294967296,\"driver\":\"kmem\""
#define PUBLISH(link) \
	"{\"kind\":\"publish\",\"region\":\"/r\",\"start\":1,\"access\":{\"link\":\"" link "\"}}"
#define DESTROY                                                                \
	"{\"kind\":\"destroy-namespace\",\"destructive\":true,\"region\":\"/r\"" \
	",\"uuid\":" \
	"\"2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a01\"}"

static const struct {
	const char *text, *problem; /* the first one; "" none */
} plans[] = {
	{ PLAN("0", ""), "" },
	{ PLAN("1", DESTROY "," BIND ",\"after\":[0]}"), "" },
	{ PLAN("0", DESTROY), "/destructive: 1 steps lose data, not 0." },
	{ PLAN("0", BIND ",\"after\":[0]}"),
	  "/steps/0/after/0: Step 0 cannot come after step 0." },
	{ PLAN("0", BIND ",\"after\":[-1]}"),
	  "/steps/0/after/0: Element 0 must be an integer of up to 64 bits, not the number -1." },
	{ PLAN("0", BIND ",\"describe\":\"nothing much\"}"),
	  "/steps/0/describe: The description does not fit the step, which is"
	  ": bind in r: to kmem." },
	{ PLAN("0", "{\"kind\":\"bind\",\"region\":\"/r\",\"start\":4096}"),
	  "/steps/0: A bind step needs a sensible driver." },
	{ PLAN("0", PUBLISH("vm-a")), "/steps/0: A publish step needs a sensible link." },
	{ PLAN("0", PUBLISH("/dev/dax/by-name/")), "/steps/0: A publish step needs a sensible link." },
	{ PLAN("0", PUBLISH("/dev/dax/by-name/..")),
	  "/steps/0: A publish step needs a sensible link." },
	{ PLAN("0", PUBLISH("/dev/dax/by-name/a/b")),
	  "/steps/0: A publish step needs a sensible link." },
	{ PLAN("0", PUBLISH("/dev/pmem/by-name/a.b-c_1")), "" },
	{ PLAN("0", "{\"kind\":\"bid\"}"), "/steps/0/kind: \"kind\" cannot be \"bid\"." },
	{ PLAN("0", BIND ",\"ranges\":[{\"start\":18446744073709551615,\"size\":2}]}"),
	  "/steps/0/ranges/0: The range at 0xffffffffffffffff of 2 bytes is empty or goes past the "
	  "end of 64 bits." },
	{ "{\"plan\":1,\"digest\":\"DEADBEEF\",\"destructive\":0,\"steps\":[]}",
	  "/digest: \"digest\" must be 16 hexadecimal digits in small letters, not the string "
	  "\"DEADBEEF\"." },
};

TEST(plan_json_problems)
{
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		struct report report = REPORT_INIT;
		_cleanup_(plan_freep) struct plan *plan = NULL;
		_cleanup_(freep) char *have = NULL;

		(void)plan_parse(plans[i].text, strlen(plans[i].text), &plan, &report);
		if (report.n && asprintf(&have, "%s: %s", report.errors[0].pointer,
					 error_message(&report.errors[0])) < 0)
			abort();
		CHECK_STR(have ? have : "", plans[i].problem, plans[i].text);
		CHECK_INT(plan != NULL, report.n == 0, plans[i].text);
		report_clear(&report);
	}
}

/* Steps with every member there is. */
TEST(plan_json_round_trip)
{
	static const char text[] = PLAN(
		"1",
		"{\"kind\":\"create-namespace\",\"volume\":\"a\",\"region\":\"/r\",\"object\":"
		"\"namespace0.1\",\"reason\":\"the volume is new\",\"uuid\":"
		"\"2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a01\",\"info_uuid\":"
		"\"2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a02\",\"label\":\"a\",\"m"
		"ode\":\"fsdax\",\"map\":"
		"\"mem\",\"size\":1073741824,\"align\":2097152}," DESTROY ","
		"{\"kind\":\"record\",\"region\":\"/h\",\"label\":\"b\",\"record_mode\":\"devdax\","
		"\"ranges\":[{\"start\":0,\"size\":4096},{\"start\":8192,\"size\":4096}]},"
		BIND ",\"after\":[0,2]},"
		"{\"kind\":\"online-memory\",\"region\":\"/h\",\"start\":4096"
		",\"zone\":\"movable\"},"
		"{\"kind\":\"publish\",\"region\":\"/h\",\"start\":4096,\"access\":{\"link\":"
		"\"/dev/dax/by-name/a\",\"owner\":\"root\",\"group\":\"kvm\",\"perm\":\"0000\"}}");

	for (int indent = 0; indent < 2; indent++) {
		_cleanup_(plan_freep) struct plan *plan = NULL, *again = NULL;
		_cleanup_(freep) char *first = NULL, *second = NULL;
		struct report report = REPORT_INIT;

		(void)plan_parse(text, strlen(text), &plan, &report);
		CHECK_STR(report.n ? error_message(&report.errors[0]) : NULL, NULL, "first");
		if (!plan)
			return;
		CHECK_INT(plan->n_steps, 6, "steps");
		CHECK_INT(plan->digest, 0xdeadbeef, "digest");
		CHECK_INT(plan->steps[3].n_after, 2, "after");
		CHECK_INT(plan->steps[5].has_perm, true, "perm 0000 is a permission");
		first = plan_to_json(plan, indent);
		(void)plan_parse(first, strlen(first), &again, &report);
		CHECK_STR(report.n ? error_message(&report.errors[0]) : NULL, NULL, "second");
		if (!again)
			return;
		second = plan_to_json(again, indent);
		CHECK_STR(second, first, NULL);
	}
}
