/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "core/config.h"
#include "core/plan.h"
#include "core/scope.h"
#include "core/topology-json.h"

#define NVDIMMS "/LNXSYSTM:00/ndbus0/region0"
#define SOFT "/platform/hmem.0"
#define KEPT "/platform/hmem.1" /* where a volume stays as it is */

static const char machine[] =
	"{\"topology\":1,\"dimms\":[{\"name\":\"nmem0\",\"bus\":\"ndbus0\"}],\"regions\":["
	"{\"name\":\"region0\",\"path\":\"" NVDIMMS "\",\"type\":\"pmem\",\"start\":1073741824,"
	"\"size\":1073741824,\"dimms\":[\"nmem0\"]},"
	"{\"name\":\"hmem.0\",\"path\":\"" SOFT "\",\"type\":\"hmem\",\"start\":4294967296,"
	"\"size\":1073741824,\"available\":%d}]}";

static struct topology *parse(int available)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	struct topology *topology = NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text), machine, available);
	(void)topology_parse(text, strlen(text), &topology, &report);
	CHECK_INT(report.n, 0, report.n ? report.errors[0].message : "problems");
	return topology;
}

static int scope(bool losses, struct scope *ret)
{
	struct step steps[] = {
		{ .kind = STEP_RECORD },
		{ .kind = STEP_CREATE_DEVICE, .region = (char *)SOFT },
		{ .kind = STEP_DESTROY_NAMESPACE, .region = (char *)NVDIMMS },
		{ .kind = STEP_PUBLISH, .region = (char *)SOFT },
	};
	char *kept[] = { (char *)KEPT, (char *)SOFT };
	struct plan plan = { .steps = steps, .n_steps = ARRAY_SIZE(steps),
			     .regions = kept, .n_regions = ARRAY_SIZE(kept) };

	return scope_of_plan(&plan, losses, ret);
}

TEST(scope_of_a_plan)
{
	_cleanup_(scope_clear) struct scope all = { 0 }, losses = { 0 };
	const struct scope none = { 0 };

	CHECK_INT(scope(false, &all), 0, "all");
	CHECK_INT(all.n, 3, "all");
	CHECK(scope_has(&all, KEPT) && scope_has(&all, SOFT) && scope_has(&all, NVDIMMS) && scope_has_nd(&all));
	CHECK_INT(scope(true, &losses), 0, "losses");
	CHECK_INT(losses.n, 1, "losses");
	CHECK(!scope_has(&losses, SOFT) && scope_has(&losses, NVDIMMS));
	CHECK(scope_has(NULL, SOFT) && scope_has_nd(NULL));
	CHECK(!scope_has(&none, SOFT) && !scope_has_nd(&none));
}

/* What is out of the scope may change; what is in it may not. */
TEST(scope_digest)
{
	char *paths[] = { (char *)NVDIMMS };
	const struct scope nvdimms = { paths, 1 };
	_cleanup_(topology_freep) struct topology *before = parse(4096), *after = parse(0);

	if (!before || !after)
		return;
	CHECK(topology_digest(before, &nvdimms) == topology_digest(after, &nvdimms));
	CHECK(topology_digest(before, NULL) != topology_digest(after, NULL));
	after->dimms[0].locked = true;
	CHECK(topology_digest(before, &nvdimms) != topology_digest(after, &nvdimms));
	CHECK(topology_holders_digest(before, &nvdimms) != 0);
	CHECK(topology_holders_digest(before, &(struct scope){ 0 }) == 0);
}

/* A part that was seen later makes with the rest what would have been seen. */
static void complete(const char *path, int seen)
{
	char *paths[] = { (char *)path };
	const struct scope scope = { paths, 1 };
	struct topology *before = parse(4096);
	_cleanup_(topology_freep) struct topology *part = parse(0), *want = parse(seen);

	if (!before || !part || !want)
		return;
	for (size_t i = part->n_regions; i-- > 0;) {
		struct region *region = &part->regions[i];

		if (scope_has(&scope, region->path))
			continue;
		region_clear(region);
		ARRAY_REMOVE(part->regions, part->n_regions, region);
	}
	while (!scope_has(&scope, NVDIMMS) && part->n_dimms)
		dimm_clear(&part->dimms[--part->n_dimms]);
	CHECK_INT(topology_complete(part, before, &scope), 0, path);
	CHECK_INT(part->n_regions, 2, path);
	CHECK(topology_digest(part, NULL) == topology_digest(want, NULL));
	topology_free_lender(before, part);
	CHECK(topology_digest(part, NULL) == topology_digest(want, NULL));
}

TEST(scope_completed)
{
	complete(SOFT, 0);
	complete(NVDIMMS, 4096);
}

static const char divided[] =
	"{\"topology\":1,\"regions\":["
	"{\"name\":\"region0\",\"path\":\"" NVDIMMS "\",\"type\":\"pmem\",\"labels\":\"valid\","
	"\"start\":4294967296,\"size\":2147483648,\"align\":16777216,\"aligns\":[2097152],"
	"\"namespaces\":[{\"name\":\"namespace0.0\",\"label\":\"a\",\"mode\":\"devdax\","
	"\"uuid\":\"9c1e5b9a-6a0b-4a5f-8d6a-1d9c6a8b7c01\",\"start\":4294967296,"
	"\"size\":1073741824,\"usable\":1054867456,\"align\":2097152,\"map\":\"dev\","
	"\"enabled\":true,\"claim\":\"dax0.0\",\"device\":{\"name\":\"dax0.0\","
	"\"size\":1054867456,\"align\":2097152,\"driver\":\"device_dax\","
	"\"table\":{\"kind\":\"gpt\",\"sector_size\":512,"
	"\"usable\":{\"start\":1048576,\"size\":1052770304},"
	"\"entries\":[{\"number\":1,\"start\":2097152,\"size\":2097152,"
	"\"uuid\":\"0b8f3c52-1d60-4e7c-9a11-000000000001\","
	"\"type\":\"0fc63daf-8483-4772-8e79-3d69d8477de4\",\"name\":\"old\"}]}}}]},"
	"{\"name\":\"region1\",\"path\":\"" NVDIMMS "1\",\"type\":\"pmem\","
	"\"labels\":\"valid\",\"start\":8589934592,\"size\":2147483648}]}";

/* How many regions a plan is about that wants this partition. */
static size_t regions_of(const char *partition)
{
	static const char volume[] =
		"{\"daxd\":1,\"volumes\":[{\"name\":\"a\",\"region\":{\"type\":\"pmem\"},"
		"\"mode\":\"devdax\",\"size\":\"1G\",\"partitions\":[%s]}]}";
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	struct plan *plan = NULL;
	char text[1024];
	size_t n;

	(void)snprintf(text, sizeof(text), volume, partition);
	(void)topology_parse(divided, strlen(divided), &topology, &report);
	(void)config_parse(text, strlen(text), NULL, &config, &report);
	if (topology && config)
		(void)plan_build(config, topology, &plan, &report);
	CHECK_INT(report.n, 0, report.n ? report.errors[0].message : "problems");
	n = plan ? plan->n_regions : 0;
	plan_free(plan);
	return n;
}

/* The name of a window that comes must be nobody else's until it is there. */
TEST(scope_of_names)
{
	CHECK_INT(regions_of("{\"name\":\"old\",\"size\":\"4M\"}"), 1, "one that grows");
	CHECK_INT(regions_of("{\"name\":\"old\",\"ensure\":\"absent\"}"), 1, "one that goes");
	CHECK_INT(regions_of("{\"name\":\"new\",\"size\":\"4M\"}"), 2, "one that comes");
}
