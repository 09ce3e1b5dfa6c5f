/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config-size.h"
#include "core/json-read.h"
#include "core/json-write.h"
#include "core/table-json.h"

static const struct json_words region_types = { region_type_word, 0, N_REGION_TYPES };
static const struct json_words modes = { volume_mode_word, 0, N_VOLUME_MODES };
static const struct json_words persists = { persist_word, PERSIST_KMEM, N_PERSISTS };
static const struct json_words zones = { zone_word, ZONE_NORMAL, ZONE_MOVABLE + 1 };
static const struct json_words maps = { map_location_word, MAP_DEV, N_MAP_LOCATIONS };

#define SELECTOR(member) offsetof(struct selector, member)

static const struct json_field selector_fields[] = {
	JSON_FIELD("type", json_word, struct selector, type, .arg = &region_types),
	JSON_FIELD("numa", json_int, struct selector, numa, .has = SELECTOR(has_numa)),
	JSON_FIELD("target_node", json_int, struct selector, target_node,
		   .has = SELECTOR(has_target_node)),
	JSON_FIELD("uuid", json_uuid, struct selector, uuid),
	JSON_FIELD("path", json_text, struct selector, path),
	JSON_FIELD("provider", json_text, struct selector, provider),
	JSON_FIELD("range", json_hex_range, struct selector, range, .has = SELECTOR(has_range)),
};

/* has_type is the first member: 0 as an offset would say that there is none. */
static void read_selector(struct report *report, const struct json_value *value,
			  const struct path *at, void *to, const void *arg)
{
	static const struct json_table table = JSON_TABLE("a region selector", selector_fields);
	struct selector *selector = to;

	(void)arg;
	if (value->type != JSON_OBJECT)
		json_wrong_type(report, value, at, "an object that selects a region", NULL);
	else if (value->n == 0)
		(void)report_add(report, at, EINVAL, NULL, "The region selector is empty.");
	else
		selector->has_type = json_read_members(report, value, at, &table, to) & 1;
}

/* Modes that people know from ndctl and daxctl. */
static void read_mode(struct report *report, const struct json_value *value,
		      const struct path *at, void *to, const void *arg)
{
	static const struct {
		const char *word, *message, *hint;
	} others[] = {
		{ "famfs", "\"famfs\" is not in this version.",
		  "famfs works on a device dax: use \"devdax\"" },
		{ "raw", "\"raw\" is not in this version.",
		  "use \"fsdax\" for a block device, \"devdax\" for a device dax" },
		{ "sector", "\"sector\" is not in this version.",
		  "use \"fsdax\" for a block device, or ndctl for sector mode" },
		{ "safe", "\"safe\" is not in this version.",
		  "use \"fsdax\" for a block device, or ndctl for sector mode" },
		{ "dax", "\"dax\" is not a mode.", "did you mean \"devdax\"?" },
		{ "memory", "\"memory\" is not a mode.",
		  "did you mean \"fsdax\", which ndctl once called so, or \"system-ram\"?" },
		{ "ram", "\"ram\" is not a mode.", "did you mean \"system-ram\"?" },
		{ "kmem", "\"kmem\" is not a mode.",
		  "did you mean \"mode\": \"system-ram\", \"persist\": \"kmem\"?" },
		{ "system_ram", "\"system_ram\" is not a mode.", "did you mean \"system-ram\"?" },
	};

	for (size_t i = 0; value->type == JSON_STRING && i < ARRAY_SIZE(others); i++)
		if (strcasecmp(value->text, others[i].word) == 0) {
			(void)report_add(report, at, EINVAL, others[i].hint, "%s",
					 others[i].message);
			return;
		}
	json_word(report, value, at, to, arg);
}

static void read_ensure(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	const char *word = value->type == JSON_STRING ? value->text : "";
	struct volume *volume = to;

	(void)arg;
	volume->absent = strcmp(word, "absent") == 0;
	volume->fresh = strcmp(word, "new") == 0;
	if (!volume->absent && !volume->fresh && strcmp(word, "present") != 0)
		json_wrong_type(report, value, at, "\"present\", \"new\" or \"absent\"", NULL);
}

