/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions, namespaces, devices and volumes: what they tell, and when that has changed. */
#include "bus-tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTIES_MAX 20

static const char *const prefixes[N_OBJECT_KINDS] = {
	[OBJECT_REGION] = BUS_ROOT "/region",
	[OBJECT_NAMESPACE] = BUS_ROOT "/namespace",
	[OBJECT_DEVICE] = BUS_ROOT "/device",
	[OBJECT_VOLUME] = BUS_ROOT "/volume",
};

static const char *const interfaces[N_OBJECT_KINDS] = {
	[OBJECT_REGION] = BUS_NAME ".Region",
	[OBJECT_NAMESPACE] = BUS_NAME ".Namespace",
	[OBJECT_DEVICE] = BUS_NAME ".Device",
	[OBJECT_VOLUME] = BUS_NAME ".Volume",
};

/* What a property says; the type of the property tells which member counts. */
struct value {
	const char *text; /* s, and o: the name of the region; NULL is "" */
	uint64_t number;  /* t, u */
	int integer;	  /* i */
	const struct range_list *ranges;
	const struct report *report;
	const struct object *object; /* whose disk tells, of this: */
	enum bus_part part;
};

#define TEXT(x) ((struct value){ .text = (x) })
#define NUMBER(x) ((struct value){ .number = (x) })
#define OF_DISK(what, o) ((struct value){ .object = (o), .part = (what) })
#define INTEGER(x) ((struct value){ .integer = (x) })

/* VALUE(function, expression of o) */
#define VALUE(name, result)                                                    \
	static struct value name(const struct object *o)                       \
	{                                                                      \
		return result;                                                 \
	}

VALUE(object_name, TEXT(o->name))
VALUE(object_region, TEXT(o->region->name))

VALUE(region_path, TEXT(o->region->path))
VALUE(region_type, TEXT(region_type_word(o->region->type)))
VALUE(region_uuid_text, TEXT(o->region->uuid.text))
VALUE(region_start, NUMBER(o->region->range.start))
VALUE(region_size, NUMBER(o->region->range.size))
VALUE(region_available, NUMBER(o->region->available))
VALUE(region_numa, INTEGER(o->region->numa))
VALUE(region_target, INTEGER(o->region->target_node))
VALUE(region_labels, TEXT(label_state_word(o->region->labels)))

VALUE(ns_label, TEXT(o->ns->label))
VALUE(ns_uuid, TEXT(o->ns->uuid.text))
VALUE(ns_mode, TEXT(namespace_mode_word(o->ns->mode)))
VALUE(ns_start, NUMBER(o->ns->range.start))
VALUE(ns_size, NUMBER(o->ns->range.size))
VALUE(ns_usable, NUMBER(o->ns->size))
VALUE(ns_block, TEXT(o->ns->blockdev))

VALUE(ns_policy, TEXT(o->ns->disk ? partitioning_word(o->ns->disk->policy) : ""))
VALUE(ns_managed, NUMBER(o->ns->disk && o->ns->disk->managed))
VALUE(ns_table, TEXT(o->ns->disk ? table_kind_word(o->ns->disk->table.kind) : ""))
VALUE(ns_partitions, OF_DISK(BUS_PARTITIONS, o))
VALUE(ns_natives, OF_DISK(BUS_NATIVES, o))
VALUE(ns_maps, OF_DISK(BUS_MAPS, o))
VALUE(ns_pending, OF_DISK(BUS_PENDING, o))

VALUE(device_size, NUMBER(o->device->size))
VALUE(device_align, NUMBER(o->device->align))
VALUE(device_target, INTEGER(o->device->target_node))
VALUE(device_ranges, ((struct value){ .ranges = &o->device->ranges }))
VALUE(device_blocks, NUMBER(o->device->n_blocks))

static struct value device_driver(const struct object *o)
{
	switch (o->device->driver) {
	case DRIVER_NONE:
		return TEXT("");
	case DRIVER_DEVICE_DAX:
	case DRIVER_KMEM:
		return TEXT(driver_word(o->device->driver));
	case DRIVER_OTHER:
		return TEXT(o->device->driver_name);
	}
	return TEXT("");
}

