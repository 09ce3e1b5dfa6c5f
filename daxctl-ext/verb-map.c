/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "map-print.h"
#include "verb.h"

struct map_options {
	const char *topology;
	bool svg;
};

static void maps_clear(struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		map_clear(&maps->maps[i]);
	free(maps->maps);
	volumes_clear(&maps->volumes);
}

static bool region_is_called(const struct region *region, const char *name)
{
	return strcmp(region->name, name) == 0 || strcmp(region->path, name) == 0;
}

static bool is_wanted(const struct region *region, char *args[])
{
	if (!args[0])
		return true;
	for (size_t i = 0; args[i]; i++)
		if (region_is_called(region, args[i]))
			return true;
	return false;
}

static enum cli_exit check_names(struct cli *cli, const struct topology *topology, char *args[])
{
	enum cli_exit status = CLI_DONE;

	for (size_t i = 0; args[i]; i++) {
		bool found = false;

		for (size_t j = 0; j < topology->n_regions; j++)
			found = found || region_is_called(&topology->regions[j], args[i]);
		if (found)
			continue;
		problem_add(&cli->problems, ENOENT, "daxctl-ext status shows those there are.",
			    "There is no region \"%s\".", args[i]);
		status = CLI_INVALID;
	}
	return status;
}

static int fill(struct maps *maps, const struct topology *topology, char *args[])
{
	int r = volumes_fill(&maps->volumes, topology);

	for (size_t i = 0; r == 0 && i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];
		struct map *map;

		if (!is_wanted(region, args))
			continue;
		map = ARRAY_APPEND(maps->maps, maps->n);
		if (!map)
			return -ENOMEM;
		r = map_fill(map, topology, region, &maps->volumes);
		maps->n += r == 0;
	}
	return r;
}

static enum cli_exit print(struct cli *cli, const struct map_options *options,
			   const struct maps *maps)
{
	if (cli->json)
		return cli_print_json(cli, maps_to_json(maps, cli->out_terminal));
	if (options->svg) {
		maps_print_svg(cli->out, maps);
		return CLI_DONE;
	}
	if (!maps->n)
		(void)fputs("The machine has no region of pmem, hmem or cxl.\n", cli->out);
	if (maps_print_text(cli, maps) < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct map_options *options = userdata;
	_cleanup_(client_clear) struct client client = { .queue = -1 };
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(maps_clear) struct maps maps = { 0 };
	enum cli_exit status;

	if (options->svg && cli->json) {
		problem_add(&cli->problems, EINVAL, NULL,
			    "--svg and --json are two forms of output: give one of them.");
		return CLI_INVALID;
	}
	client_init(&client, options->topology);
	status = client_scan(&client, LOOK_ALL, &topology, &cli->problems);
	if (status == CLI_DONE)
		status = check_names(cli, topology, args);
	if (status != CLI_DONE)
		return status;
	if (fill(&maps, topology, args) < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return print(cli, options, &maps);
}

static const struct verb_option options[] = {
	{
		.name = "svg", .offset = offsetof(struct map_options, svg),
		.help = "Print one SVG document, in which widths are exact.",
	},
	OPTION_TOPOLOGY(struct map_options),
};

const struct verb verb_map = {
	.name = "map",
	.args = "[REGION...]",
	.max_args = ANY_NUMBER,
	.help = "Draw what lies where in each region",
	.about = "Each region is a bar to its own scale, in which every piece has at least one "
		 "character while there are enough, and a legend with names, sizes and addresses. "
		 "A letter is a volume, \".\" is free, \"#\" is metadata of a namespace, \"~\" is "
		 "what a volume cannot use because it is no whole page or memory block, \"-\" is "
		 "free but smaller than the step of the region, \"*\" is several small ones. "
		 "Labels lie in an area of their own on each DIMM, and are not in the picture.",
	.json = "Print the pieces as JSON.",
	VERB_OPTIONS(struct map_options, options),
	.run = run,
};