static void read_partition_ensure(struct report *report, const struct json_value *value,
				  const struct path *at, void *to, const void *arg)
{
	const char *word = value->type == JSON_STRING ? value->text : "";
	bool *absent = to;

	(void)arg;
	*absent = strcmp(word, "absent") == 0;
	if (!*absent && strcmp(word, "present") != 0)
		json_wrong_type(report, value, at, "\"present\" or \"absent\"", NULL);
}

/* "linux", "swap", "esp", or the GUID of any other type. */
static void read_type(struct report *report, const struct json_value *value,
		      const struct path *at, void *to, const void *arg)
{
	(void)arg;
	if (value->type != JSON_STRING || (partition_type_from_word(value->text, to) < 0 &&
					   uuid_parse_text(value->text, to) < 0))
		json_wrong_type(report, value, at, "\"linux\", \"swap\", \"esp\" or a GUID", NULL);
}

enum partition_key {
	PARTITION_NAME,
	PARTITION_SIZE,
	PARTITION_UUID,
	PARTITION_ENSURE,
};

static const struct json_field partition_fields[] = {
	[PARTITION_NAME] = JSON_FIELD("name", json_text, struct partition, name),
	[PARTITION_SIZE] = JSON_FIELD("size", config_read_size, struct partition, size,
				      .hint = "write \"16G\", \"50%\" or \"all\""),
	[PARTITION_UUID] = JSON_FIELD("uuid", json_uuid, struct partition, uuid),
	[PARTITION_ENSURE] = JSON_FIELD("ensure", read_partition_ensure, struct partition,
					absent),
	JSON_FIELD("type", read_type, struct partition, type),
	JSON_FIELD("start", config_read_bytes, struct partition, start,
		   .has = offsetof(struct partition, has_start)),
	JSON_FIELD("owner", json_text, struct partition, node.owner),
	JSON_FIELD("group", json_text, struct partition, node.group),
	JSON_FIELD("perm", json_perm, struct partition, node.perm,
		   .has = offsetof(struct partition, has_perm)),
};

#define PARTITION_BIT(key) (UINT64_C(1) << (key))

static void check_partition_keys(struct report *report, const struct path *at,
				 const struct partition *partition, uint64_t seen)
{
	static const uint64_t of_absent = PARTITION_BIT(PARTITION_NAME) |
					  PARTITION_BIT(PARTITION_UUID) |
					  PARTITION_BIT(PARTITION_ENSURE);

	if (partition->absent && (seen & ~of_absent))
		(void)report_add(report, at, EINVAL, "remove all but \"name\", \"uuid\" and "
						     "\"ensure\"",
				 "The other keys say nothing about a partition that is to be "
				 "absent.");
	if (!(seen & (PARTITION_BIT(PARTITION_NAME) | PARTITION_BIT(PARTITION_UUID))))
		(void)report_add(report, at, EINVAL, "such as \"a\"",
				 "\"name\" is missing; a partition needs it, or \"uuid\".");
	if (!(seen & PARTITION_BIT(PARTITION_SIZE)) && !partition->absent)
		(void)report_add(report, at, EINVAL, partition_fields[PARTITION_SIZE].hint,
				 "\"size\" is missing; a partition needs it.");
}

/* As read_volume(): what could not be read is what no rule objects to. */
static void read_partition(struct report *report, const struct json_value *value,
			   const struct path *at, void *to, const void *arg)
{
	static const struct json_table table = JSON_TABLE("a partition", partition_fields);
	static const struct size_spec size_unread = { .kind = SIZE_PERCENT };
	struct partition *partition = to;
	uint64_t seen;

	(void)arg;
	partition->index = at->index;
	partition->size = size_unread;
	seen = json_read_members(report, value, at, &table, partition);
	if (value->type == JSON_OBJECT)
		check_partition_keys(report, at, partition, seen);
	if (partition->absent)
		partition->size = (struct size_spec){ .kind = SIZE_ALL };
}

