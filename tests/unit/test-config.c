/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "core/config.h"

/* All there is to say, one "pointer: sentence" a line. */
static char *problems(const char *text)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct report report = REPORT_INIT;
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	if (config_parse(text, strlen(text), NULL, &config, &report) == 0)
		(void)config_check(config, &report);
	for (size_t i = 0; i < report.n; i++)
		(void)fprintf(out, "%s: %s\n", report.errors[i].pointer,
			      error_message(&report.errors[i]));
	report_clear(&report);
	(void)fclose(out);
	return lines;
}

#define DOCUMENT(volumes) "{\"daxd\":1,\"volumes\":[" volumes "]}"
#define VOLUME(rest) "{\"name\":\"a\",\"region\":{\"numa\":0}," rest "}"
#define DEVDAX(rest) VOLUME("\"mode\":\"devdax\"," rest)
#define RAM(rest) VOLUME("\"mode\":\"system-ram\"," rest)

/* The golden cases show all the sentences; here are the rules. */
static const struct {
	const char *text, *problems;
} documents[] = {
	{ DOCUMENT(""), "" },
	{ DOCUMENT(DEVDAX("\"size\":\"16G\"")), "" },
	{ DOCUMENT(DEVDAX("\"size\":17179869184")), "" },
	{ DOCUMENT(DEVDAX("\"size\":\"12.5%\",\"align\":2097152,\"contiguous\":true")), "" },
	{ DOCUMENT(DEVDAX("\"ranges\":[\"0x0-0xfff\",\"0x1000-0x1fff\"]")), "" },
	{ DOCUMENT(RAM("\"size\":\"all\",\"persist\":\"kmem\",\"online\":false")), "" },
	{ DOCUMENT("{\"name\":\"a\",\"ensure\":\"absent\"}"), "" },
	{ DOCUMENT("{\"name\":\"a\",\"ensure\":\"absent\",\"region\":{\"type\":\"cxl\"}}"), "" },
	{ DOCUMENT(VOLUME("\"mode\":\"fsdax\",\"size\":\"4G\",\"partitions\":[{\"name\":\"x\","
			  "\"size\":\"1G\"},{\"name\":\"y\",\"size\":\"all\"}]")),
	  "" },
	{ DOCUMENT(RAM("\"size\":\"all\"")),
	  "/volumes/0: \"persist\" is missing; mode system-ram needs it.\n" },
	{ DOCUMENT(RAM("\"size\":\"all\",\"persist\":\"disk\"")),
	  "/volumes/0/persist: \"persist\" cannot be \"disk\".\n" },
	{ DOCUMENT(DEVDAX("\"size\":\"5M\",\"align\":\"2M\"")),
	  "/volumes/0/size: 5M is not a multiple of the alignment 2M.\n" },
	/* An alignment that is none is told once. */
	{ DOCUMENT(DEVDAX("\"size\":\"5M\",\"align\":\"3M\"")),
	  "/volumes/0/align: 3M is not an alignment: it is 4K, 2M or 1G.\n" },
	/* What cannot be read leads to no other problem, and hides none. */
	{ DOCUMENT(VOLUME("\"mode\":\"dax\",\"size\":\"1X\",\"zone\":\"movable\"")),
	  "/volumes/0/mode: \"dax\" is not a mode.\n"
	  "/volumes/0/size: \"1X\" is not a size.\n" },
	{ DOCUMENT(RAM("\"size\":true")),
	  "/volumes/0/size: \"size\" must be a string such as \"16G\", \"50%\" or \"all\", or an "
	  "integer of bytes, not true.\n"
	  "/volumes/0: \"persist\" is missing; mode system-ram needs it.\n" },
	{ DOCUMENT(DEVDAX("\"size\":\"1G\"") "," DEVDAX("\"size\":\"1G\"")),
	  "/volumes/1/name: Volume 0 has the same name \"a\".\n" },
	{ DOCUMENT(DEVDAX("\"ranges\":[\"0x0-0x1fff\",\"0x1000-0x2fff\"]")),
	  "/volumes/0/ranges/1: The range 0x1000-0x2fff overlaps 0x0-0x1fff of volume 0.\n" },
	{ DOCUMENT(DEVDAX("\"size\":18446744073709551616")),
	  "/volumes/0/size: 18446744073709551616 does not fit 64 bits.\n" },
	{ DOCUMENT(DEVDAX("\"size\":\"1G\",\"owner\":\"4294967295\"")),
	  "/volumes/0/owner: \"4294967295\" is not the name or number of an account.\n" },
	{ DOCUMENT(DEVDAX("\"size\":\"1G\",\"perm\":\"1777\"")),
	  "/volumes/0/perm: \"perm\" must be octal permissions from \"0000\" to \"0777\", not the "
	  "string \"1777\".\n" },
};

TEST(config_problems)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		_cleanup_(freep) char *have = problems(documents[i].text);

		CHECK_STR(have, documents[i].problems, documents[i].text);
	}
}

