/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "list-json.h"
#include "verb.h"

struct list_options {
	const char *region, *dev, *topology;
	bool devices, regions, mappings, idle, human, compat;
};

static bool is_name(const char *text)
{
	return text && strcmp(text, "all") != 0;
}

/* What was asked for by name and is not there is a mistake, or an answer to act upon. */
static enum cli_exit judge(struct cli *cli, const struct list_options *options,
			   const struct list_request *request, const struct list_answer *answer)
{
	if (options->compat)
		return CLI_DONE;
	if (is_name(options->region) && !answer->region_found) {
		problem_add(&cli->problems, ENOENT,
			    "daxctl-ext list --regions shows those there are; X is the id of "
			    "those that have devices daxX.Y.",
			    "There is no dax region \"%s\".", options->region);
		return CLI_INVALID;
	}
	if (!is_name(options->dev) || !request->devices || answer->device_found)
		return CLI_DONE;
	if (answer->device_hidden)
		problem_add(&cli->problems, ENOENT, "daxctl-ext list --idle shows it.",
			    "The dax device \"%s\" has no size.", options->dev);
	else
		problem_add(&cli->problems, ENOENT,
			    "daxctl-ext list --idle shows those there are.",
			    "There is no dax device \"%s\"%s.", options->dev,
			    options->region ? " in that region" : "");
	return CLI_INVALID;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct list_options *options = userdata;
	_cleanup_(client_clear) struct client client = { .queue = -1 };
	bool said = options->regions || options->devices;
	const struct list_request request = {
		.region = options->region,
		.device = options->dev,
		.regions = said ? options->regions : options->region != NULL,
		.devices = said ? options->devices : options->dev || !options->region,
		.mappings = options->mappings,
		.idle = options->idle,
		.human = options->human,
		.shuffled = options->compat,
	};
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(list_answer_clear) struct list_answer answer = { 0 };
	enum cli_exit status;

	(void)args; /* it takes none */
	client_init(&client, options->topology);
	status = client_scan(&client, LOOK_LIST, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (list_json(topology, &request, &answer) < 0) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	if (answer.text)
		(void)fprintf(cli->out, "%s\n", answer.text);
	return judge(cli, options, &request, &answer);
}

static const struct verb_option options[] = {
	{
		.name = "region", .letter = 'r', .value = "ID",
		.offset = offsetof(struct list_options, region),
		.help = "Only this dax region: X, regionX or all. Alone, it lists regions.",
	},
	{
		.name = "dev", .letter = 'd', .value = "DEVICE",
		.offset = offsetof(struct list_options, dev),
		.help = "Only this device: daxX.Y, X.Y, any path of its node or all.",
	},
	{
		.name = "devices", .letter = 'D', .offset = offsetof(struct list_options, devices),
		.help = "List devices, which is the default; with --regions, in each region.",
	},
	{
		.name = "regions", .letter = 'R', .offset = offsetof(struct list_options, regions),
		.help = "List regions.",
	},
	{
		.name = "mappings", .letter = 'M',
		.offset = offsetof(struct list_options, mappings),
		.help = "Add the ranges of each device. page_offset is in pages, start and end "
			"are addresses.",
	},
	{
		.name = "idle", .letter = 'i', .offset = offsetof(struct list_options, idle),
		.help = "List devices without a size, too.",
	},
	{
		.name = "human", .letter = 'u', .offset = offsetof(struct list_options, human),
		.help = "Sizes with units, addresses in hexadecimal, and a single object without "
			"the array around it.",
	},
	{
		.name = "compat", .offset = offsetof(struct list_options, compat),
		.help = "Give daxctl's order, and its exit status 0 when nothing is found.",
	},
	OPTION_TOPOLOGY(struct list_options),
};

const struct verb verb_list = {
	.name = "list",
	.help = "List dax regions and devices as daxctl list does",
	.about = "The output is daxctl's, key by key; where nothing is to be listed, nothing is "
		 "printed. Three things are better than there. "
		 "Objects are in the order of their numbers and ranges in that of page_offset; "
		 "daxctl has them backwards as the kernel's folders happen to be. "
		 "Memory blocks of a device are counted in all its ranges; daxctl looks between "
		 "the first range's start and as far on as the device is large. "
		 "The exit status is 2 when what --region or --dev asks for is not listed.",
	VERB_OPTIONS(struct list_options, options),
	.run = run,
};