static void read_partitions(struct report *report, const struct json_value *value,
			    const struct path *at, void *to, const void *arg)
{
	static const struct json_list list = { sizeof(struct partition), read_partition, NULL };

	(void)arg;
	json_array(report, value, at, to, &list);
}

/* "adopt" and "link" are kept as what they are not, so that nothing said is 0. */
static void read_opposite(struct report *report, const struct json_value *value,
			  const struct path *at, void *to, const void *arg)
{
	bool *opposite = to, said = !*opposite;

	json_bool(report, value, at, &said, arg);
	*opposite = !said;
}

static void read_ranges(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	static const struct json_list list = { sizeof(struct range), json_hex_range, NULL };
	size_t before = report->n;

	(void)arg;
	json_array(report, value, at, to, &list);
	if (value->type == JSON_ARRAY && value->n == 0)
		(void)report_add(report, at, EINVAL,
				 "leave it out to let the volume lie anywhere",
				 "\"ranges\" names no range.");
	if (report->n > before)
		range_list_clear(to);
}

enum volume_key {
	KEY_NAME,
	KEY_ENSURE,
	KEY_REGION,
	KEY_MODE,
	KEY_SIZE,
	KEY_RANGES,
	KEY_ONLINE,
	KEY_PERSIST,
	KEY_UUID,
	KEY_ADOPT,
	KEY_OFFLINE_WITHIN,
	KEY_IGNORE_OPEN,
};

/* Until "mode" is read. */
#define MODE_UNREAD ((enum volume_mode)N_VOLUME_MODES)
#define BIT(key) (UINT64_C(1) << (key))
#define VOLUME(key, read, member, ...) JSON_FIELD(key, read, struct volume, member, __VA_ARGS__)

static const struct json_field volume_fields[] = {
	[KEY_NAME] = VOLUME("name", json_text, name, .required = true, .hint = "such as \"vm-a\""),
	[KEY_ENSURE] = { .key = "ensure", .read = read_ensure },
	[KEY_REGION] = VOLUME("region", read_selector, region,
			      .has = offsetof(struct volume, has_region),
			      .hint = "such as {\"type\": \"pmem\", \"numa\": 0}; keys are type, "
				      "numa, target_node, uuid, path, provider, range"),
	[KEY_MODE] = VOLUME("mode", read_mode, mode, .arg = &modes,
			    .hint = "one of devdax, fsdax, system-ram"),
	[KEY_SIZE] = VOLUME("size", config_read_size, size,
			    .hint = "write \"16G\", \"50%\" or \"all\""),
	[KEY_RANGES] = VOLUME("ranges", read_ranges, ranges,
			      .hint = "such as [\"0x100000000-0x13fffffff\"]"),
	[KEY_ONLINE] = VOLUME("online", json_bool, online),
	[KEY_PERSIST] = VOLUME("persist", json_word, persist, .arg = &persists),
	[KEY_UUID] = VOLUME("uuid", json_uuid, uuid),
	[KEY_ADOPT] = VOLUME("adopt", read_opposite, foreign),
	[KEY_OFFLINE_WITHIN] = VOLUME("offline_within", json_int, offline_within,
				      .hint = "seconds, such as 30"),
	[KEY_IGNORE_OPEN] = VOLUME("ignore_open", json_bool, ignore_open),
	VOLUME("partitions", read_partitions, partitions,
	       .hint = "such as [{\"name\": \"a\", \"size\": \"8G\"}]"),
	VOLUME("until_reboot", json_bool, until_reboot),
	VOLUME("link", read_opposite, unlinked),
	VOLUME("partitioning", json_word, partitioning, .arg = &json_partitionings,
	       .has = offsetof(struct volume, has_partitioning)),
	VOLUME("repair", json_bool, repair),
	VOLUME("enabled", json_bool, enabled),
	VOLUME("align", config_read_bytes, align),
	VOLUME("contiguous", json_bool, contiguous),
	VOLUME("zone", json_word, zone, .arg = &zones),
	VOLUME("map", json_word, map, .arg = &maps),
	VOLUME("owner", json_text, node.owner, .hint = "numbers are strings, too: \"0\""),
	VOLUME("group", json_text, node.group, .hint = "numbers are strings, too: \"0\""),
	VOLUME("wait", json_int, wait, .hint = "seconds, such as 30"),
	VOLUME("perm", json_perm, node.perm, .has = offsetof(struct volume, has_perm)),
};

