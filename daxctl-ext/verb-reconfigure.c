/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "daxctl-conf.h"
#include "device-input.h"
#include "device-verb.h"
#include "device-volume.h"

#define DAXCTL_CONF SYSCONFDIR "/daxctl.conf.d"
#define FAMFS_DRIVER "/sys/bus/dax/drivers/fsdev_dax"

struct reconfigure_options {
	struct device_options common;
	const char *mode, *size, *align, *input;
	bool no_online, no_movable, check_config;
};

/* The options, read. */
struct wanted {
	struct device_run *run;
	bool has_mode, has_size, no_online;
	enum volume_mode mode;
	struct size_spec size;
	uint64_t align; /* 0: as it is */
	enum zone zone;
};

static const struct reconfigure_options *options_of(const struct device_run *run)
{
	return (const void *)run->options;
}

static bool read_mode(struct device_run *run, const char *word, struct wanted *wanted)
{
	bool there = access(FAMFS_DRIVER, F_OK) == 0;

	wanted->has_mode = true;
	wanted->mode = MODE_SYSTEM_RAM;
	if (strcmp(word, "system-ram") == 0)
		return true;
	wanted->mode = MODE_DEVDAX;
	if (strcmp(word, "devdax") == 0)
		return true;
	if (strcmp(word, "famfs") == 0)
		problem_add(&run->cli->problems, EOPNOTSUPP, "choose devdax or system-ram",
			    there ? "Mode famfs is not in this version." :
				    "Mode famfs needs the driver fsdev_dax, which this kernel does "
				    "not have.");
	else
		problem_add(&run->cli->problems, EINVAL, "it is devdax or system-ram",
			    "--mode %s is no mode of a device.", word);
	return false;
}

static bool read_input(struct device_run *run, struct wanted *wanted)
{
	_cleanup_(device_input_clear) struct device_input input = { 0 };

	enum cli_exit status =
		device_input_load(options_of(run)->input, &input, &run->cli->problems);

	run->unreadable = status == CLI_FAILED;
	if (status != CLI_DONE)
		return false;
	wanted->has_size = true;
	wanted->size = (struct size_spec){ .bytes = range_list_size(&input.ranges) };
	wanted->align = input.align;
	return true;
}

static bool read_wanted(struct device_run *run, struct wanted *wanted)
{
	const struct reconfigure_options *options = options_of(run);

	*wanted = (struct wanted){
		.run = run,
		.zone = options->no_movable ? ZONE_NORMAL : ZONE_MOVABLE,
		.no_online = options->no_online,
	};
	if (options->input && !read_input(run, wanted))
		return false;
	if (options->mode && !read_mode(run, options->mode, wanted))
		return false;
	if (options->align && !device_read_align(run, options->align, &wanted->align))
		return false;
	if (!options->size)
		return true;
	wanted->has_size = true;
	return device_read_size(run, options->size, &wanted->size);
}

/* daxctl's own files; what is said of them is told once, and not for each device. */
static bool load_conf(struct device_run *run, struct conf *conf, struct file_list *files,
		      struct report *notes)
{
	struct error error = ERROR_INIT;
	bool good = true;

	if (file_list_folder(DAXCTL_CONF, ".conf", files, &error) < 0)
		error_clear(&error); /* no folder, no sections */
	for (size_t i = 0; i < files->n; i++)
		if (conf_load(conf, files->paths[i], notes, &error) < 0) {
			(void)report_take(&run->cli->problems, &error);
			good = false;
		}
	return good;
}

static bool note_conf(struct device_run *run)
{
	_cleanup_(file_list_clear) struct file_list files = { 0 };
	_cleanup_(conf_clear) struct conf conf = { 0 };

	return load_conf(run, &conf, &files, &run->notes);
}

/* Of the first section that is about this device, as import takes it; false: there is none. */
static bool read_conf(struct device_run *run, const struct volume_view *view,
		      struct wanted *wanted)
{
	_cleanup_(file_list_clear) struct file_list files = { 0 };
	_cleanup_(report_clear) struct report told = REPORT_INIT;
	_cleanup_(conf_clear) struct conf conf = { 0 };

