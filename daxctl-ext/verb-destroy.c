/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "device-verb.h"
#include "device-volume.h"

struct destroy_options {
	struct device_options common;
};

static void refuse_enabled(struct device_run *run, const struct dax_device *device,
			   const struct volume *volume)
{
	if (dax_device_any_online(device))
		device_refuse(run, volume->name, ENXIO,
			      "offline-memory and disable-device before, or --force, which takes it "
			      "offline; its contents are lost.",
			      "Its memory is online.");
	else
		device_refuse(run, volume->name, ENXIO,
			      "disable-device before, or --force; its contents are lost.",
			      "It is enabled.");
}

static void want(struct device_run *run, const struct volume_view *view, struct volume *volume)
{
	const struct dax_device *device = view->device;

	if (view->ns && view->region->labels != LABELS_VALID) {
		device_refuse(run, volume->name, EOPNOTSUPP,
			      "ndctl destroy-namespace clears its contents.",
			      "%s has no labels, so its namespace cannot be removed.",
			      view->region->name);
		return;
	}
	if (!run->options->force && !device) {
		device_refuse(run, volume->name, ENXIO,
			      "--force removes it, and what it holds is lost.",
			      "It is no dax device, but %s.", view->mode);
		return;
	}
	if (!run->options->force && device->driver != DRIVER_NONE) {
		refuse_enabled(run, device, volume);
		return;
	}
	volume->absent = true;
	if (view->ns && volume->foreign)
		volume->uuid = view->ns->uuid;
}

static const struct device_verb device_verb = {
	.name = "destroy-device",
	.past = "destroyed",
	.namespaces = true,
	.patient = true,
	.spare_pmem = true,
	.fill = device_fill,
	.want = want,
};

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct destroy_options *options = userdata;

	return device_verb_run(cli, &device_verb, &options->common, args);
}

static const struct verb_option options[] = {
	DEVICE_OPTION_REGION(struct destroy_options),
	DEVICE_OPTION_FORCE(struct destroy_options,
			    "Also devices that are enabled; memory is taken offline first."),
	DEVICE_OPTION_WAIT(struct destroy_options),
	DEVICE_OPTION_LIMIT(struct destroy_options),
	DEVICE_OPTIONS_COMMON(struct destroy_options),
};

const struct verb verb_destroy_device = {
	.name = "destroy-device",
	.args = "DEVICE|VOLUME|all...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Remove devices, and what they hold",
	.about = "On persistent memory the namespace goes, too; there \"all\" means none, unless "
		 "--region is that region, of which what is no dax device is left alone. "
		 "What daxd keeps of the volume is forgotten. What was written is lost, and yet "
		 "not overwritten: a device that is made in the same place begins with it. "
		 "What is in use is refused, with a list of those who use it. --force destroys "
		 "what somebody only has open, in a dynamic region, and never what is mapped, "
		 "mounted or otherwise in use.",
	VERB_OPTIONS(struct destroy_options, options),
	.run = run,
};
