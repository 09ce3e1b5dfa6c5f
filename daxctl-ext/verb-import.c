/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "client.h"
#include "core/config.h"
#include "core/plan.h"
#include "daxctl-conf.h"
#include "verb.h"

#define FOLDER SYSCONFDIR "/daxctl.conf.d"

struct import_options {
	const char *topology;
};

/* paths are kept as long as the sections that point to them. */
struct import {
	struct cli *cli;
	struct file_list files;
	struct conf conf;
	struct report notes;
	struct topology *topology;
	struct config *config;
};

static void import_clear(struct import *import)
{
	conf_clear(&import->conf);
	file_list_clear(&import->files);
	report_clear(&import->notes);
	topology_free(import->topology);
	config_free(import->config);
}

static void note(struct import *import, const struct conf_section *section, const char *hint,
		 const char *text)
{
	struct error error = ERROR_INIT;

	(void)error_set(&error, EOPNOTSUPP, "Line %u: %s", section->line, text);
	if (hint)
		(void)error_hint(&error, "%s", hint);
	error.file = strdup(section->file);
	(void)report_take(&import->notes, &error);
}

static enum cli_exit fail(struct import *import, struct error *error)
{
	enum cli_exit status = error->code == EBADMSG ? CLI_INVALID : CLI_FAILED;

	(void)report_take(&import->cli->problems, error);
	return status;
}

static int add_file(struct import *import, const char *path, struct error *reterr)
{
	char **room = ARRAY_APPEND(import->files.paths, import->files.n);

	if (!room)
		return error_oom(reterr);
	*room = strdup(path);
	if (!*room)
		return error_oom(reterr);
	import->files.n++;
	return 0;
}

static int add_folder(struct import *import, const char *path, struct error *reterr)
{
	_cleanup_(file_list_clear) struct file_list list = { 0 };
	int r = file_list_folder(path, ".conf", &list, reterr);

	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = add_file(import, list.paths[i], reterr);
	return r;
}

static enum cli_exit load(struct import *import, char *const args[])
{
	char folder[] = FOLDER, *const standard[] = { folder, NULL };
	struct error error = ERROR_INIT;
	struct stat st;
	int r = 0;

	if (!args[0])
		args = standard;
	for (size_t i = 0; r == 0 && args[i]; i++)
		r = stat(args[i], &st) == 0 && S_ISDIR(st.st_mode) ?
			    add_folder(import, args[i], &error) :
			    add_file(import, args[i], &error);
	for (size_t i = 0; r == 0 && i < import->files.n; i++)
		r = conf_load(&import->conf, import->files.paths[i], &import->notes, &error);
	return r < 0 ? fail(import, &error) : CLI_DONE;
}

/* The namespace that daxctl means: it goes by the uuid of either place. */
static struct namespace *find(const struct topology *topology, const struct uuid *uuid,
			      struct region **ret)
{
	for (size_t i = 0; i < topology->n_regions; i++) {
		struct region *region = &topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++) {
			struct namespace *ns = &region->namespaces[j];

			*ret = region;
			if (uuid_equal(&ns->uuid, uuid) || uuid_equal(&ns->info_uuid, uuid))
				return ns;
		}
	}
	return NULL;
}

static bool was_imported(const struct import *import, const struct conf_section *section)
{
	for (const struct conf_section *s = import->conf.sections; s < section; s++)
		if (uuid_equal(&s->uuid, &section->uuid))
			return true;
	return false;
}

/* What export makes of a machine that has this namespace alone: one volume, or why not. */
static int export_one(struct import *import, struct region *region, struct namespace *ns,
		      struct config **ret, struct report *report)
{
	struct region one = *region;
	struct topology machine = { .seed = import->topology->seed, .regions = &one, .n_regions = 1 };

	one.namespaces = ns;
	one.n_namespaces = 1;
	one.n_devices = 0;
	return export_config(&machine, ret, report);
}

/*
 * daxctl's memory is a devdax until somebody binds it to kmem again, and is exported as what it
 * will be after the next boot.
 */
static int export_either(struct import *import, struct region *region, struct namespace *ns,
			 struct config **ret, struct report *report)
{
	int r = export_one(import, region, ns, ret, report);

	if (r < 0 || (*ret)->n_volumes || !ns->device || ns->device->driver != DRIVER_KMEM)
		return r;
	config_free(TAKE(*ret));
	report_clear(report);
	ns->device->driver = DRIVER_DEVICE_DAX;
	r = export_one(import, region, ns, ret, report);
	ns->device->driver = DRIVER_KMEM;
	return r;
}

static void make_memory(struct volume *volume, const struct conf_section *section)
{
	volume->mode = MODE_SYSTEM_RAM;
	volume->persist = PERSIST_KMEM;
	volume->online = section->online;
	volume->zone = section->movable ? ZONE_MOVABLE : ZONE_NORMAL;
	access_clear(&volume->node);
	volume->node = (struct access){ 0 };
	volume->has_perm = false;
}