static const struct {
	const char *size, *hint;
} hints[] = {
	{ "\"16GB\"", "did you intend \"16G\"?" },
	{ "\"16 GiB\"", "did you intend \"16G\"?" },
	{ "\"2Gi\"", "did you intend \"2G\"?" },
	{ "\"1.5G\"", "did you intend \"1536M\"?" },
	{ "\"1,5G\"", "did you intend \"1536M\"?" },
	{ "\"0.5T\"", "did you intend \"512G\"?" },
	{ "\"50 %\"", "did you intend \"50%\"?" },
	{ "\"All\"", "did you intend \"all\"?" },
	{ "\"max\"", "did you intend \"all\"?" },
	{ "1e9", "did you intend 1000000000?" },
	{ "\"-1\"", "a size is not negative; \"all\" takes what is free" },
	{ "\"16\"", "a number without a unit is bytes; did you intend \"16M\" or \"16G\"?" },
	{ "\"3K\"", "did you intend \"4K\"?" },
	{ "4097", "did you intend \"4K\" or \"8K\"?" },
};

TEST(config_size_hints)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		_cleanup_(config_freep) struct config *config = NULL;
		struct report report = REPORT_INIT;
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "{\"daxd\":1,\"volumes\":[{\"name\":\"a\",\"region\":{\"numa\":0},"
			       "\"mode\":\"devdax\",\"size\":%s}]}",
			       hints[i].size);
		if (config_parse(text, strlen(text), NULL, &config, &report) == 0)
			(void)config_check(config, &report);
		CHECK_INT(report.n, 1, hints[i].size);
		if (report.n)
			CHECK_STR(report.errors[0].hint, hints[i].hint, hints[i].size);
		report_clear(&report);
	}
}

TEST(config_values)
{
	static const char text[] = DOCUMENT(
		"{\"name\":\"far\",\"region\":{\"type\":\"hmem\",\"target_node\":2,"
		"\"range\":\"0x100000000-0x13fffffff\"},\"mode\":\"system-ram\","
		"\"persist\":\"kmem\",\"ranges\":[\"0x100000000-0x10fffffff\"]}");
	_cleanup_(config_freep) struct config *config = NULL;
	struct report report = REPORT_INIT;
	const struct volume *volume;

	CHECK_INT(config_parse(text, strlen(text), NULL, &config, &report), 0, "parse");
	if (!config)
		return;
	volume = &config->volumes[0];
	CHECK_STR(volume->name, "far", NULL);
	CHECK_INT(volume->region.has_type, true, "type");
	CHECK_INT(volume->region.type, REGION_HMEM, "type");
	CHECK_INT(volume->region.has_numa, false, "numa");
	CHECK_INT(volume->region.target_node, 2, "target_node");
	CHECK_INT(volume->region.range.start, 0x100000000, "range");
	CHECK_INT(volume->region.range.size, 0x40000000, "range");
	CHECK_INT(volume->zone, ZONE_MOVABLE, "default zone");
	CHECK_INT(volume->online, true, "default online");
	CHECK_INT(volume->size.kind, SIZE_BYTES, "size of the ranges");
	CHECK_INT(volume->size.bytes, 0x10000000, "size of the ranges");
}

TEST(config_round_trip)
{
	static const char *const texts[] = {
		DOCUMENT(""),
		DOCUMENT(DEVDAX("\"size\":\"33.33%\",\"align\":\"1G\",\"contiguous\":true,"
				"\"map\":\"mem\",\"owner\":\"root\",\"group\":\"kvm\","
				"\"perm\":\"0640\",\"uuid\":"
				"\"8A1E2C4F-0F5E-4D3A-9A70-2C1E5B7D9F10\"")),
		DOCUMENT(RAM("\"size\":\"all\",\"persist\":\"blk\",\"zone\":\"normal\","
			     "\"online\":false")),
		DOCUMENT("{\"name\":\"b\",\"ensure\":\"absent\",\"region\":{\"type\":\"pmem\","
			 "\"numa\":1,\"target_node\":2,\"path\":\"/platform/x\",\"provider\":"
			 "\"ACPI.NFIT\",\"range\":\"0x0-0xfff\"}}"),
		DOCUMENT(VOLUME("\"mode\":\"fsdax\",\"ranges\":[\"0x0-0xfff\",\"0x2000-0x2fff\"],"
				"\"partitions\":[{\"name\":\"x\",\"size\":\"50%\"}]")),
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(config_freep) struct config *config = NULL, *again = NULL;
		_cleanup_(freep) char *first = NULL, *second = NULL;
		struct report report = REPORT_INIT;

		CHECK_INT(config_parse(texts[i], strlen(texts[i]), NULL, &config, &report), 0, texts[i]);
		if (!config)
			continue;
		first = config_to_json(config);
		CHECK_INT(config_parse(first, strlen(first), NULL, &again, &report), 0, first);
		if (!again)
			continue;
		second = config_to_json(again);
		CHECK_STR(second, first, texts[i]);
		report_clear(&report);
	}
}

TEST(config_supported)
{
	static const char text[] =
		DOCUMENT(RAM("\"size\":\"all\",\"persist\":\"blk\""));
	_cleanup_(config_freep) struct config *config = NULL;
	struct report report = REPORT_INIT;

	CHECK_INT(config_parse(text, strlen(text), NULL, &config, &report), 0, "parse");
	if (!config)
		return;
	CHECK_INT(config_check(config, &report), 0, "check");
	CHECK_INT(config_supported(config, &report), -EOPNOTSUPP, "supported");
	CHECK_INT(report.n, 1, "one a use");
	report_clear(&report);
}