static struct value device_online(const struct object *o)
{
	uint64_t n = 0;

	for (size_t i = 0; i < o->device->n_blocks; i++)
		n += o->device->blocks[i].online;
	return NUMBER(n);
}

VALUE(volume_file, TEXT(o->volume->file))
VALUE(volume_state, TEXT(volume_state_word(o->standing->state)))
VALUE(volume_problems, ((struct value){ .report = &o->standing->problems }))

struct property {
	const char *name, *type;
	struct value (*value)(const struct object *object);
};

/* In the order of the interface of record. */
static const struct property properties[N_OBJECT_KINDS][PROPERTIES_MAX] = {
	[OBJECT_REGION] = {
		{ "Name", "s", object_name },
		{ "Path", "s", region_path },
		{ "Type", "s", region_type },
		{ "Uuid", "s", region_uuid_text },
		{ "Start", "t", region_start },
		{ "Size", "t", region_size },
		{ "Available", "t", region_available },
		{ "NumaNode", "i", region_numa },
		{ "TargetNode", "i", region_target },
		{ "Labels", "s", region_labels },
	},
	[OBJECT_NAMESPACE] = {
		{ "Name", "s", object_name },
		{ "Label", "s", ns_label },
		{ "Uuid", "s", ns_uuid },
		{ "Region", "o", object_region },
		{ "Mode", "s", ns_mode },
		{ "Start", "t", ns_start },
		{ "Size", "t", ns_size },
		{ "Usable", "t", ns_usable },
		{ "BlockDevice", "s", ns_block },
		{ "Partitioning", "s", ns_policy },
		{ "PartitionsManaged", "b", ns_managed },
		{ "Table", "s", ns_table },
		{ "Partitions", "aa{sv}", ns_partitions },
		{ "KernelPartitions", "aa{sv}", ns_natives },
		{ "Maps", "aa{sv}", ns_maps },
		{ "PartitionsPending", "aa{sv}", ns_pending },
	},
	[OBJECT_DEVICE] = {
		{ "Name", "s", object_name },
		{ "Region", "o", object_region },
		{ "Size", "t", device_size },
		{ "Align", "t", device_align },
		{ "Driver", "s", device_driver },
		{ "TargetNode", "i", device_target },
		{ "Ranges", "a(tt)", device_ranges },
		{ "Blocks", "u", device_blocks },
		{ "BlocksOnline", "u", device_online },
	},
	[OBJECT_VOLUME] = {
		{ "Name", "s", object_name },
		{ "File", "s", volume_file },
		{ "State", "s", volume_state },
		{ "Problems", "aa{sv}", volume_problems },
	},
};

static char *object_path(enum object_kind kind, const char *name)
{
	char *path;

	return sd_bus_path_encode(prefixes[kind], name, &path) < 0 ? NULL : path;
}

static int append_region(sd_bus_message *message, const char *name)
{
	_cleanup_(freep) char *path = object_path(OBJECT_REGION, name);

	return path ? sd_bus_message_append(message, "o", path) : -ENOMEM;
}

static int append_ranges(sd_bus_message *message, const struct range_list *list)
{
	int r;

	r = sd_bus_message_open_container(message, 'a', "(tt)");
	for (size_t i = 0; r >= 0 && i < list->n; i++)
		r = sd_bus_message_append(message, "(tt)", list->ranges[i].start,
					  list->ranges[i].size);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const char *type, struct value value)
{
	if (value.object)
		return bus_append_part(message, value.part, value.object);
	if (strcmp(type, "b") == 0)
		return sd_bus_message_append(message, "b", (int)value.number);
	if (strcmp(type, "s") == 0)
		return sd_bus_message_append(message, "s", value.text ? value.text : "");
	if (strcmp(type, "o") == 0)
		return append_region(message, value.text);
	if (strcmp(type, "t") == 0)
		return sd_bus_message_append(message, "t", value.number);
	if (strcmp(type, "u") == 0)
		return sd_bus_message_append(message, "u", (uint32_t)value.number);
	if (strcmp(type, "i") == 0)
		return sd_bus_message_append(message, "i", value.integer);
	if (value.ranges)
		return append_ranges(message, value.ranges);
	return bus_append_problems(message, value.report);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_problem(const struct error *a, const struct error *b)
{
	return strcmp(error_message(a), error_message(b)) == 0 && a->code == b->code &&
	       same_text(a->file, b->file) && same_text(a->pointer, b->pointer) &&
	       same_text(a->hint, b->hint);
}

static bool same_reports(const struct report *a, const struct report *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_problem(&a->errors[i], &b->errors[i]))
			return false;
	return true;
}

