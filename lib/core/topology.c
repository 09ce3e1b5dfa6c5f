/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/topology.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/words.h"

static const char *const region_types[] = { "pmem", "hmem", "cxl" };
static const char *const label_states[] = { "none", "blank", "valid" };
static const char *const namespace_modes[] = { "raw", "fsdax", "devdax", "sector" };
static const char *const map_locations[] = { "none", "dev", "mem" };
static const char *const drivers[] = { "none", "device_dax", "kmem", "other" };
static const char *const zones[] = { "none", "normal", "movable", "other" };
static const char *const holder_kinds[] = { "mount", "swap", "block", "process" };

DEFINE_WORDS(region_type, enum region_type, region_types)
DEFINE_WORDS(label_state, enum label_state, label_states)
DEFINE_WORDS(namespace_mode, enum namespace_mode, namespace_modes)
DEFINE_WORDS(map_location, enum map_location, map_locations)
DEFINE_WORDS(driver, enum driver, drivers)
DEFINE_WORDS(zone, enum zone, zones)
DEFINE_WORDS(holder_kind, enum holder_kind, holder_kinds)

void access_clear(struct access *access)
{
	free(access->owner);
	free(access->group);
	free(access->uid);
	free(access->gid);
	free(access->link);
	*access = (struct access){ 0 };
}

const char *access_link_name(const char *link)
{
	static const char *const folders[] = { DAX_LINKS, PMEM_LINKS };
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		size_t folder = strlen(folders[i]), length;

		if (strncmp(link, folders[i], folder) != 0)
			continue;
		length = strlen(link + folder);
		if (length > 0 && length <= LINK_NAME_MAX && link[folder] != '.' &&
		    strspn(link + folder, letters) == length)
			return link + folder;
	}
	return NULL;
}

static bool account_is(const char *want, const char *name, const char *number)
{
	return !want || strcmp(want, name) == 0 || (number && strcmp(want, number) == 0);
}

bool access_owners_are(const struct access *have, const char *owner, const char *group)
{
	if (!have->owner)
		return !owner && !group;
	return account_is(owner, have->owner, have->uid) &&
	       account_is(group, have->group, have->gid);
}

void holder_clear(struct holder *holder)
{
	free(holder->name);
	free(holder->mapping);
}

void holder_list_clear(struct holder_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		holder_clear(&list->holders[i]);
	free(list->holders);
	*list = (struct holder_list){ 0 };
}

int holder_list_add(struct holder_list *list, enum holder_kind kind, const char *name, int pid)
{
	struct holder *holder = ARRAY_APPEND(list->holders, list->n);

	if (!holder)
		return -ENOMEM;
	holder->name = strdup(name);
	if (!holder->name)
		return -ENOMEM;
	holder->kind = kind;
	holder->pid = pid;
	list->n++;
	return 0;
}

void disk_free(struct disk *disk)
{
	if (!disk)
		return;
	table_clear(&disk->table);
	for (size_t i = 0; i < disk->n_natives; i++)
		holder_list_clear(&disk->natives[i].holders);
	free(disk->natives);
	for (size_t i = 0; i < disk->n_maps; i++) {
		free(disk->maps[i].name);
		holder_list_clear(&disk->maps[i].holders);
	}
	free(disk->maps);
	free(disk);
}

void dax_device_clear(struct dax_device *device)
{
	free(device->name);
	free(device->driver_name);
	range_list_clear(&device->ranges);
	free(device->blocks);
	access_clear(&device->node);
	if (device->table)
		table_clear(device->table);
	free(device->table);
	holder_list_clear(&device->holders);
	*device = (struct dax_device){ 0 };
}

void namespace_clear(struct namespace *ns)
{
	free(ns->name);
	free(ns->label);
	free(ns->claim);
	free(ns->blockdev);
	access_clear(&ns->node);
	holder_list_clear(&ns->holders);
	disk_free(ns->disk);
	if (ns->device) {
		dax_device_clear(ns->device);
		free(ns->device);
	}
	*ns = (struct namespace){ 0 };
}