	if (!load_conf(run, &conf, &files, &told))
		return false;
	for (size_t i = 0; view->ns && i < conf.n; i++) {
		const struct conf_section *section = &conf.sections[i];

		if (!uuid_is_set(&section->uuid) ||
		    (!uuid_equal(&section->uuid, &view->ns->uuid) &&
		     !uuid_equal(&section->uuid, &view->ns->info_uuid)))
			continue;
		wanted->has_mode = true;
		wanted->mode = section->ram ? MODE_SYSTEM_RAM : MODE_DEVDAX;
		wanted->no_online = !section->online;
		wanted->zone = section->movable ? ZONE_MOVABLE : ZONE_NORMAL;
		return true;
	}
	return false;
}

static void set_mode(const struct wanted *wanted, struct volume *volume)
{
	bool memory = wanted->mode == MODE_SYSTEM_RAM;

	volume->enabled = true;
	volume->mode = wanted->mode;
	volume->persist = memory ? PERSIST_KMEM : PERSIST_NONE;
	volume->zone = memory ? wanted->zone : ZONE_NONE;
	volume->online = !memory || !wanted->no_online;
}

/* What daxctl calls so has no size of its own that could change. */
static bool can_resize(struct device_run *run, const struct volume_view *view,
		       const struct volume *volume)
{
	if (!view->ns || !volume->foreign)
		return true;
	device_refuse(run, volume->name, EOPNOTSUPP,
		      "ndctl create-namespace --reconfig makes it anew.",
		      "%s was not made by daxd, and its size and alignment are those of the "
		      "namespace.", view->ns->name);
	return false;
}

static bool all_online(const struct dax_device *device)
{
	for (size_t i = 0; i < device->n_blocks; i++)
		if (!device->blocks[i].online)
			return false;
	return true;
}

/* Memory stays in the zone it has, unless another is asked for by name. */
static bool changes_zone(const struct device_run *run, const struct dax_device *device)
{
	for (size_t i = 0; options_of(run)->no_movable && i < device->n_blocks; i++)
		if (device->blocks[i].online && device->blocks[i].zone != ZONE_NORMAL)
			return true;
	return false;
}

static void want(struct device_run *run, const struct volume_view *view, struct volume *volume)
{
	const struct reconfigure_options *options = options_of(run);
	const struct dax_device *device = view->device;
	bool memory = device->driver == DRIVER_KMEM, same, moves;
	struct wanted wanted;

	if (!read_wanted(run, &wanted))
		return;
	if (options->check_config && !read_conf(run, view, &wanted)) {
		device_keep(run, volume);
		return;
	}
	same = !wanted.has_mode ||
	       (memory ? wanted.mode == MODE_SYSTEM_RAM :
			 wanted.mode == MODE_DEVDAX && device->driver == DRIVER_DEVICE_DAX);
	moves = same && memory && changes_zone(run, device);
	if (wanted.has_size || wanted.align) {
		if (!can_resize(run, view, volume))
			return;
		volume->size = wanted.has_size ? wanted.size : volume->size;
		volume->align = wanted.align ? wanted.align : volume->align;
	} else if (same && memory && !options->no_online && wanted.has_mode && !all_online(device)) {
		set_mode(&wanted, volume);
		return;
	} else if (same && !moves) {
		device_keep(run, volume);
		return;
	}
	if (dax_device_any_online(device) && !run->options->force) {
		device_refuse(run, volume->name, EBUSY,
			      "offline-memory before, or --force, which takes it offline.",
			      "Its memory is online.");
		return;
	}
	if (wanted.has_mode && (!same || moves))
		set_mode(&wanted, volume);
	else if (memory && options->no_online)
		volume->online = false; /* of another size */
}

static void fill(struct device_run *run)
{
	struct wanted wanted;

	/* Once for what is wrong with the options, whatever the devices are. */
	if (read_wanted(run, &wanted) && (!options_of(run)->check_config || note_conf(run)))
		device_fill(run);
}

