/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "client.h"
#include "core/json-write.h"
#include "core/topology-json.h"
#include "part.h"
#include "table.h"
#include "verb.h"
#include "volumes.h"

struct who_options {
	const char *topology;
};

/* A volume or device, or one of its partitions. */
struct subject {
	const struct volume_view *view;
	const struct part *part; /* NULL: all of it */
};

/* Online memory blocks of one zone with no gap between them. */
struct run {
	const struct memory_block *first;
	size_t n;
};

/* The run from block *at on; n 0: there is none. */
static struct run next_run(const struct dax_device *device, size_t *at)
{
	struct run run = { 0 };

	while (*at < device->n_blocks && !device->blocks[*at].online)
		(*at)++;
	run.first = &device->blocks[*at];
	for (; *at < device->n_blocks; (*at)++, run.n++) {
		const struct memory_block *block = &device->blocks[*at];

		if (!block->online || block->zone != run.first->zone ||
		    block->number != run.first->number + run.n)
			break;
	}
	return run;
}

/*
 * What the kernel tells of a block that is to go offline is its zone: "removable" is 1 for any
 * block since Linux 5.7, and only trying shows whether pages can be moved.
 */
static const char *offline_prospect(enum zone zone)
{
	switch (zone) {
	case ZONE_MOVABLE:
		return "goes offline when what it holds can be moved elsewhere";
	case ZONE_NORMAL:
	case ZONE_OTHER:
		return "may hold what the kernel cannot move, and stay online until the next boot";
	case ZONE_NONE:
		break;
	}
	return "its zone is not known";
}

static const struct dax_device *memory_of(const struct subject *subject)
{
	const struct volume_view *view = subject->view;

	return !subject->part && view->device && view->device->driver == DRIVER_KMEM ? view->device : NULL;
}

static void add_memory_rows(struct table *table, const struct dax_device *device,
			    uint64_t block_size)
{
	struct run run;
	size_t at = 0;

	while ((run = next_run(device, &at)).n) {
		const char *zone = zone_word(run.first->zone);

		table_cell(table, "  memory");
		if (run.n == 1)
			table_cell(table, "memory%" PRIu64, run.first->number);
		else
			table_cell(table, "memory%" PRIu64 "-%" PRIu64, run.first->number,
				   run.first->number + run.n - 1);
		table_cell(table, "%s online in zone %s; %s", SIZE_STR(run.n * block_size),
			   zone ? zone : "unknown", offline_prospect(run.first->zone));
	}
}

static const struct holder *holder_of(const struct subject *subject, size_t i)
{
	return subject->part ? part_holder(subject->part, i) : volume_holder(subject->view, i);
}

static bool is_used(const struct subject *subject)
{
	const struct dax_device *device = memory_of(subject);
	size_t at = 0;

	return holder_of(subject, 0) || (device && next_run(device, &at).n);
}

static void add_holder_rows(struct table *table, const struct subject *subject)
{
	const struct holder *holder;

	for (size_t i = 0; (holder = holder_of(subject, i)); i++) {
		table_cell(table, "  %s", holder_kind_word(holder->kind));
		table_cell(table, "%s", holder->name);
		if (holder->kind == HOLDER_PROCESS)
			table_cell(table, "pid %d, has it %s", holder->pid,
				   holder->mapped ? "mapped" : "open");
		else
			table_cell(table, "%s", holder_describe(holder).text);
	}
}

static const char *kernel_name(const struct volume_view *view)
{
	if (view->device)
		return view->device->name;
	return view->ns->blockdev ? view->ns->blockdev : view->ns->name;
}

static int print_text(struct cli *cli, const struct subject *subject, uint64_t block_size)
{
	static const struct table_column columns[] = { { NULL, 0 },
						       { NULL, 0 },
						       { NULL, TABLE_WRAP } };
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	const struct part *part = subject->part;
	const char *name = !part       ? volume_name(subject->view) :
			   part->entry ? part->entry->name :
					 NULL;

	(void)fprintf(cli->out, "%s%s%s%s%s\n",
		      part ? part_name(subject->view->ns, part->number).text :
			     kernel_name(subject->view),
		      name ? " (" : "", name ? name : "", name ? ")" : "",
		      is_used(subject) ? " is used by" : ": nobody uses it");
	add_holder_rows(table, subject);
	if (memory_of(subject))
		add_memory_rows(table, memory_of(subject), block_size);
	return table_print(table, cli->out, cli->width, false);
}

