/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "core/topology-json.h"

#define TOPOLOGY(regions) "{\"topology\":1,\"regions\":[" regions "]}"
#define REGION(name, type, start, rest)                                        \
	"{\"name\":\"" name "\",\"path\":\"/platform/" name "\",\"type\":\"" type "\"" \
	",\"start\":" start \
	",\"size\":1073741824" rest "}"
#define NAMESPACE(name, start, rest)                                           \
	"{\"name\":\"" name "\",\"mode\":\"devdax\",\"start\":" start ",\"size\":268435456" rest "}"

static struct topology *parse(const char *text, struct report *report)
{
	struct topology *topology = NULL;

	(void)topology_parse(text, strlen(text), &topology, report);
	return topology;
}

static const struct {
	const char *text, *problem; /* the first one; "" none */
} documents[] = {
	{ TOPOLOGY(""), "" },
	{ TOPOLOGY(REGION("r0", "pmem", "1073741824", "")), "" },
	{ "{\"topology\":2,\"regions\":[]}",
	  "/topology: \"topology\" must be the number 1 (the only version "
	  "there is), not the number "
	  "2." },
	{ "{\"topology\":1,\"regions\":[],\"memory_block_size\":3}",
	  "/memory_block_size: 3 is not a power of two." },
	{ TOPOLOGY(REGION("r0", "pmem", "18446744073709551615", "")),
	  "/regions/0: The range at 0xffffffffffffffff of 1073741824 bytes "
	  "is empty or goes past the "
	  "end of 64 bits." },
	{ TOPOLOGY(REGION("r0", "pmem", "18446744073709551616", "")),
	  "/regions/0/start: \"start\" must be an integer of up to 64 bits, not the number "
	  "18446744073709551616." },
	{ TOPOLOGY(REGION("r0", "pmem", "0", "") "," REGION("r0", "pmem", "2147483648", "")),
	  "/regions/1/name: \"r0\" is there already." },
	{ TOPOLOGY(REGION("r0", "pmem", "0",
			  ",\"namespaces\":[" NAMESPACE("n0", "1073741824", "") "]")),
	  "/regions/0/namespaces/0: The range 0x40000000-0x4fffffff does not lie in its region." },
	{ TOPOLOGY(REGION("r0", "pmem", "0",
			  ",\"namespaces\":[" NAMESPACE("n0", "134217728", "") ","
			  NAMESPACE("n1", "0", "") "]")),
	  "/regions/0/namespaces/0: The range 0x8000000-0x17ffffff overlaps "
	  "another of its region." },
	{ TOPOLOGY(REGION("r0", "pmem", "0",
			  ",\"namespaces\":[" NAMESPACE("n0", "0", ",\"align\":3000") "]")),
	  "/regions/0/namespaces/0/align: The alignment 3000 is not a power of two." },
	{ TOPOLOGY(REGION("h0", "hmem", "0",
			  ",\"devices\":[{\"name\":\"dax0.0\",\"size\":4096,\"ranges\":"
			  "[{\"start\":0,\"size\":8192}]}]")),
	  "/regions/0/devices/0/ranges: The size is not what its ranges add up to." },
	{ TOPOLOGY(REGION("h0", "hmem", "0", ",\"namespaces\":[" NAMESPACE("n0", "0", "") "]")),
	  "/regions/0: A dynamic region has no namespaces." },
	{ TOPOLOGY(REGION("r0", "pmem", "0", ",\"devices\":[{\"name\":\"dax0.0\"}]")),
	  "/regions/0: A pmem region has its devices in namespaces." },
};

TEST(topology_problems)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct report report = REPORT_INIT;
		_cleanup_(topology_freep) struct topology *topology =
			parse(documents[i].text, &report);
		_cleanup_(freep) char *have = NULL;

		if (report.n &&
		    asprintf(&have, "%s: %s", report.errors[0].pointer,
			     error_message(&report.errors[0])) < 0)
			abort();
		CHECK_STR(have ? have : "", documents[i].problem, documents[i].text);
		CHECK_INT(topology != NULL, report.n == 0, documents[i].text);
		report_clear(&report);
	}
}

TEST(topology_defaults)
{
	static const char text[] = TOPOLOGY(
		REGION("h0", "hmem", "4294967296",
		       ",\"numa\":1,\"target_node\":2,\"devices\":[{\"name\":\"dax1.0\"},"
		       "{\"name\":\"dax1.1\",\"ranges\":[{\"start\":429496729"
		       "6,\"size\":4194304}]}]")
		"," REGION("r0", "pmem", "0",
			   ",\"ways\":3,\"namespaces\":[" NAMESPACE("n0", "0", "") "]"));
	struct report report = REPORT_INIT;
	_cleanup_(topology_freep) struct topology *topology = parse(text, &report);
	const struct region *pmem, *hmem;

	CHECK_INT(report.n, 0, "problems");
	if (!topology)
		return;
	pmem = &topology->regions[0]; /* sorted by type */
	hmem = &topology->regions[1];
	CHECK_INT(topology->memory_block_size, 128 << 20, "memory_block_size");
	CHECK_INT(pmem->align, 48 << 20, "align of three ways");
	CHECK_INT(pmem->available, 768 << 20, "available");
	CHECK_INT(pmem->id, -1, "id");
	CHECK_INT(pmem->target_node, -1, "target_node");
	CHECK_INT(pmem->enabled, true, "enabled");
	CHECK_INT(pmem->namespaces[0].size, 256 << 20, "usable");
	CHECK_INT(pmem->namespaces[0].align, 2 << 20, "align of a namespace");
	CHECK_INT(pmem->namespaces[0].map, MAP_DEV, "map");
	CHECK_INT(hmem->align, 2 << 20, "align of a dynamic region");
	CHECK_INT(hmem->available, (1 << 30) - (4 << 20), "available");
	CHECK_INT(hmem->devices[0].size, 0, "seed");
	CHECK_INT(hmem->devices[0].driver, DRIVER_NONE, "seed");
	CHECK_INT(hmem->devices[1].size, 4 << 20, "size of the ranges");
	CHECK_INT(hmem->devices[1].driver, DRIVER_DEVICE_DAX, "driver");
	CHECK_INT(hmem->devices[1].target_node, 2, "as its region");
	CHECK_INT(hmem->devices[1].numa, 1, "as its region");
}

