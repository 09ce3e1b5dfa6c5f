/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/topology-json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "core/json-read.h"
#include "core/table-json.h"
#include "core/topology-check.h"

#define MIB (UINT64_C(1) << 20)
/* What the kernel takes unless told otherwise. */
#define PMEM_REGION_ALIGN (16 * MIB)
#define DAX_ALIGN (2 * MIB)
#define MEMORY_BLOCK_SIZE (128 * MIB)
/* Not in the document; no size or node is that. */
#define UNREAD_SIZE UINT64_MAX
#define UNREAD_NODE INT_MIN

static const int node_min = -1, handle_min = -1, pid_min = 1;
static const struct json_words region_types = { region_type_word, 0, N_REGION_TYPES };
static const struct json_words label_states = { label_state_word, 0, N_LABEL_STATES };
static const struct json_words namespace_modes = { namespace_mode_word, 0, N_NAMESPACE_MODES };
static const struct json_words maps = { map_location_word, 0, N_MAP_LOCATIONS };
static const struct json_words drivers = { driver_word, 0, N_DRIVERS };
static const struct json_words zones = { zone_word, 0, N_ZONES };
static const struct json_words holder_kinds = { holder_kind_word, 0, N_HOLDER_KINDS };

/* An array of page sizes, kept or-ed together. */
static void read_aligns(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	static const struct json_list list = { sizeof(uint64_t), json_u64, NULL };
	struct {
		uint64_t *sizes;
		size_t n;
	} read = { 0 };
	uint64_t all = 0;

	(void)arg;
	json_array(report, value, at, &read, &list);
	for (size_t i = 0; i < read.n; i++) {
		if (is_power_of_2(read.sizes[i]))
			all |= read.sizes[i];
		else
			(void)report_add(report, at, EINVAL, "page sizes are powers of two.",
					 "%" PRIu64 " is not a page size.", read.sizes[i]);
	}
	free(read.sizes);
	*(uint64_t *)to = all;
}

static const struct json_list range_list = { sizeof(struct range), json_range, NULL };

static const struct json_field access_fields[] = {
	JSON_FIELD("owner", json_text, struct access, owner, .required = true),
	JSON_FIELD("group", json_text, struct access, group, .required = true),
	JSON_FIELD("uid", json_text, struct access, uid),
	JSON_FIELD("gid", json_text, struct access, gid),
	JSON_FIELD("perm", json_perm, struct access, perm, .required = true),
	JSON_FIELD("link", json_text, struct access, link),
};
static const struct json_table access_table = JSON_TABLE("a node", access_fields);

static const struct json_field holder_fields[] = {
	JSON_FIELD("kind", json_word, struct holder, kind, .arg = &holder_kinds, .required = true),
	JSON_FIELD("name", json_text, struct holder, name, .required = true),
	JSON_FIELD("mapping", json_text, struct holder, mapping),
	JSON_FIELD("pid", json_int, struct holder, pid, .arg = &pid_min),
	JSON_FIELD("mapped", json_bool, struct holder, mapped),
};
static const struct json_table holder_table = JSON_TABLE("a holder", holder_fields);
static const struct json_list holder_list = { sizeof(struct holder), json_object, &holder_table };

static void read_block_state(struct report *report, const struct json_value *value,
			     const struct path *at, void *to, const void *arg)
{
	const char *word = value->type == JSON_STRING ? value->text : "";
	bool online = strcmp(word, "online") == 0;

	(void)arg;
	if (online || strcmp(word, "offline") == 0)
		*(bool *)to = online;
	else
		json_wrong_type(report, value, at, "\"online\" or \"offline\"", NULL);
}

static void read_block(struct report *report, const struct json_value *value,
		       const struct path *at, void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("number", json_u64, struct memory_block, number, .required = true),
		JSON_FIELD("state", read_block_state, struct memory_block, online,
			   .required = true),
		JSON_FIELD("zone", json_word, struct memory_block, zone, .arg = &zones),
	};
	static const struct json_table table = JSON_TABLE("a memory block", fields);
	struct memory_block *block = to;

	(void)arg;
	block->zone = N_ZONES;
	json_object(report, value, at, block, &table);
	if (block->zone == N_ZONES)
		block->zone = block->online ? ZONE_MOVABLE : ZONE_NONE;
}

