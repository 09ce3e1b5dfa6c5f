/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agree: run every case on the kernel and on a simulation that starts as the machine is, and
 * compare what both answer and what both have become.  To be run as root in the test machine:
 * it destroys what is there.
 */
#include "agree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/identity.h"
#include "core/topology-json.h"
#include "exec/backend.h"
#include "tests/essence.h"

#define STATE_FILE "/run/agree-state.json"

struct rig {
	struct backend *kernel, *sim;
	unsigned int passed, failed;
};

static void die(const char *what, const struct error *error)
{
	(void)fprintf(stderr, "agree: %s: %s\n", what, error ? error_message(error) : "");
	exit(1);
}

static struct topology *scan(struct backend *backend)
{
	struct error error = ERROR_INIT;
	struct topology *topology;

	if (backend_scan(backend, &topology, &error) < 0)
		die("cannot scan", &error);
	return topology;
}

static const struct region *find_region(const struct topology *topology, enum which which)
{
	const struct region *found = NULL;

	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		if (which == SMALL_HMEM && region->type == REGION_HMEM &&
		    (!found || region->range.size < found->range.size))
			found = region;
		if (which == PLAIN_PMEM && region->type == REGION_PMEM &&
		    region->labels == LABELS_NONE)
			return region;
		/* The first pmem region in address order has a label area. */
		if (which == BLANK_PMEM && region->type == REGION_PMEM && !found)
			found = region;
	}
	if (!found)
		die("this machine lacks a region that the cases need", NULL);
	return found;
}

static void fill_namespace(const struct agree_case *c, struct step *step)
{
	char name[32];

	if (c->ns) {
		(void)snprintf(name, sizeof(name), "agree%u", c->ns);
		step->uuid = volume_uuid(&(struct uuid){ "" }, name, MODE_DEVDAX);
		step->label = strdup(name);
	}
	step->info_uuid = uuid_derive(&step->uuid, step_kind_word(c->kind));
	step->mode = c->mode;
	step->map = c->map;
	step->size = c->size;
}

/* Entries of 8M each, one behind another; 0: no table. */
static void fill_table(struct partition_table *table, unsigned int n)
{
	*table = (struct partition_table){ .sector_size = 512 };
	if (!n)
		return;
	table->kind = TABLE_GPT;
	table->guid = uuid_derive(&(struct uuid){ "" }, "disk");
	for (unsigned int i = 1; i <= n; i++) {
		char name[32];
		struct table_entry entry = {
			.number = i,
			.extent = { (8 * i - 6) * MIB, 8 * MIB },
			.name = name,
		};

		(void)snprintf(name, sizeof(name), "entry %u", i);
		entry.uuid = uuid_derive(&table->guid, name);
		(void)partition_type_from_word("linux", &entry.type); /* it is one */
		if (table_add(table, &entry) < 0)
			die("memory ran out", NULL);
	}
}

static void fill_partition(const struct agree_case *c, struct step *step)
{
	step->number = c->number;
	step->extent = c->extent;
	step->policy = c->policy;
	step->managed = c->managed;
	if (c->kind != STEP_WRITE_TABLE)
		return;
	step->mode = NAMESPACE_FSDAX;
	fill_table(&step->before_table, c->before);
	fill_table(&step->after_table, c->after);
}

static struct step make_step(const struct agree_case *c, const struct region *region)
{
	struct step step = { .kind = c->kind, .align = c->align, .driver = c->driver,
			     .zone = c->zone };

	step.access.link = c->link ? strdup(c->link) : NULL;
	step.access.group = c->group ? strdup(c->group) : NULL;
	step.access.perm = c->perm;
	step.has_perm = c->perm != 0;
	step.region = strdup(region->path);
	step.start = region->range.start + c->start;
	for (size_t i = 0; i < ARRAY_SIZE(c->ranges) && c->ranges[i].size; i++) {
		struct range range = c->ranges[i];

		range.start += region->range.start;
		(void)range_list_add(&step.ranges, range);
	}
	if (c->which != SMALL_HMEM)
		fill_namespace(c, &step);
	fill_partition(c, &step);
	return step;
}