/* Which keys must be there, and which must not, where the values alone do not tell. */
static void check_absent(struct report *report, const struct path *at, uint64_t seen)
{
	seen &= ~(BIT(KEY_NAME) | BIT(KEY_ENSURE) | BIT(KEY_REGION) | BIT(KEY_UUID) |
		  BIT(KEY_RANGES) | BIT(KEY_ADOPT) | BIT(KEY_OFFLINE_WITHIN) |
		  BIT(KEY_IGNORE_OPEN));
	for (size_t i = 0; i < ARRAY_SIZE(volume_fields); i++) {
		const struct path key_at = { .parent = at, .key = volume_fields[i].key };

		if (seen & BIT(i))
			(void)report_add(report, &key_at, EINVAL, "remove it",
					 "\"%s\" says nothing about a volume that is to be absent.",
					 volume_fields[i].key);
	}
}

static void check_present(struct report *report, const struct path *at, uint64_t seen,
			  const struct volume *volume)
{
	static const enum volume_key needed[] = { KEY_REGION, KEY_MODE };
	const struct path size_at = { .parent = at, .key = "size" };
	const struct path online_at = { .parent = at, .key = "online" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(seen & BIT(needed[i])))
			(void)report_add(report, at, EINVAL, volume_fields[needed[i]].hint,
					 "\"%s\" is missing; a volume needs it.",
					 volume_fields[needed[i]].key);
	if (!(seen & (BIT(KEY_SIZE) | BIT(KEY_RANGES))))
		(void)report_add(report, at, EINVAL, volume_fields[KEY_SIZE].hint,
				 "\"size\" is missing; a volume needs it, or \"ranges\".");
	if ((seen & BIT(KEY_SIZE)) && (seen & BIT(KEY_RANGES)) && !volume->foreign)
		(void)report_add(report, &size_at, EINVAL,
				 "remove \"size\": the ranges say how much it is",
				 "\"size\" and \"ranges\" exclude each other.");
	if ((seen & BIT(KEY_ONLINE)) && volume->mode != MODE_SYSTEM_RAM &&
	    volume->mode != MODE_UNREAD)
		(void)report_add(report, &online_at, EINVAL, "remove it",
				 "\"online\" belongs to mode system-ram, not to %s.",
				 volume_mode_word(volume->mode));
}

/*
 * config_check() also looks at volumes with problems, so that one run shows all there are.
 * What could not be read is set to what no rule objects to.
 */
static void read_volume(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	static const struct json_table table = JSON_TABLE("a volume", volume_fields);
	struct volume *volume = to;
	uint64_t seen;

	(void)arg;
	volume->index = at->index;
	volume->enabled = volume->online = true;
	volume->wait = VOLUME_WAIT;
	volume->size.kind = SIZE_ALL;
	volume->mode = MODE_UNREAD;
	seen = json_read_members(report, value, at, &table, volume);
	if (value->type == JSON_OBJECT && volume->absent)
		check_absent(report, at, seen);
	else if (value->type == JSON_OBJECT)
		check_present(report, at, seen, volume);
	if (volume->mode == MODE_UNREAD) {
		volume->mode = MODE_DEVDAX;
		volume->absent = true; /* of those only name and region are checked */
	}
	if (volume->ranges.n && !(volume->foreign && seen & BIT(KEY_SIZE)))
		volume->size = (struct size_spec){ .bytes = range_list_size(&volume->ranges) };
	if (volume->mode == MODE_SYSTEM_RAM && volume->zone == ZONE_NONE)
		volume->zone = ZONE_MOVABLE;
	if (volume->mode == MODE_SYSTEM_RAM && volume->persist == PERSIST_NONE &&
	    (seen & BIT(KEY_PERSIST)))
		volume->persist = PERSIST_KMEM;
}