static const struct json_list block_list = { sizeof(struct memory_block), read_block, NULL };

static const struct json_field native_fields[] = {
	JSON_FIELD("number", json_unsigned, struct native, number, .required = true),
	JSON_FIELD("start", json_u64, struct native, extent.start, .required = true),
	JSON_FIELD("size", json_u64, struct native, extent.size, .required = true),
	JSON_FIELD("holders", json_array, struct native, holders, .arg = &holder_list),
};
static const struct json_table native_table = JSON_TABLE("a partition of the kernel",
							 native_fields);
static const struct json_list native_list = { sizeof(struct native), json_object, &native_table };

static void read_map(struct report *report, const struct json_value *value, const struct path *at,
		     void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("number", json_unsigned, struct disk_map, number, .required = true),
		JSON_FIELD("name", json_text, struct disk_map, name, .required = true),
		JSON_FIELD("start", json_u64, struct disk_map, extent.start, .required = true),
		JSON_FIELD("size", json_u64, struct disk_map, extent.size, .required = true),
		JSON_FIELD("read_only", json_bool, struct disk_map, read_only),
		JSON_FIELD("linked", json_bool, struct disk_map, linked),
		JSON_FIELD("open_count", json_unsigned, struct disk_map, open_count),
		JSON_FIELD("holders", json_array, struct disk_map, holders, .arg = &holder_list),
	};
	static const struct json_table table = JSON_TABLE("a map", fields);
	struct disk_map *map = to;

	(void)arg;
	map->linked = true;
	json_object(report, value, at, map, &table);
}

static const struct json_list map_list = { sizeof(struct disk_map), read_map, NULL };

static void read_disk(struct report *report, const struct json_value *value, const struct path *at,
		      void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("policy", json_word, struct disk, policy, .arg = &json_partitionings),
		JSON_FIELD("managed", json_bool, struct disk, managed),
		JSON_FIELD("table", json_table_of_partitions, struct disk, table),
		JSON_FIELD("natives", json_array, struct disk, natives, .arg = &native_list),
		JSON_FIELD("maps", json_array, struct disk, maps, .arg = &map_list),
	};
	static const struct json_table table = JSON_TABLE("a disk", fields);
	struct disk **disk = to;

	(void)arg;
	*disk = calloc(1, sizeof(**disk));
	if (*disk)
		json_object(report, value, at, *disk, &table);
	else
		json_no_memory(report);
}

static void read_table_of_device(struct report *report, const struct json_value *value,
				 const struct path *at, void *to, const void *arg)
{
	struct partition_table **table = to;

	*table = calloc(1, sizeof(**table));
	if (*table)
		json_table_of_partitions(report, value, at, *table, arg);
	else
		json_no_memory(report);
}

/* Defaults that depend on the region or the namespace are filled in by settle_device(). */
static void read_device(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("name", json_text, struct dax_device, name, .required = true),
		JSON_FIELD("size", json_u64, struct dax_device, size),
		JSON_FIELD("align", json_u64, struct dax_device, align),
		JSON_FIELD("target_node", json_int, struct dax_device, target_node,
			   .arg = &node_min),
		JSON_FIELD("numa", json_int, struct dax_device, numa, .arg = &node_min),
		JSON_FIELD("driver", json_word, struct dax_device, driver, .arg = &drivers),
		JSON_FIELD("driver_name", json_text, struct dax_device, driver_name),
		JSON_FIELD("ranges", json_array, struct dax_device, ranges, .arg = &range_list),
		JSON_FIELD("blocks", json_array, struct dax_device, blocks, .arg = &block_list),
		JSON_FIELD("node", json_object, struct dax_device, node, .arg = &access_table),
		JSON_FIELD("table", read_table_of_device, struct dax_device, table),
		JSON_FIELD("holders", json_array, struct dax_device, holders, .arg = &holder_list),
	};
	static const struct json_table table = JSON_TABLE("a dax device", fields);
	struct dax_device *device = to;

	(void)arg;
	device->size = UNREAD_SIZE;
	device->align = DAX_ALIGN;
	device->target_node = device->numa = UNREAD_NODE;
	device->driver = N_DRIVERS;
	json_object(report, value, at, device, &table);
}

