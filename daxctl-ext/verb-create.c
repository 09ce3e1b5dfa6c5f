/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "client-bus.h"
#include "device-input.h"
#include "device-verb.h"
#include "device-volume.h"
#include "meaning.h"

#define NAMES_MAX 1000000u

struct create_options {
	struct device_options common;
	const char *size, *align, *input, *name, *mode, *persist;
	bool contiguous, keep;
};

static const struct create_options *options_of(const struct device_run *run)
{
	return (const void *)run->options;
}

static bool is_taken(const struct device_run *run, const char *name)
{
	const struct record *record;

	for (size_t i = 0; i < run->volumes.n; i++) {
		const char *have = volume_name(&run->volumes.views[i]);

		if (have && strcmp(have, name) == 0)
			return true;
	}
	for (size_t i = 0; i < run->config->n_volumes; i++)
		if (strcmp(run->config->volumes[i].name, name) == 0)
			return true;
	record = topology_find_record(run->topology, name);
	return record && !record->until_reboot; /* else its device is gone, as seen above */
}

/* Where somebody else was quicker, a number that no other process has is next. */
static char *new_name(const struct device_run *run)
{
	unsigned int first = run->attempt ? (unsigned int)getpid() : 1;
	char name[32];

	for (unsigned int i = first; i < first + NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), DEVICE_UNNAMED "%u", i);
		if (!is_taken(run, name))
			return device_text(name);
	}
	abort(); /* more than a configuration can have */
}

static bool read_mode(struct device_run *run, struct volume *volume)
{
	const struct create_options *options = options_of(run);

	if (options->mode && volume_mode_from_word(options->mode, &volume->mode) < 0) {
		problem_add(&run->cli->problems, EINVAL, "it is devdax, system-ram or fsdax",
			    "--mode %s is no mode of a device.", options->mode);
		return false;
	}
	if (volume->mode == MODE_SYSTEM_RAM) {
		volume->persist = PERSIST_KMEM;
		volume->zone = ZONE_MOVABLE;
	}
	if (options->persist && persist_from_word(options->persist, &volume->persist) < 0) {
		problem_add(&run->cli->problems, EINVAL, "memory has kmem, anything else none",
			    "--persist %s is not known.", options->persist);
		return false;
	}
	return true;
}

/* --size and --align, or the very ranges of --input. */
static bool read_capacity(struct device_run *run, const struct device_input *input,
			  struct volume *volume)
{
	const struct create_options *options = options_of(run);

	volume->size.kind = SIZE_ALL;
	volume->contiguous = options->contiguous;
	volume->align = input->align;
	if (input->ranges.n) {
		volume->size = (struct size_spec){ .bytes = range_list_size(&input->ranges) };
		if (range_list_copy(&volume->ranges, &input->ranges) < 0)
			abort(); /* nothing has begun */
	}
	if (options->size && !device_read_size(run, options->size, &volume->size))
		return false;
	return !options->align || device_read_align(run, options->align, &volume->align);
}

/* Who has all of a region? daxctl says no more than that there is no space. */
static void refuse_full(struct device_run *run, const struct region *region)
{
	const struct dax_device *largest = NULL;

	for (size_t i = 0; i < region->n_devices; i++)
		if (!largest || region->devices[i].size > largest->size)
			largest = &region->devices[i];
	problem_add(&run->cli->problems, ENOSPC, "destroy-device makes room, daxctl-ext map shows it",
		    "%s has nothing free: %s has %s of %s.", region->name,
		    largest ? largest->name : "somebody", SIZE_STR(largest ? largest->size : 0),
		    SIZE_STR(region->range.size));
}

static void add_device(struct device_run *run, const struct region *region,
		       const struct device_input *input)
{
	const struct create_options *options = options_of(run);
	struct volume *volume;
	char *name;

	if (region_is_dynamic(region) && region->available == 0) {
		refuse_full(run, region);
		return;
	}
	name = options->name ? device_text(options->name) : new_name(run);
	volume = device_add_volume(run->config);
	volume->name = name;
	volume->fresh = true;
	volume->until_reboot = region_is_dynamic(region) && !options->keep;
	volume->unlinked = region_is_dynamic(region) && !options->name;
	volume_select(volume, region);
	if (read_mode(run, volume) && read_capacity(run, input, volume))
		return;
	volume_clear(volume);
	run->config->n_volumes--;
}

