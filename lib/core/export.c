/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live state as a configuration that plans to nothing on the machine it was taken from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config-check.h"
#include "core/export-partition.h"
#include "core/identity.h"
#include "core/match.h"
#include "core/plan.h"

struct exporter {
	const struct topology *topology;
	struct config *config;
	struct report *notes;
	struct match *match;
	bool no_memory;
};

static char *copy(struct exporter *x, const char *text)
{
	char *made = text ? strdup(text) : NULL;

	if (text && !made)
		x->no_memory = true;
	return made;
}

static void skip(struct exporter *x, const char *object, const char *why)
{
	(void)report_add(x->notes, NULL, EOPNOTSUPP, NULL, "%s is left out: %s.", object, why);
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= VOLUME_NAME_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       length &&
	       text[0] != '.' && text[0] != '_' && text[0] != '-' &&
	       !config_is_kernels_name(text) && !config_is_verbs_word(text);
}

static bool is_link_of(const struct access *node, const char *name)
{
	const char *published = node->link ? access_link_name(node->link) : NULL;

	return published && strcmp(published, name) == 0;
}

static bool is_published(const struct region *region, const char *name)
{
	for (size_t i = 0; i < region->n_devices; i++)
		if (is_link_of(&region->devices[i].node, name))
			return true;
	for (size_t i = 0; i < region->n_namespaces; i++) {
		const struct namespace *ns = &region->namespaces[i];

		if (is_link_of(ns->device ? &ns->device->node : &ns->node, name))
			return true;
	}
	return false;
}

static bool is_taken(const struct exporter *x, const char *name)
{
	const struct topology *topology = x->topology;

	for (size_t i = 0; i < topology->n_regions; i++)
		if (is_published(&topology->regions[i], name))
			return true;
	for (size_t i = 0; i < topology->n_records; i++)
		if (strcmp(topology->records[i].volume, name) == 0)
			return true;
	for (size_t i = 0; i < topology->n_regions; i++)
		for (size_t j = 0; j < topology->regions[i].n_namespaces; j++) {
			const char *label = topology->regions[i].namespaces[j].label;

			if (label && strcmp(label, name) == 0)
				return true;
		}
	return false;
}

/* Of what has no name but the kernel's, which may be another's tomorrow: "found-dax0.0". */
static char *invent_name(struct exporter *x, const char *kernels)
{
	char *name = NULL;

	for (unsigned int i = 1;; i++) {
		if ((i == 1 ? asprintf(&name, "found-%s", kernels) :
			      asprintf(&name, "found-%s-%u", kernels, i)) < 0) {
			x->no_memory = true;
			return NULL;
		}
		if (!is_taken(x, name))
			return name;
		free(name);
	}
}

/* name NULL: it has none but the kernel's. */
static struct volume *add_volume(struct exporter *x, const struct region *region, const char *name,
				 const char *kernels)
{
	struct volume *volume = ARRAY_APPEND(x->config->volumes, x->config->n_volumes);

	if (!volume) {
		x->no_memory = true;
		return NULL;
	}
	volume->index = x->config->n_volumes++;
	volume->name = name ? copy(x, name) : invent_name(x, kernels);
	volume->zone = ZONE_MOVABLE;
	volume->enabled = volume->online = true;
	volume->wait = VOLUME_WAIT;
	volume_select(volume, region);
	return volume;
}

/* Owner, group and permissions where they are not what every fresh node has. */
static void set_access(struct exporter *x, struct volume *volume, const struct access *node,
		       const char *default_group, unsigned int default_perm)
{
	if (!node->owner)
		return;
	if (strcmp(node->owner, "root") != 0)
		volume->node.owner = copy(x, node->owner);
	if (strcmp(node->group, default_group) != 0)
		volume->node.group = copy(x, node->group);
	volume->has_perm = node->perm != default_perm;
	volume->node.perm = volume->has_perm ? node->perm : 0;
}

/* All blocks alike?  Sets zone and online, or says why it cannot. */
static const char *set_memory(struct volume *volume, const struct dax_device *device)
{
	if (device->n_blocks == 0)
		return "its memory blocks are not known";
	for (size_t i = 1; i < device->n_blocks; i++)
		if (device->blocks[i].online != device->blocks[0].online ||
		    device->blocks[i].zone != device->blocks[0].zone)
			return "its memory blocks are not all in one state and zone";
	volume->online = device->blocks[0].online;
	if (volume->online && device->blocks[0].zone == ZONE_OTHER)
		return "its memory is in a zone that is neither normal nor movable";
	volume->zone = volume->online ? device->blocks[0].zone : ZONE_MOVABLE;
	return NULL;
}

/* Mode and what belongs to it, from the driver of the dax device; a reason when impossible. */
static const char *set_device(struct exporter *x, struct volume *volume,
			      const struct dax_device *device)
{
	switch (device->driver) {
	case DRIVER_DEVICE_DAX:
		volume->mode = MODE_DEVDAX;
		set_access(x, volume, &device->node, "root", 0600);
		return NULL;
	case DRIVER_KMEM:
		volume->mode = MODE_SYSTEM_RAM;
		volume->persist = PERSIST_KMEM;
		return set_memory(volume, device);
	case DRIVER_NONE:
		volume->mode = MODE_DEVDAX;
		volume->enabled = false;
		return NULL;
	case DRIVER_OTHER:
		break;
	}
	return "its driver is one that no mode stands for";
}