static const struct json_list device_list = { sizeof(struct dax_device), read_device, NULL };

static void read_device_of_namespace(struct report *report, const struct json_value *value,
				     const struct path *at, void *to, const void *arg)
{
	struct dax_device **device = to;

	*device = calloc(1, sizeof(**device));
	if (*device)
		read_device(report, value, at, *device, arg);
	else
		json_no_memory(report);
}

static void read_namespace(struct report *report, const struct json_value *value,
			   const struct path *at, void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("name", json_text, struct namespace, name, .required = true),
		JSON_FIELD("label", json_text, struct namespace, label),
		JSON_FIELD("uuid", json_uuid, struct namespace, uuid),
		JSON_FIELD("info_uuid", json_uuid, struct namespace, info_uuid),
		JSON_FIELD("mode", json_word, struct namespace, mode, .arg = &namespace_modes,
			   .required = true),
		JSON_FIELD("start", json_u64, struct namespace, range.start, .required = true),
		JSON_FIELD("size", json_u64, struct namespace, range.size, .required = true),
		JSON_FIELD("usable", json_u64, struct namespace, size),
		JSON_FIELD("align", json_u64, struct namespace, align),
		JSON_FIELD("map", json_word, struct namespace, map, .arg = &maps),
		JSON_FIELD("sector_size", json_u64, struct namespace, sector_size),
		JSON_FIELD("enabled", json_bool, struct namespace, enabled),
		JSON_FIELD("claim", json_text, struct namespace, claim),
		JSON_FIELD("blockdev", json_text, struct namespace, blockdev),
		JSON_FIELD("node", json_object, struct namespace, node, .arg = &access_table),
		JSON_FIELD("device", read_device_of_namespace, struct namespace, device),
		JSON_FIELD("disk", read_disk, struct namespace, disk),
		JSON_FIELD("holders", json_array, struct namespace, holders, .arg = &holder_list),
	};
	static const struct json_table table = JSON_TABLE("a namespace", fields);
	struct namespace *ns = to;
	bool pages;

	(void)arg;
	ns->size = ns->align = UNREAD_SIZE;
	ns->map = N_MAP_LOCATIONS;
	ns->enabled = true;
	json_object(report, value, at, ns, &table);
	pages = ns->mode == NAMESPACE_FSDAX || ns->mode == NAMESPACE_DEVDAX;
	if (ns->size == UNREAD_SIZE)
		ns->size = ns->enabled ? ns->range.size : 0;
	if (ns->align == UNREAD_SIZE)
		ns->align = pages ? DAX_ALIGN : 0;
	if (ns->map == N_MAP_LOCATIONS)
		ns->map = pages ? MAP_DEV : MAP_NONE;
}

static const struct json_list namespace_list = { sizeof(struct namespace), read_namespace, NULL };
static const struct json_list name_list = { sizeof(char *), json_text, NULL };

static void check_range(struct report *report, const struct path *at, struct range *range)
{
	uint64_t end;

	if (range->size && !__builtin_add_overflow(range->start, range->size, &end))
		return;
	(void)report_add(report, at, EINVAL, NULL,
			 "The range at 0x%" PRIx64 " of %" PRIu64
			 " bytes is empty or goes past the end of 64 bits.",
			 range->start, range->size);
	*range = (struct range){ 0 };
}

