/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rivals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "core/identity.h"
#include "core/match.h"

#define FILE_SIZE_MAX (1u << 20)
#define BLANKS " \t\r\"'"

struct search {
	const struct config *config;
	const struct topology *topology;
	struct report *notes;
};

typedef void look(const struct search *search, const char *path, char *text);

/* report_take() takes what the error holds. */
static void note(const struct search *search, struct error *error, const char *file)
{
	error->file = file ? strdup(file) : NULL;
	(void)report_take(search->notes, error);
}

static bool is_namespace_of(const struct search *search, const struct namespace *ns,
			    const struct volume *volume)
{
	struct uuid uuid = volume->uuid, info;

	if (ns->label && strcmp(ns->label, volume->name) == 0)
		return true;
	if (!uuid_is_set(&uuid))
		uuid = volume_uuid(&search->topology->seed, volume->name, volume->mode);
	/* Where there are no labels, it is the info block that says whose it is. */
	info = volume_info_uuid(&uuid);
	return uuid_equal(&ns->uuid, &uuid) || uuid_equal(&ns->info_uuid, &info);
}

static const struct volume *volume_of(const struct search *search, const struct namespace *ns)
{
	for (size_t i = 0; i < search->config->n_volumes; i++)
		if (is_namespace_of(search, ns, &search->config->volumes[i]))
			return &search->config->volumes[i];
	return NULL;
}

static const struct volume *volume_with_uuid(const struct search *search, const struct uuid *uuid)
{
	for (size_t i = 0; i < search->topology->n_regions; i++) {
		const struct region *region = &search->topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++) {
			const struct namespace *ns = &region->namespaces[j];

			if (uuid_equal(&ns->uuid, uuid) || uuid_equal(&ns->info_uuid, uuid))
				return volume_of(search, ns);
		}
	}
	return NULL;
}

/* A line "nvdimm.uuid = ..." of daxctl's files; the sections that hold it need no distinction. */
static bool read_uuid(char *line, struct uuid *ret)
{
	char *value = strchr(line, '='), *key = line + strspn(line, BLANKS);

	if (!value)
		return false;
	*value++ = 0;
	key[strcspn(key, BLANKS)] = 0;
	if (strcasecmp(key, "nvdimm.uuid") != 0 && strcasecmp(key, "uuid") != 0)
		return false;
	value += strspn(value, BLANKS);
	value[strcspn(value, BLANKS)] = 0;
	return uuid_parse_text(value, ret) == 0;
}

static void look_at_daxctl(const struct search *search, const char *path, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const struct volume *volume;
		struct error error = ERROR_INIT;
		struct uuid uuid;

		volume = read_uuid(line, &uuid) ? volume_with_uuid(search, &uuid) : NULL;
		if (!volume)
			continue;
		(void)error_set(&error, EEXIST, "daxctl has a section for volume \"%s\", which daxd "
				"configures and daxctl does not.", volume->name);
		(void)error_hint(&error, "take the section with %s out of that file", uuid.text);
		note(search, &error, path);
	}
}

static void remove_blanks(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ' && *from != '\t')
			*to++ = *from;
	*to = 0;
}

/* Whether it gets there on this machine is not for us to find out: it may. */
static void look_at_rules(const struct search *search, const char *path, char *text)
{
	bool memory = false, online = false;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct error error = ERROR_INIT;

		remove_blanks(line);
		if (*line == '#')
			continue;
		memory |= strstr(line, "SUBSYSTEM==\"memory\"") ||
			  strstr(line, "SUBSYSTEM!=\"memory\"");
		online |= strstr(line, "ATTR{state}=\"online") ||
			  strstr(line, "ATTR{state}=\"$env");
		if (!memory || !online)
			continue;
		(void)error_set(&error, EEXIST, "A rule of udev may put memory of volumes online "
				"behind the back of daxd.");
		(void)error_hint(&error, "switch it off with a link of the same name in "
				 "/etc/udev/rules.d to /dev/null");
		note(search, &error, path);
		return;
	}
}

