/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "core/topology-json.h"

#define M (UINT64_C(1) << 20)
#define MANY 4

static const struct {
	const char *what;
	struct range extents[MANY];
	enum entry_fit fits[MANY];
	uint64_t device, page;
} judged[] = {
	{ "good ones", { { 2 * M, 8 * M }, { 10 * M, 4096 } }, { FIT_2M, FIT_2M }, 64 * M, 2 * M },
	{ "within huge pages", { { 3 * M, 8 * M } }, { FIT_4K }, 64 * M, 2 * M },
	{ "data itself is", { { 2 * M, 8 * M } }, { FIT_4K }, 64 * M, 4096 },
	{ "begins within a page", { { 2 * M + 512, 8 * M } }, { FIT_MISALIGNED }, 64 * M, 2 * M },
	{ "ends within a page", { { 2 * M, 8 * M + 512 } }, { FIT_MISALIGNED }, 64 * M, 2 * M },
	{ "empty", { { 2 * M, 0 }, { 2 * M, 2 * M } }, { FIT_OUTSIDE, FIT_2M }, 64 * M, 2 * M },
	{ "wraps", { { UINT64_MAX - 4095, 8192 } }, { FIT_OUTSIDE }, 64 * M, 2 * M },
	{ "ends beyond", { { 32 * M, 32 * M + 4096 } }, { FIT_OUTSIDE }, 64 * M, 2 * M },
	{ "the lower number has it", { { 8 * M, 8 * M }, { 2 * M, 8 * M }, { 2 * M, 6 * M } },
	  { FIT_2M, FIT_OVERLAP, FIT_OVERLAP }, 64 * M, 2 * M },
};

static void fill(struct partition_table *table, const struct range extents[MANY])
{
	*table = (struct partition_table){ .kind = TABLE_GPT, .usable = { M, 62 * M } };
	for (unsigned int i = 0; i < MANY; i++) {
		const struct table_entry entry = { .number = i + 1, .extent = extents[i] };

		if ((entry.extent.start || entry.extent.size) && table_add(table, &entry) < 0)
			abort();
	}
}

TEST(table_judge)
{
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		struct partition_table table;

		fill(&table, judged[i].extents);
		for (size_t j = 0; j < table.n_entries; j++)
			CHECK_INT(table_judge(&table, j, judged[i].device, judged[i].page),
				  judged[i].fits[j], judged[i].what);
		table_clear(&table);
	}
}

static const struct {
	const char *what;
	struct range extents[MANY];
	uint64_t size;
	struct range gap;
} gaps[] = {
	{ "an empty table", { { 0 } }, 8 * M, { 2 * M, 8 * M } },
	{ "all of it", { { 0 } }, 0, { 2 * M, 60 * M } },
	{ "too large", { { 0 } }, 62 * M, { 0 } },
	{ "first fit", { { 2 * M, 4 * M }, { 10 * M, 4 * M } }, 4 * M, { 6 * M, 4 * M } },
	{ "the hole is too small", { { 2 * M, 4 * M }, { 10 * M, 4 * M } }, 6 * M,
	  { 14 * M, 6 * M } },
	{ "the largest", { { 2 * M, 4 * M }, { 40 * M, 4 * M } }, 0, { 6 * M, 34 * M } },
	{ "what is odd is rounded", { { 2 * M, 4 * M + 512 } }, 2 * M, { 8 * M, 2 * M } },
	{ "the same place twice", { { 2 * M, 8 * M }, { 2 * M, 16 * M } }, 2 * M, { 18 * M, 2 * M } },
	{ "one that wraps counts for nothing", { { UINT64_MAX - 4095, 8192 } }, 2 * M,
	  { 2 * M, 2 * M } },
	{ "full", { { 0, 64 * M } }, 2 * M, { 0 } },
};

TEST(table_gap)
{
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		struct partition_table table;
		struct range gap;

		fill(&table, gaps[i].extents);
		gap = table_gap(&table, gaps[i].size, TABLE_GRAIN);
		CHECK_INT(gap.size, gaps[i].gap.size, gaps[i].what);
		CHECK_INT(gap.start, gaps[i].gap.start, gaps[i].what);
		table_clear(&table);
	}
}

TEST(table_room_after)
{
	static const struct range two[MANY] = { { 2 * M, 4 * M }, { 13 * M, 4 * M } };
	struct partition_table table;

	fill(&table, two);
	CHECK_INT(table_room_after(&table, two[0], TABLE_GRAIN), 6 * M, "to the next one");
	CHECK_INT(table_room_after(&table, two[1], TABLE_GRAIN), 45 * M, "to the end");
	CHECK_INT(table_room_after(&table, (struct range){ 60 * M, 8 * M }, TABLE_GRAIN), 0,
		  "beyond");
	table_clear(&table);
}

#define UUID "2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a0"
#define GPT                                                                    \
	"{\"kind\":\"gpt\",\"guid\":\"" UUID "1\",\"sector_size\":512,"         \
	"\"usable\":{\"start\":1048576,\"size\":62914560},"                    \
	"\"entries\":[{\"number\":1,\"start\":2097152,\"size\":4194304,\"uuid\":\"" UUID "2\"," \
	"\"type\":\"" UUID "3\",\"name\":\"os\"}],\"beyond\":2}"