/* Where the document says nothing, a device is as its region or its namespace has it. */
static void settle_device(struct dax_device *device, const struct region *region,
			  const struct namespace *ns)
{
	if (device->target_node == UNREAD_NODE)
		device->target_node = region->target_node;
	if (device->numa == UNREAD_NODE)
		device->numa = region->numa;
	if (ns && device->ranges.n == 0 && device->size == UNREAD_SIZE)
		device->size = ns->size;
	if (device->size == UNREAD_SIZE)
		device->size = range_list_size(&device->ranges);
	if (device->driver == N_DRIVERS)
		device->driver = device->size ? DRIVER_DEVICE_DAX : DRIVER_NONE;
}

static void settle_region(struct report *report, const struct path *at, struct region *region)
{
	uint64_t used = 0;

	check_range(report, at, &region->range);
	if (region->align == UNREAD_SIZE) {
		region->align = region_is_dynamic(region) ? DAX_ALIGN : PMEM_REGION_ALIGN;
		/* The kernel makes it a multiple of the interleave, whatever that is. */
		if (!region_is_dynamic(region) && region->ways &&
		    PMEM_REGION_ALIGN % region->ways)
			region->align *= region->ways;
	}
	for (size_t i = 0; i < region->n_namespaces; i++) {
		struct namespace *ns = &region->namespaces[i];
		const struct path list = { .parent = at, .key = "namespaces" };
		const struct path ns_at = { .parent = &list, .index = i };

		check_range(report, &ns_at, &ns->range);
		used += ns->range.size;
		if (ns->device)
			settle_device(ns->device, region, ns);
	}
	for (size_t i = 0; i < region->n_devices; i++) {
		settle_device(&region->devices[i], region, NULL);
		used += region->devices[i].size;
	}
	if (region->available == UNREAD_SIZE)
		region->available = region->range.size > used ? region->range.size - used : 0;
}

static void read_ways(struct report *report, const struct json_value *value, const struct path *at,
		      void *to, const void *arg)
{
	static const struct json_limits limits = { 1, 1024 };
	uint64_t ways = 1;

	(void)arg;
	json_u64(report, value, at, &ways, &limits);
	*(unsigned int *)to = (unsigned int)ways;
}

static void read_region(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	static const struct json_limits align_limits = { 1, UINT64_C(1) << 50 };
	static const struct json_field fields[] = {
		JSON_FIELD("name", json_text, struct region, name, .required = true),
		JSON_FIELD("path", json_text, struct region, path, .required = true),
		JSON_FIELD("provider", json_text, struct region, provider),
		JSON_FIELD("type", json_word, struct region, type, .arg = &region_types,
			   .required = true),
		JSON_FIELD("id", json_int, struct region, id, .arg = &node_min),
		JSON_FIELD("uuid", json_uuid, struct region, uuid),
		JSON_FIELD("cookie", json_hex, struct region, cookie),
		JSON_FIELD("start", json_u64, struct region, range.start, .required = true),
		JSON_FIELD("size", json_u64, struct region, range.size, .required = true),
		JSON_FIELD("available", json_u64, struct region, available),
		JSON_FIELD("align", json_u64, struct region, align, .arg = &align_limits),
		JSON_FIELD("aligns", read_aligns, struct region, aligns),
		JSON_FIELD("numa", json_int, struct region, numa, .arg = &node_min),
		JSON_FIELD("target_node", json_int, struct region, target_node,
			   .arg = &node_min),
		JSON_FIELD("ways", read_ways, struct region, ways),
		JSON_FIELD("labels", json_word, struct region, labels, .arg = &label_states),
		JSON_FIELD("read_only", json_bool, struct region, read_only),
		JSON_FIELD("enabled", json_bool, struct region, enabled),
		JSON_FIELD("dimms", json_array, struct region, dimms, .arg = &name_list),
		JSON_FIELD("namespaces", json_array, struct region, namespaces,
			   .arg = &namespace_list),
		JSON_FIELD("devices", json_array, struct region, devices, .arg = &device_list),
	};
	static const struct json_table table = JSON_TABLE("a region", fields);
	struct region *region = to;
	size_t before = report->n;

	(void)arg;
	region->id = region->numa = region->target_node = -1;
	region->available = region->align = UNREAD_SIZE;
	region->aligns = ALIGN_4K | ALIGN_2M | ALIGN_1G;
	region->ways = 1;
	region->enabled = true;
	json_object(report, value, at, region, &table);
	if (report->n == before)
		settle_region(report, at, region);
}