static void read_volumes(struct report *report, const struct json_value *value,
			 const struct path *at, void *to, const void *arg)
{
	static const struct json_list list = { sizeof(struct volume), read_volume, NULL };

	(void)arg;
	if (value->type == JSON_ARRAY && value->n > CONFIG_VOLUMES_MAX)
		(void)report_add(report, at, E2BIG, NULL, "%u volumes are more than %u.", value->n,
				 CONFIG_VOLUMES_MAX);
	else
		json_array(report, value, at, to, &list);
}

/* So that every pointer into the document can say which one it is. */
static int name_document(struct config *config, const char *file)
{
	config->files = calloc(1, sizeof(*config->files));
	if (!config->files)
		return -ENOMEM;
	config->files[0] = strdup(file);
	if (!config->files[0])
		return -ENOMEM;
	config->n_files = 1;
	for (size_t i = 0; i < config->n_volumes; i++)
		config->volumes[i].file = config->files[0];
	return 0;
}

int config_parse(const char *text, size_t length, const char *file, struct config **ret,
		 struct report *report)
{
	static const uint64_t version = CONFIG_VERSION;
	static const struct json_field fields[] = {
		{ .key = "daxd", .read = json_version, .arg = &version, .required = true,
		  .hint = "a configuration begins with \"daxd\": 1" },
		JSON_FIELD("volumes", read_volumes, struct config, volumes, .required = true,
			   .hint = "write \"volumes\": [] for none"),
	};
	static const struct json_table table = JSON_TABLE("a configuration", fields);
	_cleanup_(config_freep) struct config *config = NULL;
	size_t before = report->n;
	int r;

	config = calloc(1, sizeof(*config));
	if (!config) {
		json_no_memory(report);
		return -ENOMEM;
	}
	r = json_read_document(text, length, &table, config, report);
	if (r < 0)
		(void)config_check(config, report); /* what it adds, the report holds */
	if (file)
		report_name_file(report, before, file);
	if (r < 0)
		return r;
	if (file && name_document(config, file) < 0) {
		json_no_memory(report);
		return -ENOMEM;
	}
	*ret = TAKE(config);
	return 0;
}

static void put_size(struct json_out *out, const char *key, const struct size_spec *size)
{
	json_put_text(out, key, size_spec_format(size).text);
}

static void put_hex_range(struct json_out *out, const char *key, struct range range)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64 "-0x%" PRIx64, range.start,
		       range_end(range) - 1);
	json_put_text(out, key, text);
}

static void put_selector(struct json_out *out, const struct selector *selector)
{
	json_open(out, "region", '{');
	if (selector->has_type)
		json_put_text(out, "type", region_type_word(selector->type));
	if (selector->has_numa)
		json_put_int(out, "numa", selector->numa);
	if (selector->has_target_node)
		json_put_int(out, "target_node", selector->target_node);
	json_put_text(out, "uuid", selector->uuid.text);
	json_put_text(out, "path", selector->path);
	json_put_text(out, "provider", selector->provider);
	if (selector->has_range)
		put_hex_range(out, "range", selector->range);
	json_close(out, '}');
}

static void put_capacity(struct json_out *out, const struct volume *volume)
{
	if (!volume->ranges.n || (volume->foreign && !volume->absent))
		put_size(out, "size", &volume->size);
	if (!volume->ranges.n)
		return;
	json_open(out, "ranges", '[');
	for (size_t i = 0; i < volume->ranges.n; i++)
		put_hex_range(out, NULL, volume->ranges.ranges[i]);
	json_close(out, ']');
}