/* One of everything. */
static const char everything[] =
	"{\"topology\":1,\"seed\":\"6f0c3f50-8c0e-4a4e-9a50-7d0c0f3a1b2c\",\""
	"auto_online\":\"offline\","
	"\"dimms\":[{\"name\":\"nmem0\",\"id\":\"8089-a2\",\"bus\":\"ndbus0\",\"handle\":1,"
	"\"locked\":true,\"labels\":\"valid\"}],\"regions\":["
	"{\"name\":\"region0\",\"path\":\"/platform/n/region0\",\"provider\":\""
	"ACPI.NFIT\",\"type\":"
	"\"pmem\",\"id\":0,\"uuid\":\"2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a00\",\"cookie\":"
	"\"0xffffffffffffffff\",\"start\":0,\"size\":1073741824,\"dimms\":[\"nmem0\"],"
	"\"labels\":\"valid\",\"namespaces\":[{\"name\":\"namespace0.0\",\"la"
	"bel\":\"vm-\\u00e4\\n\","
	"\"uuid\":\"2F6D0A9E-4F43-5D3C-8C8A-0A6E1F1F0A01\",\"info_uuid\":"
	"\"2f6d0a9e-4f43-5d3c-8c8a-0a6e1f1f0a02\",\"mode\":\"devdax\",\"start\""
	":0,\"size\":268435456,"
	"\"usable\":264241152,\"map\":\"dev\",\"device\":{\"name\":\"dax0.0\""
	",\"ranges\":[{\"start\":"
	"4194304,\"size\":264241152}],\"node\":{\"owner\":\"root\",\"group\":\""
	"kvm\",\"perm\":\"0660\"},"
	"\"holders\":[{\"kind\":\"process\",\"name\":\"qemu\",\"pid\":42}]}},{\"name\":"
	"\"namespace0.1\",\"mode\":\"sector\",\"sector_size\":4096,\"start\":"
	"268435456,\"size\":268435456,"
	"\"enabled\":false,\"blockdev\":\"pmem0.1s\",\"holders\":[{\"kind\":\""
	"mount\",\"name\":\"/srv\"}]"
	"}]},{\"name\":\"hmem.0\",\"path\":\"/platform/hmem.0\",\"type\":\"hm"
	"em\",\"start\":4294967296,"
	"\"size\":1073741824,\"devices\":[{\"name\":\"dax1.0\",\"driver\":\"k"
	"mem\",\"ranges\":[{\"start\":"
	"4294967296,\"size\":268435456}],\"blocks\":[{\"number\":33,\"state\""
	":\"offline\"},{\"number\":32,"
	"\"state\":\"online\",\"zone\":\"normal\"}]},{\"name\":\"dax1.1\",\"driver\":\"other\","
	"\"driver_name\":\"fsdev_dax\",\"size\":0}]}],\"records\":[{\"volume\":\"far\",\"mode\":"
	"\"system-ram\",\"ranges\":[{\"start\":4294967296,\"size\":268435456}]}]}";

TEST(topology_round_trip)
{
	for (int indent = 0; indent < 2; indent++) {
		struct report report = REPORT_INIT;
		_cleanup_(topology_freep) struct topology *topology = parse(everything, &report);
		_cleanup_(topology_freep) struct topology *again = NULL;
		_cleanup_(freep) char *first = NULL, *second = NULL;

		CHECK_INT(report.n, 0, report.n ? report.errors[0].message : "problems");
		if (!topology)
			return;
		first = topology_to_json(topology, indent);
		again = parse(first, &report);
		CHECK_INT(report.n, 0, report.n ? report.errors[0].message : "problems");
		if (!again)
			return;
		second = topology_to_json(again, indent);
		CHECK_STR(second, first, NULL);
		CHECK(topology_digest(again, NULL) == topology_digest(topology, NULL));
	}
}

TEST(topology_digest)
{
	struct report report = REPORT_INIT;
	_cleanup_(topology_freep) struct topology *topology = parse(everything, &report);
	struct namespace *ns;
	uint64_t digest;

	CHECK(topology != NULL);
	if (!topology)
		return;
	digest = topology_digest(topology, NULL);
	ns = &topology->regions[0].namespaces[1];
	holder_list_clear(&ns->holders);
	CHECK(topology_digest(topology, NULL) == digest);
	ns->enabled = true;
	CHECK(topology_digest(topology, NULL) != digest);
}