static const struct json_list region_list = { sizeof(struct region), read_region, NULL };

static void read_dimm(struct report *report, const struct json_value *value, const struct path *at,
		      void *to, const void *arg)
{
	static const struct json_field fields[] = {
		JSON_FIELD("name", json_text, struct dimm, name, .required = true),
		JSON_FIELD("id", json_text, struct dimm, id),
		JSON_FIELD("bus", json_text, struct dimm, bus),
		JSON_FIELD("handle", json_int, struct dimm, handle, .arg = &handle_min),
		JSON_FIELD("locked", json_bool, struct dimm, locked),
		JSON_FIELD("labels", json_word, struct dimm, labels, .arg = &label_states),
	};
	static const struct json_table table = JSON_TABLE("a dimm", fields);
	struct dimm *dimm = to;

	(void)arg;
	dimm->handle = -1;
	json_object(report, value, at, dimm, &table);
}

static const struct json_list dimm_list = { sizeof(struct dimm), read_dimm, NULL };

static const struct json_field record_fields[] = {
	JSON_FIELD("volume", json_text, struct record, volume, .required = true),
	JSON_FIELD("mode", json_text, struct record, mode, .required = true),
	JSON_FIELD("ranges", json_array, struct record, ranges, .arg = &range_list,
		   .required = true),
	JSON_FIELD("until_reboot", json_bool, struct record, until_reboot),
};
static const struct json_table record_table = JSON_TABLE("a record", record_fields);
static const struct json_list record_list = { sizeof(struct record), json_object, &record_table };

static void read_block_size(struct report *report, const struct json_value *value,
			    const struct path *at, void *to, const void *arg)
{
	uint64_t *size = to;

	json_u64(report, value, at, size, arg);
	if (*size && !is_power_of_2(*size))
		(void)report_add(report, at, EINVAL, NULL, "%" PRIu64 " is not a power of two.",
				 *size);
}

static void read_auto_online(struct report *report, const struct json_value *value,
			     const struct path *at, void *to, const void *arg)
{
	static const char *const words[] = { "offline", "online", "online_kernel",
					     "online_movable" };

	for (size_t i = 0; value->type == JSON_STRING && i < ARRAY_SIZE(words); i++)
		if (strcmp(value->text, words[i]) == 0) {
			json_text(report, value, at, to, arg);
			return;
		}
	json_wrong_type(report, value, at,
			"one of offline, online, online_kernel, online_movable", NULL);
}

static const uint64_t version = TOPOLOGY_VERSION;

static const struct json_field topology_fields[] = {
	{ .key = "topology", .read = json_version, .arg = &version, .required = true },
	JSON_FIELD("seed", json_uuid, struct topology, seed),
	JSON_FIELD("memory_block_size", read_block_size, struct topology, memory_block_size),
	JSON_FIELD("auto_online", read_auto_online, struct topology, auto_online),
	JSON_FIELD("dimms", json_array, struct topology, dimms, .arg = &dimm_list),
	JSON_FIELD("regions", json_array, struct topology, regions, .arg = &region_list,
		   .required = true),
	JSON_FIELD("records", json_array, struct topology, records, .arg = &record_list),
};

int topology_parse(const char *text, size_t length, struct topology **ret, struct report *report)
{
	static const struct json_table table = JSON_TABLE("a topology", topology_fields);
	_cleanup_(topology_freep) struct topology *topology = NULL;
	size_t before = report->n;
	int r;

	topology = calloc(1, sizeof(*topology));
	if (!topology) {
		json_no_memory(report);
		return -ENOMEM;
	}
	topology->memory_block_size = MEMORY_BLOCK_SIZE;
	r = json_read_document(text, length, &table, topology, report);
	if (r < 0)
		return r;
	topology_check(topology, report);
	if (report->n > before)
		return -report->errors[before].code;
	topology_sort(topology);
	*ret = TAKE(topology);
	return 0;
}