void region_clear(struct region *region)
{
	free(region->name);
	free(region->path);
	free(region->provider);
	for (size_t i = 0; i < region->n_dimms; i++)
		free(region->dimms[i]);
	free(region->dimms);
	for (size_t i = 0; i < region->n_namespaces; i++)
		namespace_clear(&region->namespaces[i]);
	free(region->namespaces);
	for (size_t i = 0; i < region->n_devices; i++)
		dax_device_clear(&region->devices[i]);
	free(region->devices);
	*region = (struct region){ 0 };
}

void dimm_clear(struct dimm *dimm)
{
	free(dimm->name);
	free(dimm->id);
	free(dimm->bus);
	*dimm = (struct dimm){ 0 };
}

void record_clear(struct record *record)
{
	free(record->volume);
	free(record->mode);
	free(record->boot);
	range_list_clear(&record->ranges);
	*record = (struct record){ 0 };
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
	free(topology->auto_online);
	for (size_t i = 0; i < topology->n_dimms; i++)
		dimm_clear(&topology->dimms[i]);
	free(topology->dimms);
	for (size_t i = 0; i < topology->n_regions; i++)
		region_clear(&topology->regions[i]);
	free(topology->regions);
	for (size_t i = 0; i < topology->n_records; i++)
		record_clear(&topology->records[i]);
	free(topology->records);
	free(topology);
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	int r = COMPARE(x->type, y->type);

	if (r == 0)
		r = COMPARE(x->range.start, y->range.start);
	return r ? r : strcmp(x->path, y->path);
}

static int compare_namespaces(const void *a, const void *b)
{
	const struct namespace *x = a, *y = b;
	int r = COMPARE(x->range.start, y->range.start);

	return r ? r : strcmp(x->name, y->name);
}

/* dax1.2 before dax1.10 */
static int compare_devices(const void *a, const void *b)
{
	const struct dax_device *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return strcmp(x->volume, y->volume);
}

static int compare_dimms(const void *a, const void *b)
{
	const struct dimm *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strverscmp(*x, *y);
}

static int compare_natives(const void *a, const void *b)
{
	const struct native *x = a, *y = b;

	return COMPARE(x->number, y->number);
}

static int compare_maps(const void *a, const void *b)
{
	const struct disk_map *x = a, *y = b;

	return COMPARE(x->number, y->number);
}

static int compare_blocks(const void *a, const void *b)
{
	const struct memory_block *x = a, *y = b;

	return COMPARE(x->number, y->number);
}

/* qsort() may not be handed NULL, not even for no elements. */
#define SORT(array, n, compare)                                                \
	do {                                                                   \
		if ((n) > 1)                                                   \
			qsort((array), (n), sizeof((array)[0]), (compare));    \
	} while (0)

static void sort_namespace(struct namespace *ns)
{
	if (ns->device)
		SORT(ns->device->blocks, ns->device->n_blocks, compare_blocks);
	if (!ns->disk)
		return;
	SORT(ns->disk->natives, ns->disk->n_natives, compare_natives);
	SORT(ns->disk->maps, ns->disk->n_maps, compare_maps);
}

void topology_sort(struct topology *topology)
{
	SORT(topology->dimms, topology->n_dimms, compare_dimms);
	SORT(topology->regions, topology->n_regions, compare_regions);
	SORT(topology->records, topology->n_records, compare_records);
	for (size_t i = 0; i < topology->n_regions; i++) {
		struct region *region = &topology->regions[i];

		SORT(region->dimms, region->n_dimms, compare_names);
		SORT(region->namespaces, region->n_namespaces, compare_namespaces);
		SORT(region->devices, region->n_devices, compare_devices);
		for (size_t j = 0; j < region->n_devices; j++)
			SORT(region->devices[j].blocks, region->devices[j].n_blocks,
			     compare_blocks);
		for (size_t j = 0; j < region->n_namespaces; j++)
			sort_namespace(&region->namespaces[j]);
	}
}