static const struct device_verb device_verb = {
	.name = "reconfigure-device",
	.past = "reconfigured",
	.json = true,
	.patient = true,
	.fill = fill,
	.want = want,
};

/* Whoever changes the size of a namespace need not know that it is made anew for it. */
static const struct device_verb resizing = {
	.name = "reconfigure-device",
	.past = "reconfigured",
	.json = true,
	.patient = true,
	.resizes = true,
	.fill = fill,
	.want = want,
};

static const char *check_options(const struct reconfigure_options *options)
{
	if (options->check_config &&
	    (options->mode || options->no_online || options->no_movable || options->size ||
	     options->align || options->input))
		return "--check-config goes with no other mode, size or alignment.";
	if (options->no_movable && (!options->mode || strcmp(options->mode, "system-ram") != 0))
		return "--no-movable is about memory, and goes with --mode system-ram.";
	if (options->check_config || options->size || options->align || options->input ||
	    options->mode)
		return options->no_online && options->mode && strcmp(options->mode, "devdax") == 0 ?
			       "--no-online is about memory, and mode devdax is none." :
			       NULL;
	return "What is to change is not said: --mode, --size, --align, --input or "
	       "--check-config.";
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct reconfigure_options *options = userdata;
	const char *wrong = check_options(options);

	if (!wrong)
		return device_verb_run(cli, options->mode || options->check_config ? &device_verb :
										     &resizing,
				       &options->common, args);
	problem_add(&cli->problems, EINVAL, "\"daxctl-ext help reconfigure-device\" shows them",
		    "%s", wrong);
	if (options->common.compat)
		cli->exit = DAXCTL_USAGE;
	return CLI_INVALID;
}

static const struct verb_option options[] = {
	DEVICE_OPTION_REGION(struct reconfigure_options),
	{
		.name = "mode", .letter = 'm', .value = "MODE",
		.offset = offsetof(struct reconfigure_options, mode),
		.help = "devdax or system-ram.",
	},
	{
		.name = "size", .letter = 's', .value = "SIZE",
		.offset = offsetof(struct reconfigure_options, size),
		.help = "Make it larger or smaller. What is beyond the new end is lost; a namespace "
			"is made anew, and loses all, with --allow-data-loss.",
	},
	{
		.name = "align", .letter = 'a', .value = "ALIGN",
		.offset = offsetof(struct reconfigure_options, align),
		.help = "4K, 2M or 1G.",
	},
	{
		.name = "no-online", .letter = 'N',
		.offset = offsetof(struct reconfigure_options, no_online),
		.help = "Leave memory offline.",
	},
	{
		.name = "no-movable", .offset = offsetof(struct reconfigure_options, no_movable),
		.help = "Bring memory into zone normal, from where it may never come back; with "
			"--force also what is online elsewhere.",
	},
	DEVICE_OPTION_FORCE(struct reconfigure_options,
			    "Take memory that is online offline first."),
	{
		.name = "check-config", .letter = 'C',
		.offset = offsetof(struct reconfigure_options, check_config),
		.help = "As the files in " DAXCTL_CONF " say of the device.",
	},
	{
		.name = "input", .value = "FILE",
		.offset = offsetof(struct reconfigure_options, input),
		.help = "Size and alignment from what list -M -d DEVICE printed.",
	},
	OPTION_ALLOW_DATA_LOSS_AT(struct reconfigure_options, common.allow_data_loss),
	DEVICE_OPTION_WAIT(struct reconfigure_options),
	DEVICE_OPTION_LIMIT(struct reconfigure_options),
	DEVICE_OPTIONS_COMMON(struct reconfigure_options),
};

const struct verb verb_reconfigure_device = {
	.name = "reconfigure-device",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Change mode, size or alignment of devices",
	.about = "What is given together is done together. Contents are lost when a device "
		 "becomes memory; a namespace that daxd has made is made anew for another mode, and "
		 "its device then has another number. "
		 "Blocks of memory arrive in the zone that is asked for, "
		 "whatever the kernel's policy for new memory is, and are read back.",
	VERB_OPTIONS(struct reconfigure_options, options),
	.run = run,
};