/* dax0.1 was of region 0. */
static bool is_input_region(const struct region *region, const struct device_input *input)
{
	int id;

	return !input->name || (sscanf(input->name, "dax%d.", &id) == 1 && id == region->id);
}

/* A region of persistent memory has to be named: labels may have to be written. */
static bool is_candidate(const struct device_run *run, const struct region *region,
			 const struct device_input *input)
{
	const char *name = run->options->region;
	bool named = name && strcmp(name, "all") != 0;

	return meaning_region_is(region, name) && is_input_region(region, input) &&
	       (region_is_dynamic(region) ? named || region->available || input->name : named);
}

static void refuse_region(struct device_run *run, const struct region *first,
			  const struct region *second)
{
	if (second)
		problem_add(&run->cli->problems, EINVAL, "give --region, which may be all",
			    "It is not said where: %s has room, and %s has.", first->name,
			    second->name);
	else if (run->options->region && strcmp(run->options->region, "all") != 0)
		problem_add(&run->cli->problems, ENODEV,
			    "daxctl-ext list --regions and status show those there are.",
			    "There is no region \"%s\".", run->options->region);
	else
		problem_add(&run->cli->problems, ENOSPC,
			    "destroy-device makes room; regions of persistent memory have to be "
			    "named by --region",
			    "No region has room for a device.");
}

static void fill(struct device_run *run)
{
	_cleanup_(device_input_clear) struct device_input input = { 0 };
	const struct create_options *options = options_of(run);
	const struct region *first = NULL, *second = NULL;

	if (options->input) {
		enum cli_exit status =
			device_input_load(options->input, &input, &run->cli->problems);

		run->unreadable = status == CLI_FAILED;
		if (status != CLI_DONE)
			return;
	}
	for (size_t i = 0; i < run->topology->n_regions; i++) {
		const struct region *region = &run->topology->regions[i];

		if (!is_candidate(run, region, &input))
			continue;
		second = first ? region : NULL;
		first = first ? first : region;
		if (run->options->region || input.name)
			add_device(run, region, &input);
	}
	if (!first || (second && !run->options->region))
		refuse_region(run, first, second);
	else if (!run->options->region && !input.name)
		add_device(run, first, &input);
}

/* daxd knows of what is written when it is told. */
static enum cli_exit reload(struct device_run *run)
{
	_cleanup_(freep) char *job = NULL;

	if (!run->client.bus)
		return CLI_DONE;
	return bus_apply(run->client.bus, "", false, &job, &run->cli->problems);
}

/* What is no dax device is not in the JSON, and somebody wants to make a file system on it. */
static void tell_disks(const struct device_run *run)
{
	for (size_t i = 0; i < run->volumes.n; i++) {
		const struct volume_view *view = &run->volumes.views[i];

		if (view->device || !view->ns->blockdev)
			continue;
		for (size_t j = 0; j < run->config->n_volumes; j++)
			if (device_volume_is(&run->config->volumes[j], view))
				(void)fprintf(run->cli->err, "volume \"%s\" is /dev/%s\n",
					      run->config->volumes[j].name, view->ns->blockdev);
	}
}

/* The volume goes on existing: it is part of the host's configuration from now on. */
static enum cli_exit keep(struct device_run *run)
{
	tell_disks(run);
	if (!options_of(run)->keep || run->options->topology)
		return CLI_DONE;
	for (size_t i = 0; i < run->config->n_volumes; i++) {
		struct volume *volume = &run->config->volumes[i];
		const struct config one = { .volumes = volume, .n_volumes = 1 };
		_cleanup_(freep) char *path = device_keep_path(volume);
		_cleanup_(freep) char *json = NULL;
		struct error error = ERROR_INIT;

		volume->fresh = false;
		json = config_to_json(&one);
		if (!json || file_make_folders(DEVICE_KEEP_FOLDER, &error) < 0 ||
		    file_replace(path, json, strlen(json), &error) < 0) {
			(void)report_take(&run->cli->problems, &error);
			return CLI_FAILED;
		}
	}
	return reload(run);
}

static const struct device_verb device_verb = {
	.name = "create-device",
	.past = "created",
	.json = true,
	.creates = true,
	.fill = fill,
	.finish = keep,
};

static const char *check_options(const struct create_options *options)
{
	if (options->input && (options->size || options->contiguous))
		return "--input says how large the device is, and where.";
	if (options->name && device_is_unnamed(options->name))
		return "Names that begin with " DEVICE_UNNAMED " are those of devices that nobody "
		       "has named.";
	if (options->keep && !options->name)
		return "--keep needs a --name, by which the volume is known from now on.";
	return NULL;
}