/* Does a folder that comes before have a file of this name? */
static bool is_replaced(const char *root, const char *const folders[], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s%s/%s", root, folders[i], name) < 0) {
			path = NULL;
			return false;
		}
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Folders in the order in which they replace files of each other. */
static void look_into(const struct search *search, const char *root, const char *const folders[],
		      size_t n, const char *ending, look *look_at)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(file_list_clear) struct file_list list = { 0 };
		_cleanup_(error_clear) struct error error = ERROR_INIT;
		_cleanup_(freep) char *folder = NULL;

		if (asprintf(&folder, "%s%s", root, folders[i]) < 0) {
			folder = NULL;
			return;
		}
		(void)file_list_folder(folder, ending, &list, &error); /* none is no file */
		for (size_t j = 0; j < list.n; j++) {
			_cleanup_(error_clear) struct error unread = ERROR_INIT;
			_cleanup_(freep) char *text = NULL;
			size_t length;

			if (is_replaced(root, folders, i, strrchr(list.paths[j], '/') + 1))
				continue;
			if (file_read(list.paths[j], FILE_SIZE_MAX, &text, &length, &unread) == 0)
				look_at(search, list.paths[j], text);
		}
	}
}

/* The zone in which the kernel alone has put memory of a region; NONE: none, or it is recorded. */
static enum zone zone_of_default(const struct topology *topology, const struct region *region)
{
	for (size_t i = 0; i < region->n_devices; i++) {
		const struct dax_device *device = &region->devices[i];
		bool recorded = false;

		if (device->driver != DRIVER_KMEM || !device->ranges.n)
			continue;
		for (size_t j = 0; j < topology->n_records; j++)
			recorded |= topology->records[j].ranges.n &&
				    range_overlaps(topology->records[j].ranges.ranges[0],
						   device->ranges.ranges[0]);
		for (size_t j = 0; !recorded && j < device->n_blocks; j++)
			if (device->blocks[j].online)
				return device->blocks[j].zone;
	}
	return ZONE_NONE;
}

/* Memory in zone Movable can be had back. */
static bool is_in_the_way(const struct volume *volume, enum zone zone)
{
	if (volume->mode == MODE_SYSTEM_RAM && volume->online)
		return zone != volume->zone;
	return zone != ZONE_MOVABLE;
}

static void look_at_policy(const struct search *search, const struct region *region)
{
	enum zone zone = zone_of_default(search->topology, region);

	for (size_t i = 0; zone != ZONE_NONE && i < search->config->n_volumes; i++) {
		const struct volume *volume = &search->config->volumes[i];
		struct volume_path at;
		struct error error = ERROR_INIT;

		if (volume->absent || !volume->has_region ||
		    !selector_admits(&volume->region, region) || !is_in_the_way(volume, zone))
			continue;
		(void)error_at(&error, volume_path(&at, volume, NULL), EEXIST,
			       "The kernel by itself has put memory of %s, where volume \"%s\" is "
			       "to be, online in zone %s (its policy is \"%s\").", region->name,
			       volume->name, zone_word(zone), search->topology->auto_online);
		(void)error_hint(&error, "boot with memhp_default_state=offline");
		note(search, &error, volume->file);
		return;
	}
}

static bool wants_memory(const struct config *config)
{
	for (size_t i = 0; i < config->n_volumes; i++)
		if (!config->volumes[i].absent && config->volumes[i].mode == MODE_SYSTEM_RAM)
			return true;
	return false;
}

void rivals_find(const char *root, const struct config *config, const struct topology *topology,
		 struct report *notes)
{
	static const char *const daxctl[] = { "/etc/daxctl.conf.d" };
	static const char *const rules[] = { "/etc/udev/rules.d", "/run/udev/rules.d",
					     "/usr/lib/udev/rules.d" };
	const struct search search = { config, topology, notes };

	look_into(&search, root, daxctl, ARRAY_SIZE(daxctl), ".conf", look_at_daxctl);
	if (wants_memory(config))
		look_into(&search, root, rules, ARRAY_SIZE(rules), ".rules", look_at_rules);
	for (size_t i = 0; topology->auto_online && i < topology->n_regions; i++)
		if (region_is_dynamic(&topology->regions[i]) &&
		    strcmp(topology->auto_online, "offline") != 0)
			look_at_policy(&search, &topology->regions[i]);
}
