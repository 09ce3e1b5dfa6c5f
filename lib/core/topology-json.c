/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/topology-json.h"

#include <stdlib.h>
#include <string.h>

#include "core/table-json.h"

/* Every scalar is written, so that a reader of the text need not know our defaults. */
struct writer {
	struct json_out out;
	bool holders;
	const struct scope *scope;
};

static void put_access(struct json_out *out, const struct access *node)
{
	if (!node->owner)
		return;
	json_open(out, "node", '{');
	json_put_text(out, "owner", node->owner);
	json_put_text(out, "group", node->group);
	json_put_text(out, "uid", node->uid);
	json_put_text(out, "gid", node->gid);
	json_put_perm(out, "perm", node->perm);
	json_put_text(out, "link", node->link);
	json_close(out, '}');
}

void holder_put(struct json_out *out, const struct holder *holder)
{
	json_open(out, NULL, '{');
	json_put_text(out, "kind", holder_kind_word(holder->kind));
	json_put_text(out, "name", holder->name);
	json_put_text(out, "mapping", holder->mapping);
	if (holder->kind == HOLDER_PROCESS)
		json_put_int(out, "pid", holder->pid);
	if (holder->mapped)
		json_put_bool(out, "mapped", true);
	json_close(out, '}');
}

static void put_holders(struct writer *w, const struct holder_list *list)
{
	if (!w->holders || !list->n)
		return;
	json_open(&w->out, "holders", '[');
	for (size_t i = 0; i < list->n; i++)
		holder_put(&w->out, &list->holders[i]);
	json_close(&w->out, ']');
}