/* Where the file goes, or where its folder does: before a device is made that it cannot be of. */
static enum cli_exit check_keep_folder(struct cli *cli)
{
	bool missing = access(DEVICE_KEEP_FOLDER, F_OK) < 0 && errno == ENOENT;
	const char *folder = missing ? SYSCONFDIR : DEVICE_KEEP_FOLDER;
	int code;

	if (access(folder, W_OK | X_OK) == 0)
		return CLI_DONE;
	code = errno;
	problem_add(&cli->problems, code, "run it as root, or leave out --keep",
		    "Cannot write the configuration into %s: %s.", folder, strerror(code));
	return cli_exit_of(code);
}

static enum cli_exit check_kept(struct cli *cli, const struct create_options *options)
{
	const struct volume volume = { .name = device_text(options->name ? options->name : "") };
	_cleanup_(freep) char *name = volume.name;
	_cleanup_(freep) char *path = device_keep_path(&volume);

	if (!options->keep || options->common.topology || strchr(name, '/'))
		return CLI_DONE;
	if (access(path, F_OK) < 0)
		return options->common.dry_run ? CLI_DONE : check_keep_folder(cli);
	problem_add(&cli->problems, EEXIST, "choose another name, or remove it",
		    "There is a configuration %s already.", path);
	return CLI_INVALID;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct create_options *options = userdata;
	const char *wrong = check_options(options);
	enum cli_exit status = wrong ? CLI_INVALID : check_kept(cli, options);

	if (status == CLI_DONE)
		return device_verb_run(cli, &device_verb, &options->common, args);
	if (wrong)
		problem_add(&cli->problems, EINVAL, "\"daxctl-ext help create-device\" shows more",
			    "%s", wrong);
	if (options->common.compat)
		cli->exit = status == CLI_INVALID ? DAXCTL_USAGE :
						    -cli->problems.errors[0].code & 0xff;
	return status;
}

static const struct verb_option options[] = {
	{
		.name = "region", .letter = 'r', .value = "ID",
		.offset = offsetof(struct create_options, common.region),
		.help = "In this region: X of daxX.Y, regionX, its name, or all that have room. "
			"It may be left out where only one has.",
	},
	{
		.name = "size", .letter = 's', .value = "SIZE",
		.offset = offsetof(struct create_options, size),
		.help = "16G, 50% of the region, or all that is free, which is the default.",
	},
	{
		.name = "align", .letter = 'a', .value = "ALIGN",
		.offset = offsetof(struct create_options, align),
		.help = "4K, 2M or 1G; the default is that of the region.",
	},
	{
		.name = "input", .value = "FILE", .offset = offsetof(struct create_options, input),
		.help = "Make again what list -M -d DEVICE printed, in the same place.",
	},
	{
		.name = "name", .value = "NAME", .offset = offsetof(struct create_options, name),
		.help = "What the volume is called; the default is device-1, device-2 and so on.",
	},
	{
		.name = "mode", .letter = 'm', .value = "MODE",
		.offset = offsetof(struct create_options, mode),
		.help = "devdax, which is the default, system-ram or (on persistent memory) fsdax. "
			"Only whole memory blocks of a device become memory; what is left out is told.",
	},
	{
		.name = "persist", .value = "HOW", .offset = offsetof(struct create_options, persist),
		.help = "How memory of mode system-ram is used: kmem, which is the default.",
	},
	{
		.name = "contiguous", .offset = offsetof(struct create_options, contiguous),
		.help = "In one piece.",
	},
	{
		.name = "keep", .offset = offsetof(struct create_options, keep),
		.help = "Write the volume into " DEVICE_KEEP_FOLDER "/NAME.json, so that it is there "
			"after each boot. Needs --name.",
	},
	OPTION_ALLOW_DATA_LOSS_AT(struct create_options, common.allow_data_loss),
	DEVICE_OPTIONS_COMMON(struct create_options),
};

const struct verb verb_create_device = {
	.name = "create-device",
	.help = "Make a device",
	.about = "In a region of persistent memory the namespace is made, too; such a region has "
		 "to be named. What is asked for is made exactly or not at all, and a failure "
		 "leaves nothing behind.",
	VERB_OPTIONS(struct create_options, options),
	.run = run,
};