static void put_memory(struct json_out *out, const struct dax_device *device,
		       uint64_t block_size)
{
	struct run run;
	size_t at = 0;

	while ((run = next_run(device, &at)).n) {
		json_open(out, NULL, '{');
		json_put_text(out, "kind", "memory");
		json_put_u64(out, "block", run.first->number);
		json_put_u64(out, "blocks", run.n);
		json_put_u64(out, "start", run.first->number * block_size);
		json_put_u64(out, "size", run.n * block_size);
		json_put_text(out, "zone", zone_word(run.first->zone));
		json_put_text(out, "offline", offline_prospect(run.first->zone));
		json_close(out, '}');
	}
}

static void put_object(struct json_out *out, const struct subject *subject, uint64_t block_size)
{
	const struct volume_view *view = subject->view;
	const struct holder *holder;

	json_open(out, NULL, '{');
	json_put_text(out, "volume", volume_name(view));
	json_put_text(out, "namespace", view->ns ? view->ns->name : NULL);
	json_put_text(out, "device", view->device ? view->device->name : NULL);
	json_put_text(out, "blockdev", view->ns ? view->ns->blockdev : NULL);
	if (subject->part)
		json_put_text(out, "partition",
			      part_name(view->ns, subject->part->number).text);
	json_put_text(out, "mode", view->mode);
	json_open(out, "users", '[');
	for (size_t i = 0; (holder = holder_of(subject, i)); i++)
		holder_put(out, holder);
	if (memory_of(subject))
		put_memory(out, memory_of(subject), block_size);
	json_close(out, ']');
	json_close(out, '}');
}

static int show(struct cli *cli, struct json_out *out, const struct subject *subject,
		uint64_t block_size)
{
	if (!cli->json)
		return print_text(cli, subject, block_size);
	put_object(out, subject, block_size);
	return 0;
}

static enum cli_exit print(struct cli *cli, const struct volumes *volumes, const char *name,
			   uint64_t block_size)
{
	struct json_out out = { .indent = cli->out_terminal };
	struct subject subject = { 0 };
	struct part part;
	size_t found = 0;
	char *text;
	int r = 0;

	json_open(&out, NULL, '{');
	json_open(&out, "objects", '[');
	for (size_t i = 0; r == 0 && i < volumes->n; i++) {
		subject.view = &volumes->views[i];
		if (!volume_is_called(subject.view, name))
			continue;
		found++;
		r = show(cli, &out, &subject, block_size);
	}
	subject.view = part_find(volumes, name, &part);
	if (subject.view) {
		subject.part = &part;
		found++;
		r = show(cli, &out, &subject, block_size);
	}
	json_close(&out, ']');
	json_close(&out, '}');
	text = json_out_finish(&out);
	if (found && cli->json)
		return cli_print_json(cli, text);
	free(text);
	if (r < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	if (found)
		return CLI_DONE;
	problem_add(&cli->problems, ENOENT, "daxctl-ext status shows those there are.",
		    "There is no volume or device \"%s\".", name);
	return CLI_INVALID;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct who_options *options = userdata;
	_cleanup_(client_clear) struct client client = { 0 };
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(volumes_clear) struct volumes volumes = { 0 };
	enum cli_exit status;

	client_init(&client, options->topology);
	status = client_scan(&client, LOOK_ALL, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (volumes_fill(&volumes, topology) < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return print(cli, &volumes, args[0], topology->memory_block_size);
}

static const struct verb_option options[] = {
	OPTION_TOPOLOGY(struct who_options),
};

const struct verb verb_who = {
	.name = "who",
	.args = "DEVICE|VOLUME",
	.min_args = 1,
	.max_args = 1,
	.help = "Show who uses a device, volume or partition",
	.about = "It may be named as a volume, as daxX.Y, pmemN, pmemNpM or namespaceX.Y, by any "
		 "path of its node, or by its uuid. "
		 "Those who use it are file systems, swap, block devices on top of it "
		 "(device-mapper with the name of the mapping, loop, RAID) and what is mounted on "
		 "those, processes that have it open or mapped, and the "
		 "kernel, with memory blocks that are online. "
		 "The exit status is 0 whether there are any or not.",
	.json = "Print them as JSON; \"users\" is empty when there are none.",
	VERB_OPTIONS(struct who_options, options),
	.run = run,
};