static void print_difference(const char *kernel, const char *sim)
{
	FILE *a = fopen("/run/agree-kernel", "w"), *b = fopen("/run/agree-sim", "w");

	if (!a || !b)
		die("cannot write /run", NULL);
	(void)fputs(kernel, a);
	(void)fputs(sim, b);
	(void)fclose(a);
	(void)fclose(b);
	(void)fflush(stdout);
	(void)execl("/usr/bin/diff", "diff", "-U4", "/run/agree-kernel", "/run/agree-sim",
		    (char *)NULL);
}

static bool same_state(struct rig *rig)
{
	struct topology *kernel = scan(rig->kernel), *sim = scan(rig->sim);
	char *have = topology_essence(kernel), *want = topology_essence(sim);
	bool same = strcmp(have, want) == 0;

	if (!same && getenv("AGREE_DIFF"))
		print_difference(have, want);
	free(have);
	free(want);
	topology_free(kernel);
	topology_free(sim);
	return same;
}

static int answer(struct backend *backend, const struct step *step, char **message)
{
	struct error error = ERROR_INIT;
	int r = backend_apply(backend, step, &error);

	*message = strdup(r < 0 ? error_message(&error) : "done");
	error_clear(&error);
	return -r;
}

static void run_case(struct rig *rig, const struct agree_case *c)
{
	struct topology *topology = scan(rig->sim);
	struct step step = make_step(c, find_region(topology, c->which));
	char *said_kernel, *said_sim;
	int kernel = answer(rig->kernel, &step, &said_kernel);
	int sim = answer(rig->sim, &step, &said_sim);
	bool same = same_state(rig);

	if (kernel == c->code && sim == c->code && same) {
		rig->passed++;
	} else {
		rig->failed++;
		(void)printf("%s: wanted %s\n  kernel: %s: %s\n  sim:    %s: %s\n%s", c->what,
			     c->code ? strerrorname_np(c->code) : "success",
			     kernel ? strerrorname_np(kernel) : "success", said_kernel,
			     sim ? strerrorname_np(sim) : "success", said_sim,
			     same ? "" : "  what is there afterwards differs\n");
	}
	free(said_kernel);
	free(said_sim);
	step_clear(&step);
	topology_free(topology);
}

/*
 * Bring the default device of the small region to where the cases begin: bound to kmem.  Before
 * 6.3 the kernel knows no preferred driver, and whichever module came first has it.
 */
static void prepare(struct backend *kernel)
{
	static const struct agree_case begin[] = {
		{ "take the driver", SMALL_HMEM, STEP_UNBIND, .driver = DRIVER_DEVICE_DAX },
		{ "bind kmem", SMALL_HMEM, STEP_BIND, .driver = DRIVER_KMEM },
	};
	struct topology *topology = scan(kernel);
	const struct region *region = find_region(topology, SMALL_HMEM);
	struct error error = ERROR_INIT;

	if (region->n_devices != 1)
		die("the small region does not have its one default device", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(begin); i++) {
		struct step step = make_step(&begin[i], region);

		if (region->devices[0].driver != DRIVER_KMEM &&
		    backend_apply(kernel, &step, &error) < 0)
			die(begin[i].what, &error);
		step_clear(&step);
	}
	topology_free(topology);
}

int main(void)
{
	struct error error = ERROR_INIT;
	struct rig rig = { 0 };

	if (kernel_backend_new(STATE_FILE, &rig.kernel, &error) < 0)
		die("no kernel backend", &error);
	prepare(rig.kernel);
	if (sim_backend_new(scan(rig.kernel), &rig.sim, &error) < 0)
		die("no simulator", &error);
	for (size_t i = 0; i < n_agree_cases; i++)
		run_case(&rig, &agree_cases[i]);
	backend_free(rig.sim);
	backend_free(rig.kernel);
	(void)printf("%u passed, %u failed\n", rig.passed, rig.failed);
	return rig.failed != 0;
}