#define STEP(kind, more) \
	"{\"kind\":\"" kind "\",\"region\":\"/r\",\"uuid\":\"" UUID "4\"" more "}"
#define PLACE(size) ",\"number\":1,\"extent\":{\"start\":2097152,\"size\":" size "}"

#define DISK ",\"mode\":\"fsdax\""
#define WINDOW ",\"mode\":\"devdax\",\"after_table\":" GPT
static const struct {
	const char *step, *problem;
} steps[] = {
	{ STEP("write-table", DISK ",\"before_table\":{\"kind\":\"none\"},\"after_table\":" GPT), "" },
	{ STEP("write-table", DISK ",\"before_table\":" GPT ",\"after_table\":{\"kind\":\"none\"}"), "" },
	{ STEP("write-table", ",\"after_table\":" GPT),
	  "/steps/0: A write-table step needs a sensible mode." },
	{ STEP("write-table", WINDOW ",\"users\":[{\"window\":\"a\",\"group\":\"db\"}]"), "" },
	{ STEP("write-table", WINDOW ",\"users\":[{\"group\":\"db\"}]"),
	  "/steps/0/users/0: \"window\" is missing; a user needs it." },
	{ STEP("write-table", DISK ",\"after_table\":{\"kind\":\"none\"}"),
	  "/steps/0: A write-table step needs a sensible table." },
	{ STEP("write-table", DISK ",\"after_table\":{\"kind\":\"gpt\"}"),
	  "/steps/0: A write-table step needs a sensible guid of the table." },
	{ STEP("policy", ",\"policy\":\"auto\",\"managed\":true"), "" },
	{ STEP("policy", ",\"policy\":\"me\""), "/steps/0/policy: \"policy\" cannot be \"me\"." },
	{ STEP("drop-partition", PLACE("512")), "" },
	{ STEP("add-partition", PLACE("512")), "" },
	{ STEP("map", PLACE("4194304") ",\"read_only\":true"), "" },
	{ STEP("map", PLACE("512")),
	  "/steps/0: A map step needs a sensible extent of whole pages." },
	{ STEP("remap", PLACE("512")),
	  "/steps/0: A remap step needs a sensible extent of whole pages." },
	{ STEP("unmap", PLACE("18446744073709551615")),
	  "/steps/0: A unmap step needs a sensible extent." },
	{ STEP("unmap", ""), "/steps/0: A unmap step needs a sensible number." },
};

TEST(plan_json_of_partitions)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		_cleanup_(report_clear) struct report report = REPORT_INIT;
		_cleanup_(plan_freep) struct plan *plan = NULL, *again = NULL;
		_cleanup_(freep) char *text = NULL, *have = NULL, *one = NULL, *two = NULL;

		if (asprintf(&text, "{\"plan\":1,\"digest\":\"00000000deadbeef\",\"destructive\":0,"
				    "\"steps\":[%s]}", steps[i].step) < 0)
			abort();
		(void)plan_parse(text, strlen(text), &plan, &report);
		if (report.n && asprintf(&have, "%s: %s", report.errors[0].pointer,
					 error_message(&report.errors[0])) < 0)
			abort();
		CHECK_STR(have ? have : "", steps[i].problem, steps[i].step);
		if (!plan)
			continue;
		one = plan_to_json(plan, false);
		(void)plan_parse(one, strlen(one), &again, &report);
		two = again ? plan_to_json(again, false) : NULL;
		CHECK_STR(two, one, steps[i].step);
	}
}

static const char machine[] =
	"{\"topology\":1,\"regions\":[{\"name\":\"region0\",\"path\":\"/r\",\"type\":\"pmem\","
	"\"start\":0,\"size\":67108864,\"namespaces\":[{\"name\":\"namespace0.0\",\"mode\":"
	"\"fsdax\",\"start\":0,\"size\":67108864,\"disk\":{\"policy\":\"auto\",\"managed\":true,"
	"\"table\":" GPT ",\"natives\":[{\"number\":2,\"start\":512,\"size\":512}],\"maps\":["
	"{\"number\":1,\"name\":\"pmem0p1\",\"start\":2097152,\"size\":4194304,\"read_only\":true,"
	"\"open_count\":1}]}}]}]}";

TEST(topology_with_partitions)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(topology_freep) struct topology *topology = NULL, *again = NULL;
	_cleanup_(freep) char *one = NULL, *two = NULL;
	struct disk *disk;
	uint64_t digest;

	(void)topology_parse(machine, strlen(machine), &topology, &report);
	CHECK_INT(report.n, 0, report.n ? report.errors[0].message : "problems");
	if (!topology)
		return;
	one = topology_to_json(topology, false);
	(void)topology_parse(one, strlen(one), &again, &report);
	two = again ? topology_to_json(again, false) : NULL;
	CHECK_STR(two, one, NULL);
	disk = topology->regions[0].namespaces[0].disk;
	digest = topology_digest(topology, NULL);
	disk->maps[0].open_count = 0;
	CHECK(topology_digest(topology, NULL) == digest);
	disk->maps[0].extent.size += 4096;
	CHECK(topology_digest(topology, NULL) != digest);
}
