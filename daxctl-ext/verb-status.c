/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/topology-json.h"
#include "meaning.h"
#include "status-table.h"
#include "verb.h"

struct status_options {
	const char *topology, *region, *columns;
};

static bool is_called(const struct region *region, const char *name)
{
	return meaning_region_is(region, name) || strcmp(region->path, name) == 0;
}

static void add_no_region(struct cli *cli, const struct topology *topology, const char *name)
{
	struct error error = ERROR_INIT;
	char *names = NULL;
	size_t size;
	FILE *out;

	(void)error_set(&error, ENOENT, "There is no region \"%s\".", name);
	out = open_memstream(&names, &size);
	for (size_t i = 0; out && i < topology->n_regions; i++)
		(void)fprintf(out, "%s%s", i ? ", " : "", topology->regions[i].name);
	if (out && fclose(out) == 0)
		(void)error_hint(&error, "the machine has: %s",
				 topology->n_regions ? names : "none");
	free(names);
	(void)report_take(&cli->problems, &error);
}

static const struct region *find_region(const struct topology *topology, const char *name)
{
	for (size_t i = 0; i < topology->n_regions; i++)
		if (is_called(&topology->regions[i], name))
			return &topology->regions[i];
	return NULL;
}

/* Leave one region, and the records of what was made in it. */
static void keep_region(struct topology *topology, const struct region *kept)
{
	const struct range range = kept->range;
	size_t n = 0;

	for (size_t i = 0; i < topology->n_records; i++) {
		struct record *record = &topology->records[i];

		if (record->ranges.n && range_overlaps(record->ranges.ranges[0], range))
			topology->records[n++] = *record;
		else
			record_clear(record);
	}
	topology->n_records = n;
	n = 0;
	for (size_t i = 0; i < topology->n_regions; i++) {
		struct region *region = &topology->regions[i];

		if (region == kept)
			n = i;
		else
			region_clear(region);
	}
	if (n != 0)
		topology->regions[0] = topology->regions[n];
	topology->n_regions = 1;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct status_options *options = userdata;
	_cleanup_(client_clear) struct client client = { 0 };
	_cleanup_(topology_freep) struct topology *topology = NULL;
	struct status_columns columns;
	const struct region *region;
	enum cli_exit status;

	(void)args; /* it takes none */
	status = status_columns_parse(cli, options->columns, &columns);
	if (status != CLI_DONE)
		return status;
	client_init(&client, options->topology);
	status = client_scan(&client, LOOK_ALL, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (options->region && strcmp(options->region, "all") != 0) {
		region = find_region(topology, options->region);
		if (!region) {
			add_no_region(cli, topology, options->region);
			return CLI_INVALID;
		}
		keep_region(topology, region);
	}
	if (cli->json)
		return cli_print_json(cli, topology_to_json(topology, cli->out_terminal));
	return status_table_print(cli, topology, &columns);
}

static const struct verb_option options[] = {
	{
		.name = "region", .letter = 'r', .value = "NAME",
		.offset = offsetof(struct status_options, region),
		.help = "Show only this region: X of daxX.Y, regionX, its name, its sysfs path, "
			"or all.",
	},
	{
		.name = "columns", .value = "NAME,...",
		.offset = offsetof(struct status_options, columns),
		.help = "Show these columns, in this order: name, mode, size, free, numa, target "
			"and state, which are the usual ones; node, align, start, uuid, and path, "
			"which is below /sys/devices.",
	},
	OPTION_TOPOLOGY(struct status_options),
};

const struct verb verb_status = {
	.name = "status",
	.help = "Show regions, what is in them, and who uses it",
	.about = "A namespace is shown by the name in its label, a device of a dynamic region by "
		 "the volume it was made for; those of neither by their kernel names. "
		 "SIZE is what it takes of its region. "
		 "Below it are its partitions, windows of dax devices too, and those who use it: "
		 "mounts, swap, block devices on top of it and processes. "
		 "Who uses a dax device is told of the device, not of each window.",
	.json = "Print the machine as JSON, in the form that --topology reads.",
	VERB_OPTIONS(struct status_options, options),
	.run = run,
};