static bool is_taken(const struct import *import, const struct namespace *but, const char *name)
{
	const struct topology *topology = import->topology;

	for (size_t i = 0; i < import->config->n_volumes; i++)
		if (strcmp(import->config->volumes[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < topology->n_regions; i++)
		for (size_t j = 0; j < topology->regions[i].n_namespaces; j++) {
			const struct namespace *ns = &topology->regions[i].namespaces[j];

			if (ns != but && ns->label && strcmp(ns->label, name) == 0)
				return true;
		}
	return false;
}

/*
 * daxctl's uuid is that of the info block, which is another whenever that is written anew; the
 * configuration has the one of the label, which stays.  It says which namespace the section is
 * for, whatever the volume is called: others may have its label, or it none.
 */
static int identify(const struct import *import, struct volume *volume, const struct region *region,
		    const struct namespace *ns)
{
	char *name;

	if (region->labels == LABELS_VALID)
		volume->uuid = ns->uuid;
	if (!is_taken(import, ns, volume->name))
		return 0;
	if (asprintf(&name, "found-%s", ns->name) < 0)
		return -ENOMEM;
	free(volume->name);
	volume->name = name;
	return 0;
}

/* daxctl's configuration says nothing of them, so they stay as they are. */
static void drop_partitions(struct volume *volume)
{
	for (size_t i = 0; i < volume->n_partitions; i++)
		partition_clear(&volume->partitions[i]);
	volume->n_partitions = 0;
}

static enum cli_exit add_volume(struct import *import, const struct conf_section *section,
				struct region *region, struct namespace *ns)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	struct config *one = NULL;
	struct error error = ERROR_INIT;

	if (export_either(import, region, ns, &one, &report) < 0) {
		(void)error_oom(&error);
		return fail(import, &error);
	}
	if (one->n_volumes == 0 || one->volumes[0].mode == MODE_FSDAX) {
		note(import, section, NULL,
		     report.n ? error_message(&report.errors[0]) :
				"The namespace is no devdax, and daxctl could not use it either.");
		config_free(one);
		return CLI_DONE;
	}
	drop_partitions(&one->volumes[0]);
	if (section->ram && one->volumes[0].mode != MODE_SYSTEM_RAM)
		note(import, section,
		     "\"daxctl-ext plan\" shows it, and apply needs --allow-data-loss, once",
		     "daxd marks namespaces that are memory, which loses what is in this one.");
	if (section->ram)
		make_memory(&one->volumes[0], section);
	if (identify(import, &one->volumes[0], region, ns) < 0)
		config_free(one);
	else if (config_merge(import->config, one) == 0)
		return CLI_DONE;
	(void)error_oom(&error);
	return fail(import, &error);
}

static enum cli_exit convert(struct import *import)
{
	enum cli_exit status = CLI_DONE;

	for (size_t i = 0; status == CLI_DONE && i < import->conf.n; i++) {
		const struct conf_section *section = &import->conf.sections[i];
		struct region *region;
		struct namespace *ns;

		if (!uuid_is_set(&section->uuid)) {
			note(import, section, NULL,
			     "The section has no nvdimm.uuid, so it is for no device.");
			continue;
		}
		if (was_imported(import, section)) {
			note(import, section, NULL,
			     "An earlier section is for the same device; this one is left out.");
			continue;
		}
		ns = find(import->topology, &section->uuid, &region);
		if (ns)
			status = add_volume(import, section, region, ns);
		else
			note(import, section, "run it where the device is, or give --topology",
			     "The machine has no namespace of this uuid.");
	}
	return status;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct import_options *options = userdata;
	_cleanup_(import_clear) struct import import = { .cli = cli };
	_cleanup_(client_clear) struct client client;
	enum cli_exit status;

	client_init(&client, options->topology);
	import.config = calloc(1, sizeof(*import.config));
	if (!import.config)
		abort(); /* nothing has begun */
	status = load(&import, args);
	if (status == CLI_DONE)
		status = client_scan(&client, LOOK_ALL, &import.topology, &cli->problems);
	if (status == CLI_DONE)
		status = convert(&import);
	if (status == CLI_DONE)
		status = cli_print_json(cli, config_to_json(import.config));
	(void)fflush(cli->out); /* so that the notes come after what they are about */
	problems_print_notes(&import.notes, cli->err, cli->colour_err);
	return status;
}

static const struct verb_option options[] = {
	OPTION_TOPOLOGY(struct import_options),
};

const struct verb verb_import = {
	.name = "import",
	.args = "[FILE...]",
	.max_args = ANY_NUMBER,
	.help = "Print a configuration made from that of daxctl",
	.about = "Reads the sections that daxctl-reconfigure-device(1) describes, in the files and "
		 "folders that are named or in " FOLDER ", and looks for the devices in "
		 "the machine. "
		 "What daxd has no words for is noted on the standard error output. "
		 "Nothing is changed: put the output into /etc/daxd, and take the sections out of "
		 "the files, so that there are not two who decide.",
	VERB_OPTIONS(struct import_options, options),
	.run = run,
};