bool dax_device_any_online(const struct dax_device *device)
{
	for (size_t i = 0; device && i < device->n_blocks; i++)
		if (device->blocks[i].online)
			return true;
	return false;
}

bool region_is_dynamic(const struct region *region)
{
	return region->type != REGION_PMEM;
}

struct region *topology_find_region(const struct topology *topology, const char *path)
{
	for (size_t i = 0; i < topology->n_regions; i++)
		if (strcmp(topology->regions[i].path, path) == 0)
			return &topology->regions[i];
	return NULL;
}

struct record *topology_find_record(const struct topology *topology, const char *volume)
{
	const struct record key = { .volume = (char *)volume };

	if (topology->n_records == 0)
		return NULL;
	return bsearch(&key, topology->records, topology->n_records, sizeof(key), compare_records);
}

struct namespace *region_find_namespace(const struct region *region, const struct uuid *uuid)
{
	if (!uuid_is_set(uuid))
		return region->labels != LABELS_VALID && region->n_namespaces == 1 ?
			       &region->namespaces[0] :
			       NULL;
	for (size_t i = 0; i < region->n_namespaces; i++)
		if (uuid_equal(&region->namespaces[i].uuid, uuid))
			return &region->namespaces[i];
	return NULL;
}

struct dax_device *region_find_device(const struct region *region, uint64_t address)
{
	for (size_t i = 0; i < region->n_devices; i++) {
		struct dax_device *device = &region->devices[i];

		if (device->ranges.n && device->ranges.ranges[0].start == address)
			return device;
	}
	return NULL;
}

const struct uuid *namespace_disk_uuid(const struct namespace *ns)
{
	return uuid_is_set(&ns->info_uuid) ? &ns->info_uuid : &ns->uuid;
}

const char *disk_infix(const char *blockdev)
{
	size_t length = strlen(blockdev);

	return length && strchr("0123456789", blockdev[length - 1]) ? "p" : "";
}

struct native *disk_find_native(const struct disk *disk, unsigned int number)
{
	for (size_t i = 0; i < disk->n_natives; i++)
		if (disk->natives[i].number == number)
			return &disk->natives[i];
	return NULL;
}

bool disk_map_is_open(const struct disk_map *map)
{
	return map->open_count || map->holders.n;
}

struct disk_map *disk_find_map(const struct disk *disk, unsigned int number)
{
	for (size_t i = 0; i < disk->n_maps; i++)
		if (disk->maps[i].number == number)
			return &disk->maps[i];
	return NULL;
}

struct dax_device *region_device(const struct region *region, const struct uuid *namespace_uuid,
				 uint64_t start)
{
	struct namespace *ns;

	if (region_is_dynamic(region))
		return region_find_device(region, start);
	ns = region_find_namespace(region, namespace_uuid);
	return ns ? ns->device : NULL;
}

const struct access *region_node(const struct region *region, const struct uuid *namespace_uuid,
				 uint64_t start)
{
	const struct dax_device *device = region_device(region, namespace_uuid, start);
	const struct namespace *ns = region_find_namespace(region, namespace_uuid);

	if (device)
		return &device->node;
	return ns && ns->blockdev ? &ns->node : NULL;
}

struct uuid region_uuid(uint64_t cookie)
{
	/* Made once, at random, for this purpose. */
	static const struct uuid space = { "6f1d2c0e-7b7a-4a53-9c0e-3d1f0f6b5a11" };
	char text[32];

	if (cookie == 0)
		return (struct uuid){ "" };
	(void)snprintf(text, sizeof(text), "0x%016" PRIx64, cookie);
	return uuid_derive(&space, text);
}