static void put_blocks(struct json_out *out, const struct dax_device *device)
{
	if (!device->n_blocks)
		return;
	json_open(out, "blocks", '[');
	for (size_t i = 0; i < device->n_blocks; i++) {
		const struct memory_block *block = &device->blocks[i];

		json_open(out, NULL, '{');
		json_put_u64(out, "number", block->number);
		json_put_text(out, "state", block->online ? "online" : "offline");
		json_put_text(out, "zone", zone_word(block->zone));
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_disk(struct writer *w, const struct disk *disk)
{
	struct json_out *out = &w->out;

	json_open(out, "disk", '{');
	json_put_text(out, "policy", partitioning_word(disk->policy));
	json_put_bool(out, "managed", disk->managed);
	json_put_table(out, "table", &disk->table);
	if (disk->n_natives)
		json_open(out, "natives", '[');
	for (size_t i = 0; i < disk->n_natives; i++) {
		json_open(out, NULL, '{');
		json_put_u64(out, "number", disk->natives[i].number);
		json_put_u64(out, "start", disk->natives[i].extent.start);
		json_put_u64(out, "size", disk->natives[i].extent.size);
		put_holders(w, &disk->natives[i].holders);
		json_close(out, '}');
	}
	if (disk->n_natives)
		json_close(out, ']');
	if (disk->n_maps)
		json_open(out, "maps", '[');
	for (size_t i = 0; i < disk->n_maps; i++) {
		const struct disk_map *map = &disk->maps[i];

		json_open(out, NULL, '{');
		json_put_u64(out, "number", map->number);
		json_put_text(out, "name", map->name);
		json_put_u64(out, "start", map->extent.start);
		json_put_u64(out, "size", map->extent.size);
		json_put_bool(out, "read_only", map->read_only);
		json_put_bool(out, "linked", map->linked);
		if (w->holders)
			json_put_u64(out, "open_count", map->open_count);
		put_holders(w, &map->holders);
		json_close(out, '}');
	}
	if (disk->n_maps)
		json_close(out, ']');
	json_close(out, '}');
}

static void put_device(struct writer *w, const char *key, const struct dax_device *device)
{
	struct json_out *out = &w->out;

	json_open(out, key, '{');
	json_put_text(out, "name", device->name);
	json_put_u64(out, "size", device->size);
	json_put_u64(out, "align", device->align);
	json_put_int(out, "target_node", device->target_node);
	json_put_int(out, "numa", device->numa);
	json_put_text(out, "driver", driver_word(device->driver));
	json_put_text(out, "driver_name", device->driver_name);
	json_put_ranges(out, "ranges", &device->ranges);
	put_blocks(out, device);
	put_access(out, &device->node);
	if (device->table)
		json_put_table(out, "table", device->table);
	put_holders(w, &device->holders);
	json_close(out, '}');
}

static void put_namespace(struct writer *w, const struct namespace *ns)
{
	struct json_out *out = &w->out;

	json_open(out, NULL, '{');
	json_put_text(out, "name", ns->name);
	json_put_text(out, "label", ns->label);
	json_put_text(out, "uuid", ns->uuid.text);
	json_put_text(out, "info_uuid", ns->info_uuid.text);
	json_put_text(out, "mode", namespace_mode_word(ns->mode));
	json_put_u64(out, "start", ns->range.start);
	json_put_u64(out, "size", ns->range.size);
	json_put_u64(out, "usable", ns->size);
	json_put_u64(out, "align", ns->align);
	json_put_text(out, "map", map_location_word(ns->map));
	json_put_u64(out, "sector_size", ns->sector_size);
	json_put_bool(out, "enabled", ns->enabled);
	json_put_text(out, "claim", ns->claim);
	json_put_text(out, "blockdev", ns->blockdev);
	put_access(out, &ns->node);
	if (ns->device)
		put_device(w, "device", ns->device);
	if (ns->disk)
		put_disk(w, ns->disk);
	put_holders(w, &ns->holders);
	json_close(out, '}');
}

static void put_region_scalars(struct json_out *out, const struct region *region)
{
	json_put_text(out, "name", region->name);
	json_put_text(out, "path", region->path);
	json_put_text(out, "provider", region->provider);
	json_put_text(out, "type", region_type_word(region->type));
	json_put_int(out, "id", region->id);
	json_put_text(out, "uuid", region->uuid.text);
	if (region->cookie)
		json_put_hex(out, "cookie", region->cookie);
	json_put_u64(out, "start", region->range.start);
	json_put_u64(out, "size", region->range.size);
	json_put_u64(out, "available", region->available);
	json_put_u64(out, "align", region->align);
	json_open(out, "aligns", '[');
	for (uint64_t bit = 1; bit; bit <<= 1)
		if (region->aligns & bit)
			json_put_u64(out, NULL, bit);
	json_close(out, ']');
	json_put_int(out, "numa", region->numa);
	json_put_int(out, "target_node", region->target_node);
	json_put_u64(out, "ways", region->ways);
	json_put_text(out, "labels", label_state_word(region->labels));
	json_put_bool(out, "read_only", region->read_only);
	json_put_bool(out, "enabled", region->enabled);
}

static void put_region(struct writer *w, const struct region *region)
{
	struct json_out *out = &w->out;

	json_open(out, NULL, '{');
	put_region_scalars(out, region);
	if (region->n_dimms) {
		json_open(out, "dimms", '[');
		for (size_t i = 0; i < region->n_dimms; i++)
			json_put_text(out, NULL, region->dimms[i]);
		json_close(out, ']');
	}
	if (region->n_namespaces) {
		json_open(out, "namespaces", '[');
		for (size_t i = 0; i < region->n_namespaces; i++)
			put_namespace(w, &region->namespaces[i]);
		json_close(out, ']');
	}
	if (region->n_devices) {
		json_open(out, "devices", '[');
		for (size_t i = 0; i < region->n_devices; i++)
			put_device(w, NULL, &region->devices[i]);
		json_close(out, ']');
	}
	json_close(out, '}');
}

/* Does a region of the scope lie on it? */
static bool is_in_scope(const struct writer *w, const struct topology *topology,
			const struct dimm *dimm)
{
	for (size_t i = 0; w->scope && i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		for (size_t j = 0; scope_has(w->scope, region->path) && j < region->n_dimms; j++)
			if (strcmp(region->dimms[j], dimm->name) == 0)
				return true;
	}
	return !w->scope;
}

static void put_dimms(struct writer *w, const struct topology *topology)
{
	struct json_out *out = &w->out;

	json_open(out, "dimms", '[');
	for (size_t i = 0; i < topology->n_dimms; i++) {
		const struct dimm *dimm = &topology->dimms[i];

		if (!is_in_scope(w, topology, dimm))
			continue;
		json_open(out, NULL, '{');
		json_put_text(out, "name", dimm->name);
		json_put_text(out, "id", dimm->id);
		json_put_text(out, "bus", dimm->bus);
		json_put_int(out, "handle", dimm->handle);
		json_put_bool(out, "locked", dimm->locked);
		json_put_text(out, "labels", label_state_word(dimm->labels));
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_records(struct json_out *out, const struct topology *topology)
{
	json_open(out, "records", '[');
	for (size_t i = 0; i < topology->n_records; i++) {
		const struct record *record = &topology->records[i];

		json_open(out, NULL, '{');
		json_put_text(out, "volume", record->volume);
		json_put_text(out, "mode", record->mode);
		json_put_ranges(out, "ranges", &record->ranges);
		if (record->until_reboot)
			json_put_bool(out, "until_reboot", true);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static char *write_topology(struct writer w, const struct topology *topology)
{

	json_open(&w.out, NULL, '{');
	json_put_u64(&w.out, "topology", TOPOLOGY_VERSION);
	json_put_text(&w.out, "seed", topology->seed.text);
	json_put_u64(&w.out, "memory_block_size", topology->memory_block_size);
	json_put_text(&w.out, "auto_online", topology->auto_online);
	put_dimms(&w, topology);
	json_open(&w.out, "regions", '[');
	for (size_t i = 0; i < topology->n_regions; i++)
		if (scope_has(w.scope, topology->regions[i].path))
			put_region(&w, &topology->regions[i]);
	json_close(&w.out, ']');
	put_records(&w.out, topology);
	json_close(&w.out, '}');
	return json_out_finish(&w.out);
}

char *topology_to_json(const struct topology *topology, bool indent)
{
	return write_topology((struct writer){ .out = { .indent = indent }, .holders = true },
			      topology);
}

static uint64_t digest_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	if (!text)
		abort(); /* a wrong digest would pass a stale plan */
	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t topology_digest(const struct topology *topology, const struct scope *scope)
{
	_cleanup_(freep) char *text =
		write_topology((struct writer){ .scope = scope }, topology);

	return digest_of(text);
}

bool topology_is_line(const char *line)
{
	return strncmp(line, "{\"topology\":", 12) == 0;
}

uint64_t topology_holders_digest(const struct topology *topology, const struct scope *scope)
{
	struct writer w = { .holders = true };
	_cleanup_(freep) char *text = NULL;

	json_open(&w.out, NULL, '[');
	for (size_t i = 0; i < topology->n_regions; i++)
		if (scope_has(scope, topology->regions[i].path))
			put_region(&w, &topology->regions[i]);
	json_close(&w.out, ']');
	text = json_out_finish(&w.out);
	return !scope || scope->n ? digest_of(text) : 0;
}
