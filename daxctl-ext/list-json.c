/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list-json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node.h"

/* page_offset is in pages of the kernel; one that uses others has them on all its machines. */
#define PAGE_SIZE_OF_KERNEL 4096
#define KIB UINT64_C(1024)

/* json-c's layout with JSON_C_TO_STRING_PRETTY. */
struct out {
	struct text text;
	unsigned int depth;
	bool more;
};

static void put_lead(struct out *out, const char *key)
{
	if (out->more)
		text_add(&out->text, ",");
	if (out->depth)
		text_add(&out->text, "\n%*s", (int)(2 * out->depth), "");
	out->more = true;
	if (key)
		text_add(&out->text, "\"%s\":", key);
}

static void open_bracket(struct out *out, const char *key, char bracket)
{
	put_lead(out, key);
	text_add(&out->text, "%c", bracket);
	out->depth++;
	out->more = false;
}

static void close_bracket(struct out *out, char bracket)
{
	out->depth--;
	if (out->more)
		text_add(&out->text, "\n%*s", (int)(2 * out->depth), "");
	text_add(&out->text, "%c", bracket);
	out->more = true;
}

static void put_string(struct out *out, const char *key, const char *value)
{
	put_lead(out, key);
	text_add(&out->text, "\"");
	for (const char *c = value; *c; c++) {
		if (*c == '/' || *c == '"' || *c == '\\')
			text_add(&out->text, "\\%c", *c);
		else if ((unsigned char)*c < ' ')
			text_add(&out->text, "\\u%04x", (unsigned int)(unsigned char)*c);
		else
			text_add(&out->text, "%c", *c);
	}
	text_add(&out->text, "\"");
}

static void put_number(struct out *out, const char *key, uint64_t value)
{
	put_lead(out, key);
	text_add(&out->text, "%" PRIu64, value);
}

/* Hundredths of a unit, rounded as daxctl does. */
static uint64_t hundredths(uint64_t bytes, uint64_t unit)
{
	return (uint64_t)(((unsigned __int128)bytes * 200 / unit + 1) / 2);
}

struct list_size list_size_human(uint64_t bytes)
{
	static const struct {
		uint64_t below, binary, decimal;
		char prefix;
	} units[] = {
		{ 2 * KIB * KIB * KIB, KIB *KIB, UINT64_C(1000000), 'M' },
		{ 2 * KIB * KIB * KIB * KIB, KIB *KIB *KIB, UINT64_C(1000000000), 'G' },
		{ UINT64_MAX, KIB *KIB *KIB *KIB, UINT64_C(1000000000000), 'T' },
	};
	struct list_size size;
	uint64_t binary, decimal;
	size_t i = 0;

	if (bytes < 5000 * KIB) {
		(void)snprintf(size.text, sizeof(size.text), "%" PRIu64, bytes);
		return size;
	}
	while (i + 1 < ARRAY_SIZE(units) && bytes >= units[i].below)
		i++;
	binary = hundredths(bytes, units[i].binary);
	decimal = hundredths(bytes, units[i].decimal);
	(void)snprintf(size.text, sizeof(size.text),
		       "\"%" PRIu64 ".%02" PRIu64 " %ciB (%" PRIu64 ".%02" PRIu64 " %cB)\"",
		       binary / 100, binary % 100, units[i].prefix, decimal / 100, decimal % 100,
		       units[i].prefix);
	return size;
}

static void put_size(struct out *out, const char *key, uint64_t value, bool human)
{
	if (!human) {
		put_number(out, key, value);
		return;
	}
	put_lead(out, key);
	text_add(&out->text, "%s", list_size_human(value).text);
}

static void put_address(struct out *out, const char *key, uint64_t value, bool human)
{
	if (!human) {
		put_number(out, key, value);
		return;
	}
	put_lead(out, key);
	text_add(&out->text, "\"%#" PRIx64 "\"", value); /* 0 is "0", as printf has it */
}

static void put_mapping(struct out *out, const struct range_list *ranges, size_t i,
			uint64_t offset, bool human)
{
	const struct range range = ranges->ranges[i];

	open_bracket(out, NULL, '{');
	put_address(out, "page_offset", offset / PAGE_SIZE_OF_KERNEL, human);
	put_address(out, "start", range.start, human);
	put_address(out, "end", range_end(range) - 1, human);
	put_size(out, "size", range.size, human);
	close_bracket(out, '}');
}

static void put_mappings(struct out *out, const struct range_list *ranges,
			 const struct list_request *request)
{
	uint64_t offset = request->shuffled ? range_list_size(ranges) : 0;

	if (!ranges->n)
		return;
	open_bracket(out, "mappings", '[');
	for (size_t i = 0; i < ranges->n; i++) {
		if (request->shuffled) {
			offset -= ranges->ranges[ranges->n - 1 - i].size;
			put_mapping(out, ranges, ranges->n - 1 - i, offset, request->human);
		} else {
			put_mapping(out, ranges, i, offset, request->human);
			offset += ranges->ranges[i].size;
		}
	}
	close_bracket(out, ']');
}