static bool same_value(struct value a, struct value b)
{
	if (a.object)
		return bus_same_part(a.part, a.object, b.object);
	return same_text(a.text, b.text) && a.number == b.number && a.integer == b.integer &&
	       (!a.ranges || range_list_equal(a.ranges, b.ranges)) &&
	       (!a.report || same_reports(a.report, b.report));
}

static int get(sd_bus *connection, const char *path, const char *interface, const char *name,
	       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct object *object = userdata;

	(void)connection;
	(void)path;
	(void)interface;
	(void)error;
	for (const struct property *p = properties[object->kind]; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return append_value(reply, p->type, p->value(object));
	return -ENOENT;
}

#define PROPERTY(name, type) \
	SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define CONSTANT(name, type) SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_CONST)

static const sd_bus_vtable region_vtable[] = {
	SD_BUS_VTABLE_START(0),
	CONSTANT("Name", "s"),
	PROPERTY("Path", "s"),
	PROPERTY("Type", "s"),
	PROPERTY("Uuid", "s"),
	PROPERTY("Start", "t"),
	PROPERTY("Size", "t"),
	PROPERTY("Available", "t"),
	PROPERTY("NumaNode", "i"),
	PROPERTY("TargetNode", "i"),
	PROPERTY("Labels", "s"),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable namespace_vtable[] = {
	SD_BUS_VTABLE_START(0),
	CONSTANT("Name", "s"),
	PROPERTY("Label", "s"),
	PROPERTY("Uuid", "s"),
	PROPERTY("Region", "o"),
	PROPERTY("Mode", "s"),
	PROPERTY("Start", "t"),
	PROPERTY("Size", "t"),
	PROPERTY("Usable", "t"),
	PROPERTY("BlockDevice", "s"),
	PROPERTY("Partitioning", "s"),
	PROPERTY("PartitionsManaged", "b"),
	PROPERTY("Table", "s"),
	PROPERTY("Partitions", "aa{sv}"),
	PROPERTY("KernelPartitions", "aa{sv}"),
	PROPERTY("Maps", "aa{sv}"),
	PROPERTY("PartitionsPending", "aa{sv}"),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable device_vtable[] = {
	SD_BUS_VTABLE_START(0),
	CONSTANT("Name", "s"),
	PROPERTY("Region", "o"),
	PROPERTY("Size", "t"),
	PROPERTY("Align", "t"),
	PROPERTY("Driver", "s"),
	PROPERTY("TargetNode", "i"),
	PROPERTY("Ranges", "a(tt)"),
	PROPERTY("Blocks", "u"),
	PROPERTY("BlocksOnline", "u"),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable volume_vtable[] = {
	SD_BUS_VTABLE_START(0),
	CONSTANT("Name", "s"),
	PROPERTY("File", "s"),
	PROPERTY("State", "s"),
	PROPERTY("Problems", "aa{sv}"),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable *const vtables[N_OBJECT_KINDS] = {
	[OBJECT_REGION] = region_vtable,
	[OBJECT_NAMESPACE] = namespace_vtable,
	[OBJECT_DEVICE] = device_vtable,
	[OBJECT_VOLUME] = volume_vtable,
};

static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret, sd_bus_error *error)
{
	const struct bus_kind *kind = userdata;
	_cleanup_(freep) char *name = NULL;
	const struct object *object;
	int r;

	(void)connection;
	(void)interface;
	(void)error;
	r = sd_bus_path_decode(path, prefixes[kind->kind], &name);
	if (r <= 0)
		return r;
	object = view_find(&kind->bus->manager->view, kind->kind, name);
	if (!object)
		return 0;
	*ret = (void *)object; /* getters take it as const again */
	return 1;
}

static int enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *error)
{
	const struct bus_kind *kind = userdata;
	const struct view *view = &kind->bus->manager->view;
	char **paths = calloc(view->n + 1, sizeof(*paths)); /* freed by sd-bus, each string too */
	size_t n = 0;

	(void)connection;
	(void)prefix;
	(void)error;
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < view->n; i++) {
		if (view->objects[i].kind != kind->kind)
			continue;
		paths[n] = object_path(kind->kind, view->objects[i].name);
		if (!paths[n++])
			break; /* the list ends early; memory is gone anyway */
	}
	*ret = paths;
	return 0;
}

int bus_export_objects(struct bus *bus, sd_bus *connection)
{
	int r = 0;

	for (enum object_kind kind = 0; r >= 0 && kind < N_OBJECT_KINDS; kind++) {
		bus->kinds[kind] = (struct bus_kind){ bus, kind };
		r = sd_bus_add_fallback_vtable(connection, NULL, prefixes[kind], interfaces[kind],
					       vtables[kind], find, &bus->kinds[kind]);
		if (r >= 0)
			r = sd_bus_add_node_enumerator(connection, NULL, prefixes[kind], enumerate,
						       &bus->kinds[kind]);
	}
	return r;
}

/* What a connection that cannot be told misses, it can ask for; so failures do not count. */
static void emit_added(sd_bus *connection, const void *path)
{
	(void)sd_bus_emit_object_added(connection, path);
}

static void emit_removed(sd_bus *connection, const void *path)
{
	(void)sd_bus_emit_object_removed(connection, path);
}

struct change {
	const char *path, *interface;
	char *names[PROPERTIES_MAX + 1];
};

static void emit_changed(sd_bus *connection, const void *argument)
{
	const struct change *change = argument;

	(void)sd_bus_emit_properties_changed_strv(connection, change->path, change->interface,
						  (char **)change->names);
}

static void tell(struct bus *bus, const struct object *object, bus_call *call)
{
	_cleanup_(freep) char *path = object_path(object->kind, object->name);

	if (path)
		bus_for_each(bus, call, path);
}

static void compare(struct bus *bus, const struct object *before, const struct object *now)
{
	struct change change = { .interface = interfaces[now->kind] };
	_cleanup_(freep) char *path = NULL;
	size_t n = 0;

	for (const struct property *p = properties[now->kind]; p->name; p++)
		if (!same_value(p->value(before), p->value(now)))
			change.names[n++] = (char *)p->name; /* sd-bus changes none of them */
	if (n == 0)
		return;
	path = object_path(now->kind, now->name);
	change.path = path;
	if (path)
		bus_for_each(bus, emit_changed, &change);
}

/* Both views are in the same order. */
void bus_objects_leave(struct bus *bus, const struct view *now, const struct view *next)
{
	size_t j = 0;

	for (size_t i = 0; bus && i < now->n; i++) {
		const struct object *object = &now->objects[i];

		while (j < next->n && object_compare(&next->objects[j], object) < 0)
			j++;
		if (j == next->n || object_compare(&next->objects[j], object) != 0)
			tell(bus, object, emit_removed);
	}
}

void bus_objects_enter(struct bus *bus, const struct view *before, const struct view *now)
{
	size_t j = 0;

	for (size_t i = 0; bus && i < now->n; i++) {
		const struct object *object = &now->objects[i];

		while (j < before->n && object_compare(&before->objects[j], object) < 0)
			j++;
		if (j == before->n || object_compare(&before->objects[j], object) != 0)
			tell(bus, object, emit_added);
		else
			compare(bus, &before->objects[j], object);
	}
}