static void put_partition(struct json_out *out, const struct partition *partition)
{
	const char *type = partition_type_word(&partition->type);

	json_open(out, NULL, '{');
	json_put_text(out, "name", partition->name);
	if (partition->absent)
		json_put_text(out, "ensure", "absent");
	else
		put_size(out, "size", &partition->size);
	json_put_text(out, "uuid", partition->uuid.text);
	json_put_text(out, "type", type ? type : partition->type.text);
	if (partition->has_start)
		json_put_u64(out, "start", partition->start);
	json_put_text(out, "owner", partition->node.owner);
	json_put_text(out, "group", partition->node.group);
	if (partition->has_perm)
		json_put_perm(out, "perm", partition->node.perm);
	json_close(out, '}');
}

static void put_partitions(struct json_out *out, const struct volume *volume)
{
	if (!volume->n_partitions)
		return;
	json_open(out, "partitions", '[');
	for (size_t i = 0; i < volume->n_partitions; i++) {
		put_partition(out, &volume->partitions[i]);
	}
	json_close(out, ']');
}

static void put_details(struct json_out *out, const struct volume *volume)
{
	json_put_text(out, "mode", volume_mode_word(volume->mode));
	if (volume->persist != PERSIST_NONE)
		json_put_text(out, "persist", persist_word(volume->persist));
	put_capacity(out, volume);
	if (volume->align)
		json_put_text(out, "align", SIZE_STR(volume->align));
	if (volume->contiguous)
		json_put_bool(out, "contiguous", true);
	if (volume->zone == ZONE_NORMAL)
		json_put_text(out, "zone", zone_word(volume->zone));
	if (!volume->enabled)
		json_put_bool(out, "enabled", false);
	if (volume->until_reboot)
		json_put_bool(out, "until_reboot", true);
	if (volume->unlinked)
		json_put_bool(out, "link", false);
	if (volume->mode == MODE_SYSTEM_RAM && !volume->online)
		json_put_bool(out, "online", false);
	if (volume->map != MAP_NONE)
		json_put_text(out, "map", map_location_word(volume->map));
	json_put_text(out, "owner", volume->node.owner);
	json_put_text(out, "group", volume->node.group);
	if (volume->has_perm)
		json_put_perm(out, "perm", volume->node.perm);
	if (volume->wait != VOLUME_WAIT)
		json_put_int(out, "wait", volume->wait);
	if (volume->has_partitioning)
		json_put_text(out, "partitioning", partitioning_word(volume->partitioning));
	if (volume->repair)
		json_put_bool(out, "repair", true);
	put_partitions(out, volume);
}

char *config_to_json(const struct config *config)
{
	struct json_out out = { .indent = true };

	json_open(&out, NULL, '{');
	json_put_u64(&out, "daxd", CONFIG_VERSION);
	json_open(&out, "volumes", '[');
	for (size_t i = 0; i < config->n_volumes; i++) {
		const struct volume *volume = &config->volumes[i];

		json_open(&out, NULL, '{');
		json_put_text(&out, "name", volume->name);
		if (volume->absent || volume->fresh)
			json_put_text(&out, "ensure", volume->absent ? "absent" : "new");
		if (volume->foreign)
			json_put_bool(&out, "adopt", false);
		if (volume->has_region)
			put_selector(&out, &volume->region);
		if (volume->ignore_open)
			json_put_bool(&out, "ignore_open", true);
		if (volume->offline_within)
			json_put_int(&out, "offline_within", volume->offline_within);
		if (!volume->absent)
			put_details(&out, volume);
		else if (volume->ranges.n)
			put_capacity(&out, volume);
		json_put_text(&out, "uuid", volume->uuid.text);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	return json_out_finish(&out);
}