static const char *mode_of(const struct dax_device *device)
{
	if (device->driver == DRIVER_KMEM)
		return "system-ram";
	if (device->driver == DRIVER_OTHER && device->driver_name &&
	    strcmp(device->driver_name, "fsdev_dax") == 0)
		return "famfs";
	return "devdax";
}

/* Whether memory is movable can be told once all of it is online. */
static void put_memory(struct out *out, const struct dax_device *device)
{
	size_t online = 0, movable = 0;

	for (size_t i = 0; i < device->n_blocks; i++) {
		online += device->blocks[i].online;
		movable += device->blocks[i].online && device->blocks[i].zone == ZONE_MOVABLE;
	}
	put_number(out, "online_memblocks", online);
	put_number(out, "total_memblocks", device->n_blocks);
	if (online != device->n_blocks)
		return;
	put_lead(out, "movable");
	text_add(&out->text, movable && movable == online ? "true" : "false");
}

static void put_device(struct out *out, const struct dax_device *device,
		       const struct list_request *request)
{
	open_bracket(out, NULL, '{');
	put_string(out, "chardev", device->name);
	put_size(out, "size", device->size, request->human);
	if (device->target_node >= 0)
		put_number(out, "target_node", (uint64_t)device->target_node);
	if (device->align)
		put_size(out, "align", device->align, request->human);
	put_string(out, "mode", mode_of(device));
	if (device->driver == DRIVER_KMEM)
		put_memory(out, device);
	if (device->driver == DRIVER_NONE)
		put_string(out, "state", "disabled");
	if (request->mappings)
		put_mappings(out, &device->ranges, request);
	close_bracket(out, '}');
}

/* A device and what its name hashes to. */
struct entry {
	const struct dax_device *device;
	uint32_t hash;
};

struct dax_region {
	char *path;
	int id; /* X of daxX.Y */
	uint64_t size, available, align;
	struct entry *entries;
	size_t n_entries;
	uint32_t first; /* the least hash: where daxctl comes across the region */
};

struct dax_regions {
	struct dax_region *regions;
	size_t n;
};

static void dax_regions_clear(struct dax_regions *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->regions[i].path);
		free(list->regions[i].entries);
	}
	free(list->regions);
}

/*
 * By which kernfs sorts the names of a folder (kernfs_name_hash(), of 64-bit kernels since
 * 4.10), and readdir() gives them.  It is no promise of the kernel's, nor is daxctl's order.
 */
static uint32_t name_hash(const char *name)
{
	uint64_t hash = 0;
	uint32_t r;

	for (const char *c = name; *c; c++) {
		uint64_t u = (unsigned char)*c;

		hash = (hash + (u << 4) + (u >> 4)) * 11;
	}
	r = (uint32_t)(hash * UINT64_C(0x61C8864680B583EB) >> 32) & 0x7fffffffu;
	if (r < 2)
		r += 2;
	return r >= INT32_MAX ? INT32_MAX - 1 : r;
}

static int add_entry(struct dax_region *to, const struct dax_device *device)
{
	struct entry *entry = ARRAY_APPEND(to->entries, to->n_entries);
	int id;

	if (!entry)
		return -ENOMEM;
	*entry = (struct entry){ device, name_hash(device->name) };
	if (to->n_entries++ == 0 || entry->hash < to->first)
		to->first = entry->hash;
	if (sscanf(device->name, "dax%d.", &id) == 1)
		to->id = id;
	return 0;
}

static int add_dynamic(struct dax_regions *list, const struct region *region)
{
	struct dax_region *to;

	if (!region->n_devices)
		return 0; /* daxctl finds regions by their devices; there always is a seed */
	to = ARRAY_APPEND(list->regions, list->n);
	if (!to)
		return -ENOMEM;
	list->n++;
	*to = (struct dax_region){
		.id = region->id,
		.size = region->range.size,
		.available = region->available,
		.align = region->align,
		.path = strdup(region->path),
	};
	if (!to->path)
		return -ENOMEM;
	for (size_t i = 0; i < region->n_devices; i++)
		if (add_entry(to, &region->devices[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* All of a namespace is one device, and what the kernel calls its dax region. */
static int add_static(struct dax_regions *list, const struct region *region,
		      const struct namespace *ns)
{
	struct dax_region *to = ARRAY_APPEND(list->regions, list->n);

	if (!to)
		return -ENOMEM;
	list->n++;
	*to = (struct dax_region){ .id = region->id, .size = ns->device->size, .align = ns->align };
	if (asprintf(&to->path, "%s/%s", region->path,
		     ns->claim ? ns->claim : ns->device->name) < 0) {
		to->path = NULL;
		return -ENOMEM;
	}
	return add_entry(to, ns->device);
}

static int compare_regions(const void *a, const void *b)
{
	const struct dax_region *x = a, *y = b;

	return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : strverscmp(x->path, y->path);
}

static int compare_shuffled(const void *a, const void *b)
{
	const struct dax_region *x = a, *y = b;

	return (x->first < y->first) - (x->first > y->first);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strverscmp(x->device->name, y->device->name);
}

static int compare_shuffled_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash == y->hash)
		return strcmp(y->device->name, x->device->name);
	return (x->hash < y->hash) - (x->hash > y->hash);
}

static int collect(struct dax_regions *list, const struct topology *topology, bool shuffled)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		if (region_is_dynamic(region))
			r = add_dynamic(list, region);
		for (size_t j = 0; r == 0 && j < region->n_namespaces; j++)
			if (region->namespaces[j].device)
				r = add_static(list, region, &region->namespaces[j]);
	}
	if (r < 0)
		return r;
	if (list->n > 1)
		qsort(list->regions, list->n, sizeof(list->regions[0]),
		      shuffled ? compare_shuffled : compare_regions);
	for (size_t i = 0; i < list->n; i++)
		if (list->regions[i].n_entries > 1)
			qsort(list->regions[i].entries, list->regions[i].n_entries,
			      sizeof(struct entry),
			      shuffled ? compare_shuffled_entries : compare_entries);
	return 0;
}

