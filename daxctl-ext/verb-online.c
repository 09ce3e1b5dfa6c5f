/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "device-verb.h"
#include "device-volume.h"

struct online_options {
	struct device_options common;
	bool no_movable;
};

static bool is_memory(struct device_run *run, const struct volume_view *view,
		      const struct volume *volume)
{
	if (view->device->driver == DRIVER_KMEM)
		return true;
	device_refuse(run, volume->name, ENXIO,
		      "reconfigure-device --mode system-ram makes it memory.",
		      "It is not memory, but %s.",
		      view->device->driver == DRIVER_NONE ? "disabled" : view->mode);
	return false;
}

static void want_online(struct device_run *run, const struct volume_view *view,
			struct volume *volume)
{
	const struct online_options *options = (const void *)run->options;

	if (!is_memory(run, view, volume))
		return;
	volume->online = true;
	volume->zone = options->no_movable ? ZONE_NORMAL : ZONE_MOVABLE;
}

static void want_offline(struct device_run *run, const struct volume_view *view,
			 struct volume *volume)
{
	if (is_memory(run, view, volume))
		volume->online = false;
}

static const struct device_verb online = {
	.name = "online-memory",
	.past = "onlined memory for",
	.fill = device_fill,
	.want = want_online,
};

static const struct device_verb offline = {
	.name = "offline-memory",
	.past = "offlined memory for",
	.fill = device_fill,
	.want = want_offline,
};

static enum cli_exit run_online(struct cli *cli, const void *userdata, char *args[])
{
	const struct online_options *options = userdata;

	return device_verb_run(cli, &online, &options->common, args);
}

static enum cli_exit run_offline(struct cli *cli, const void *userdata, char *args[])
{
	const struct online_options *options = userdata;

	return device_verb_run(cli, &offline, &options->common, args);
}

static const struct verb_option online_options[] = {
	DEVICE_OPTION_REGION(struct online_options),
	{
		.name = "no-movable", .offset = offsetof(struct online_options, no_movable),
		.help = "Into zone normal, from where it may never come back.",
	},
	DEVICE_OPTION_LIMIT(struct online_options),
	DEVICE_OPTIONS_COMMON(struct online_options),
};

static const struct verb_option offline_options[] = {
	DEVICE_OPTION_REGION(struct online_options),
	DEVICE_OPTION_LIMIT(struct online_options),
	DEVICE_OPTIONS_COMMON(struct online_options),
};

const struct verb verb_online_memory = {
	.name = "online-memory",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Bring the memory of devices online",
	.about = "All blocks of all ranges are brought into one zone, and the zones are read "
		 "back; a block that is online in another zone is taken offline before. "
		 "What is so already is no mistake.",
	VERB_OPTIONS(struct online_options, online_options),
	.run = run_online,
};

const struct verb verb_offline_memory = {
	.name = "offline-memory",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Take the memory of devices offline",
	.about = "What it holds is moved elsewhere. When one block cannot be taken offline, those "
		 "that were are brought online again, each in the zone it had. Kernels that can do "
		 "it for a whole device (7.3) take its blocks away until they are to be online "
		 "again.",
	VERB_OPTIONS(struct online_options, offline_options),
	.run = run_offline,
};
