/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "device-verb.h"
#include "device-volume.h"

struct enable_options {
	struct device_options common;
};

static void want_enabled(struct device_run *run, const struct volume_view *view,
			 struct volume *volume)
{
	(void)view;
	if (volume->enabled) {
		device_keep(run, volume);
		return;
	}
	volume->enabled = volume->online = true;
}

static void want_disabled(struct device_run *run, const struct volume_view *view,
			  struct volume *volume)
{
	if (!volume->enabled) {
		device_keep(run, volume);
		return;
	}
	if (dax_device_any_online(view->device) && !run->options->force) {
		device_refuse(run, volume->name, ENXIO,
			      "offline-memory before, or --force, which takes it offline.",
			      "Its memory is online.");
		return;
	}
	volume->enabled = false;
}

static const struct device_verb enable = {
	.name = "enable-device",
	.past = "enabled",
	.ndctl = "enable-namespace",
	.fill = device_fill,
	.want = want_enabled,
};

static const struct device_verb disable = {
	.name = "disable-device",
	.past = "disabled",
	.patient = true,
	.ndctl = "disable-namespace",
	.fill = device_fill,
	.want = want_disabled,
};

static enum cli_exit run_enable(struct cli *cli, const void *userdata, char *args[])
{
	const struct enable_options *options = userdata;

	return device_verb_run(cli, &enable, &options->common, args);
}

static enum cli_exit run_disable(struct cli *cli, const void *userdata, char *args[])
{
	const struct enable_options *options = userdata;

	return device_verb_run(cli, &disable, &options->common, args);
}

static const struct verb_option enable_options[] = {
	DEVICE_OPTION_REGION(struct enable_options),
	DEVICE_OPTIONS_COMMON(struct enable_options),
};

static const struct verb_option disable_options[] = {
	DEVICE_OPTION_REGION(struct enable_options),
	DEVICE_OPTION_FORCE(struct enable_options, "Take memory that is online offline first."),
	DEVICE_OPTION_WAIT(struct enable_options),
	DEVICE_OPTION_LIMIT(struct enable_options),
	DEVICE_OPTIONS_COMMON(struct enable_options),
};

const struct verb verb_enable_device = {
	.name = "enable-device",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Give devices a driver, so that they can be used",
	.about = "A volume that is memory becomes memory again, anything else a device to map.",
	VERB_OPTIONS(struct enable_options, enable_options),
	.run = run_enable,
};

const struct verb verb_disable_device = {
	.name = "disable-device",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Take the driver away from devices, so that nobody can use them",
	.about = "They keep their places and their contents. What is mapped or open is refused: "
		 "the kernel would kill the mappings.",
	VERB_OPTIONS(struct enable_options, disable_options),
	.run = run_disable,
};