/* Is text the decimal number n, whatever zeros it begins with? */
static bool is_number(const char *text, int n)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno == 0 && *end == 0 && value == n;
}

static bool region_wanted(const struct dax_region *region, const char *name)
{
	if (!name || strcmp(name, "all") == 0)
		return true;
	return is_number(strncmp(name, "region", 6) == 0 ? name + 6 : name, region->id);
}

static bool device_wanted(const struct dax_device *device, const char *name)
{
	if (!name || strcmp(name, "all") == 0)
		return true;
	if (strchr(name, '/'))
		return node_is(name, device->name, &device->node);
	return strcmp(name, device->name) == 0 ||
	       (strncmp(device->name, "dax", 3) == 0 && strcmp(name, device->name + 3) == 0);
}

static bool among(const struct dax_device *device, const struct list_request *request)
{
	for (size_t i = 0; i < request->n_only; i++)
		if (strcmp(request->only[i], device->name) == 0)
			return true;
	return !request->only;
}

/* The devices to show; key is that of the array to open at the first. How many there were. */
static size_t put_devices(struct out *out, const struct dax_region *region, const char *key,
			  const struct list_request *request, struct list_answer *answer)
{
	size_t n = 0;

	for (size_t i = 0; i < region->n_entries; i++) {
		const struct dax_device *device = region->entries[i].device;

		if (!device_wanted(device, request->device) || !among(device, request))
			continue;
		if (device->size == 0 && !request->idle) {
			answer->device_hidden = true;
			continue;
		}
		answer->device_found = true;
		if (n++ == 0 && key)
			open_bracket(out, key, '[');
		put_device(out, device, request);
	}
	if (n && key)
		close_bracket(out, ']');
	return n;
}

static void put_region(struct out *out, const struct dax_region *region,
		       const struct list_request *request, struct list_answer *answer)
{
	open_bracket(out, NULL, '{');
	put_string(out, "path", region->path);
	put_lead(out, "id");
	text_add(&out->text, "%d", region->id);
	put_size(out, "size", region->size, request->human);
	if (region->available)
		put_size(out, "available_size", region->available, request->human);
	if (region->align)
		put_number(out, "align", region->align);
	if (request->devices)
		(void)put_devices(out, region, "devices", request, answer);
	close_bracket(out, '}');
}

/* bare: without the array around a single one. Returns how many there are. */
static size_t put_all(struct out *out, const struct dax_regions *list,
		      const struct list_request *request, bool bare, struct list_answer *answer)
{
	size_t n = 0;

	if (!bare)
		open_bracket(out, NULL, '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct dax_region *region = &list->regions[i];

		if (!region_wanted(region, request->region))
			continue;
		answer->region_found = true;
		if (request->regions) {
			put_region(out, region, request, answer);
			n++;
		} else {
			n += put_devices(out, region, NULL, request, answer);
		}
	}
	if (!bare)
		close_bracket(out, ']');
	return n;
}

void list_answer_clear(struct list_answer *answer)
{
	free(answer->text);
	*answer = (struct list_answer){ 0 };
}

int list_json(const struct topology *topology, const struct list_request *request,
	      struct list_answer *ret)
{
	_cleanup_(dax_regions_clear) struct dax_regions list = { 0 };
	struct list_answer answer = { 0 };
	struct out out = { 0 };
	size_t n;

	if (collect(&list, topology, request->shuffled) < 0)
		return -ENOMEM;
	n = put_all(&out, &list, request, false, &answer);
	answer.text = text_finish(&out.text);
	if (answer.text && n == 1 && request->human) {
		/* daxctl leaves the array out of what people read. */
		free(answer.text);
		out = (struct out){ 0 };
		(void)put_all(&out, &list, request, true, &answer);
		answer.text = text_finish(&out.text);
	}
	if (!answer.text)
		return -ENOMEM;
	if (n == 0) {
		free(answer.text);
		answer.text = NULL;
	}
	*ret = answer;
	return 0;
}