static const char *reason_to_skip(const struct namespace *ns)
{
	if (!ns->enabled)
		return "it is disabled";
	if (ns->mode == NAMESPACE_RAW || ns->mode == NAMESPACE_SECTOR)
		return "modes raw and sector are not in the configuration language";
	if (ns->mode == NAMESPACE_DEVDAX && !ns->device)
		return "it has no dax device";
	return NULL;
}

/* The volume's name that daxd has published it by, or NULL. */
static const char *published_name(const struct access *node)
{
	const char *name = node->link ? access_link_name(node->link) : NULL;

	return name && is_name(name) ? name : NULL;
}

static void drop_last(struct exporter *x)
{
	volume_clear(&x->config->volumes[--x->config->n_volumes]);
}

/*
 * A system-ram namespace is known as such by its uuid, or by that of its info block, which is made
 * from the name: one that daxd did not make is memory today and a devdax after the next boot.
 */
static bool is_made_memory(const struct exporter *x, const struct namespace *ns, const char *name)
{
	struct uuid ram = volume_uuid(&x->topology->seed, name, MODE_SYSTEM_RAM);

	struct uuid info = volume_info_uuid(&ram);

	return uuid_equal(&ns->uuid, &ram) || uuid_equal(&ns->info_uuid, &info);
}

static void export_namespace(struct exporter *x, const struct region *region,
			     const struct namespace *ns)
{
	bool labelled = region->labels == LABELS_VALID;
	const struct place *same;
	/* A name that two have is no volume's: each goes by its uuid then. */
	bool named = labelled && ns->label && is_name(ns->label) &&
		     match_label(x->match, ns->label, &same) == 1 &&
		     !topology_find_record(x->topology, ns->label);
	const char *reason = reason_to_skip(ns);
	const char *published = published_name(ns->device ? &ns->device->node : &ns->node);
	struct volume *volume;

	if (reason) {
		skip(x, ns->name, reason);
		return;
	}
	if (published && named && strcmp(published, ns->label) != 0)
		named = false;
	volume = add_volume(x, region, named ? ns->label : published, ns->name);
	if (!volume)
		return;
	volume->mode = MODE_FSDAX;
	if (ns->mode == NAMESPACE_DEVDAX)
		reason = set_device(x, volume, ns->device);
	else
		set_access(x, volume, &ns->node, "disk", 0660);
	volume->size.kind = labelled ? SIZE_BYTES : SIZE_ALL;
	volume->size.bytes = ns->range.size;
	volume->align = ns->align;
	volume->map = ns->map;
	if (labelled && !named)
		volume->uuid = ns->uuid;
	if (!reason && volume->mode == MODE_SYSTEM_RAM && volume->name &&
	    !is_made_memory(x, ns, volume->name))
		reason = "it is memory only until the next boot, and daxd did not make it";
	if (reason) {
		skip(x, ns->name, reason);
		drop_last(x);
	} else if (export_partitions(x->topology, ns, volume, x->notes) < 0) {
		x->no_memory = true;
	}
}

static const struct record *record_of(const struct exporter *x, const struct dax_device *device)
{
	for (size_t i = 0; i < x->topology->n_records; i++)
		if (range_list_same_bytes(&x->topology->records[i].ranges, &device->ranges))
			return &x->topology->records[i];
	return NULL;
}

static void export_device(struct exporter *x, const struct region *region,
			  const struct dax_device *device)
{
	const struct record *record = record_of(x, device);
	const char *published = published_name(&device->node);
	struct volume *volume;
	const char *reason;

	if (device->size == 0)
		return;
	if (record && record->until_reboot) {
		skip(x, device->name, "it ends with the boot");
		return;
	}
	volume = add_volume(x, region, record ? record->volume : published, device->name);
	if (!volume)
		return;
	reason = set_device(x, volume, device);
	volume->align = device->align;
	/* Without a driver nothing but its record tells what it is for. */
	if (record && !volume->enabled && volume_mode_from_word(record->mode, &volume->mode) == 0 &&
	    volume->mode == MODE_SYSTEM_RAM)
		volume->persist = PERSIST_KMEM;
	if (record) {
		volume->size.kind = SIZE_BYTES;
		volume->size.bytes = device->size;
	} else if (range_list_copy(&volume->ranges, &device->ranges) < 0) {
		x->no_memory = true;
	}
	if (reason) {
		skip(x, device->name, reason);
		drop_last(x);
	}
}

int export_config(const struct topology *topology, struct config **ret, struct report *notes)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	struct exporter x = { .topology = topology, .config = config, .notes = notes };

	if (!config || match_new(topology, &x.match) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		if (region->labels == LABELS_BLANK)
			skip(&x, region->name, "its labels were never initialised");
		for (size_t j = 0; j < region->n_namespaces; j++)
			if (region->labels != LABELS_BLANK)
				export_namespace(&x, region, &region->namespaces[j]);
		for (size_t j = 0; j < region->n_devices; j++)
			export_device(&x, region, &region->devices[j]);
	}
	match_free(x.match);
	if (x.no_memory)
		return -ENOMEM;
	*ret = TAKE(config);
	return 0;
}
