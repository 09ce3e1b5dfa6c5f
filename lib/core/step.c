/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/step.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/text.h"
#include "core/words.h"

static const char *const kinds[] = {
	[STEP_INIT_LABELS] = "init-labels",
	[STEP_CREATE_NAMESPACE] = "create-namespace",
	[STEP_CONVERT_NAMESPACE] = "convert-namespace",
	[STEP_ENABLE_NAMESPACE] = "enable-namespace",
	[STEP_DESTROY_NAMESPACE] = "destroy-namespace",
	[STEP_RECORD] = "record",
	[STEP_FORGET] = "forget",
	[STEP_CREATE_DEVICE] = "create-device",
	[STEP_RESIZE_DEVICE] = "resize-device",
	[STEP_DESTROY_DEVICE] = "destroy-device",
	[STEP_BIND] = "bind",
	[STEP_UNBIND] = "unbind",
	[STEP_ONLINE] = "online-memory",
	[STEP_OFFLINE] = "offline-memory",
	[STEP_PUBLISH] = "publish",
	[STEP_WITHDRAW] = "withdraw",
	[STEP_WRITE_TABLE] = "write-table",
	[STEP_POLICY] = "policy",
	[STEP_DROP_PARTITION] = "drop-partition",
	[STEP_ADD_PARTITION] = "add-partition",
	[STEP_MAP] = "map",
	[STEP_UNMAP] = "unmap",
	[STEP_REMAP] = "remap",
};

DEFINE_WORDS(step_kind, enum step_kind, kinds)

void step_clear(struct step *step)
{
	free(step->volume);
	free(step->region);
	free(step->object);
	free(step->reason);
	free(step->label);
	free(step->record_mode);
	range_list_clear(&step->ranges);
	access_clear(&step->access);
	table_clear(&step->before_table);
	table_clear(&step->after_table);
	for (size_t i = 0; i < step->n_users; i++) {
		free(step->users[i].window);
		free(step->users[i].owner);
		free(step->users[i].group);
	}
	free(step->users);
	free(step->after);
	*step = (struct step){ 0 };
}

static int copy_text(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int add_user(struct step *step, const struct window_user *user)
{
	struct window_user *slot = ARRAY_APPEND(step->users, step->n_users);

	if (!slot)
		return -ENOMEM;
	*slot = (struct window_user){ 0 };
	step->n_users++;
	if (copy_text(&slot->window, user->window) < 0 ||
	    copy_text(&slot->owner, user->owner) < 0 || copy_text(&slot->group, user->group) < 0)
		return -ENOMEM;
	return 0;
}

int step_add_user(struct step *step, const char *window, const struct access *access)
{
	const struct window_user user = { (char *)window, access->owner, access->group };

	return add_user(step, &user);
}

int step_copy(struct step *to, const struct step *from)
{
	struct step copy = *from;

	copy.volume = copy.region = copy.object = copy.reason = NULL;
	copy.label = copy.record_mode = NULL;
	copy.ranges = (struct range_list){ 0 };
	copy.access = (struct access){ .perm = from->access.perm };
	copy.before_table = copy.after_table = (struct partition_table){ 0 };
	copy.users = NULL;
	copy.n_users = 0;
	copy.after = NULL;
	copy.n_after = 0;
	if (copy_text(&copy.volume, from->volume) < 0 ||
	    copy_text(&copy.region, from->region) < 0 ||
	    copy_text(&copy.object, from->object) < 0 ||
	    copy_text(&copy.reason, from->reason) < 0 ||
	    copy_text(&copy.label, from->label) < 0 ||
	    copy_text(&copy.record_mode, from->record_mode) < 0 ||
	    copy_text(&copy.access.owner, from->access.owner) < 0 ||
	    copy_text(&copy.access.group, from->access.group) < 0 ||
	    copy_text(&copy.access.link, from->access.link) < 0 ||
	    range_list_copy(&copy.ranges, &from->ranges) < 0 ||
	    table_copy(&copy.before_table, &from->before_table) < 0 ||
	    table_copy(&copy.after_table, &from->after_table) < 0)
		goto no_memory;
	for (size_t i = 0; i < from->n_users; i++)
		if (add_user(&copy, &from->users[i]) < 0)
			goto no_memory;
	for (size_t i = 0; i < from->n_after; i++) {
		size_t *slot = ARRAY_APPEND(copy.after, copy.n_after);

		if (!slot)
			goto no_memory;
		*slot = from->after[i];
		copy.n_after++;
	}
	*to = copy;
	return 0;
no_memory:
	step_clear(&copy);
	return -ENOMEM;
}

/* What a kind needs beside the region. */
enum need {
	NEED_UUID = 1 << 0,
	NEED_LABEL = 1 << 1,
	NEED_SIZE = 1 << 2,
	NEED_RANGES = 1 << 3,
	NEED_ALIGN = 1 << 4,
	NEED_DRIVER = 1 << 5,
	NEED_ZONE = 1 << 6,
	NEED_MODE = 1 << 7, /* fsdax or devdax */
	NEED_LINK = 1 << 8,
	NEED_NO_REGION = 1 << 9,
	NEED_PARTITION = 1 << 10, /* number and extent */
	NEED_PAGES = 1 << 11,	  /* its extent is of whole pages */
	NEED_TABLE = 1 << 12,
	NEED_MAP = 1 << 13,
};

static const unsigned int needs[] = {
	[STEP_INIT_LABELS] = 0,
	[STEP_CREATE_NAMESPACE] = NEED_UUID | NEED_LABEL | NEED_SIZE | NEED_ALIGN | NEED_MODE |
				  NEED_MAP,
	[STEP_CONVERT_NAMESPACE] = NEED_ALIGN | NEED_MODE | NEED_MAP,
	[STEP_ENABLE_NAMESPACE] = 0,
	[STEP_DESTROY_NAMESPACE] = NEED_UUID,
	[STEP_RECORD] = NEED_LABEL | NEED_RANGES | NEED_NO_REGION,
	[STEP_FORGET] = NEED_LABEL | NEED_NO_REGION,
	[STEP_CREATE_DEVICE] = NEED_RANGES | NEED_ALIGN,
	[STEP_RESIZE_DEVICE] = NEED_RANGES | NEED_ALIGN,
	[STEP_DESTROY_DEVICE] = 0,
	[STEP_BIND] = NEED_DRIVER,
	[STEP_UNBIND] = NEED_DRIVER,
	[STEP_ONLINE] = NEED_ZONE,
	[STEP_OFFLINE] = 0,
	[STEP_PUBLISH] = NEED_LINK,
	[STEP_WITHDRAW] = NEED_LINK,
	[STEP_WRITE_TABLE] = NEED_TABLE | NEED_MODE,
	[STEP_POLICY] = 0,
	[STEP_DROP_PARTITION] = NEED_PARTITION,
	[STEP_ADD_PARTITION] = NEED_PARTITION,
	[STEP_MAP] = NEED_PARTITION | NEED_PAGES,
	[STEP_UNMAP] = NEED_PARTITION,
	[STEP_REMAP] = NEED_PARTITION | NEED_PAGES,
};

/* Of the table to be written, or of a partition's place. */
static const char *wrong_table_member(const struct step *step, unsigned int need)
{
	uint64_t end;

	/* A table that there was not is undone by writing none. */
	if ((need & NEED_TABLE) && step->after_table.kind != TABLE_GPT &&
	    (step->after_table.kind != TABLE_NONE || step->before_table.kind != TABLE_GPT))
		return "table";
	if ((need & NEED_TABLE) && step->after_table.kind == TABLE_GPT &&
	    !uuid_is_set(&step->after_table.guid))
		return "guid of the table";
	for (size_t i = 0; (need & NEED_TABLE) && i < step->after_table.n_entries; i++)
		if (!uuid_is_set(&step->after_table.entries[i].uuid) ||
		    !uuid_is_set(&step->after_table.entries[i].type))
			return "uuid and type of each entry";
	if ((need & NEED_PARTITION) && step->number == 0)
		return "number";
	if ((need & NEED_PARTITION) &&
	    (step->extent.size == 0 ||
	     __builtin_add_overflow(step->extent.start, step->extent.size, &end)))
		return "extent";
	if ((need & NEED_PAGES) && (step->extent.start % ALIGN_4K || step->extent.size % ALIGN_4K))
		return "extent of whole pages";
	return NULL;
}

static const char *missing_member(const struct step *step)
{
	unsigned int need = needs[step->kind];

	if (!(need & NEED_NO_REGION) && !step->region)
		return "region";
	if ((need & NEED_UUID) && !uuid_is_set(&step->uuid))
		return "uuid";
	if ((need & NEED_LABEL) && !step->label)
		return "label";
	if ((need & NEED_SIZE) && step->size == 0)
		return "size";
	if ((need & NEED_RANGES) && step->ranges.n == 0)
		return "ranges";
	if ((need & NEED_ALIGN) && !is_power_of_2(step->align))
		return "align";
	if ((need & NEED_DRIVER) &&
	    (step->driver == DRIVER_NONE || (step->kind == STEP_BIND && step->driver == DRIVER_OTHER)))
		return "driver";
	if ((need & NEED_ZONE) && step->zone != ZONE_NORMAL && step->zone != ZONE_MOVABLE)
		return "zone";
	if ((need & NEED_MODE) && step->mode != NAMESPACE_FSDAX && step->mode != NAMESPACE_DEVDAX)
		return "mode";
	if ((need & NEED_MAP) && step->map == MAP_NONE)
		return "map";
	if ((need & NEED_LINK) && (!step->access.link || !access_link_name(step->access.link)))
		return "link";
	return wrong_table_member(step, need);
}

int step_check(const struct step *step, struct error *reterr)
{
	const char *missing = missing_member(step);

	if (missing)
		return error_set(reterr, EINVAL, "A %s step needs a sensible %s.",
				 kinds[step->kind], missing);
	for (size_t i = 0; i < step->ranges.n; i++) {
		struct range r = step->ranges.ranges[i];
		uint64_t end;

		if (r.size == 0 || __builtin_add_overflow(r.start, r.size, &end))
			return error_set(reterr, EINVAL,
					 "Range %zu of a %s step is empty or wraps around.", i,
					 kinds[step->kind]);
	}
	return 0;
}

static void describe_ranges(struct text *out, const struct range_list *ranges)
{
	for (size_t i = 0; i < ranges->n; i++)
		text_add(out, "%s0x%" PRIx64 "-0x%" PRIx64, i ? "," : " at ",
			      ranges->ranges[i].start, range_end(ranges->ranges[i]) - 1);
}

static void describe_access(struct text *out, const struct step *step)
{
	text_add(out, ": %s", step->access.link);
	if (step->access.owner || step->access.group || step->has_perm)
		text_add(out, ",");
	if (step->access.owner)
		text_add(out, " owner %s", step->access.owner);
	if (step->access.group)
		text_add(out, " group %s", step->access.group);
	if (step->has_perm)
		text_add(out, " perm %04o", step->access.perm);
}

static void describe_extent(struct text *out, struct range extent)
{
	text_add(out, ", %s", SIZE_STR(extent.size));
	text_add(out, " at %s", SIZE_STR(extent.start));
}

static void describe_entry(struct text *out, const struct table_entry *entry)
{
	text_add(out, " %u", entry->number);
	if (entry->name)
		text_add(out, " (%s)", entry->name);
}

/* What becomes of each entry, in order of number. */
static void describe_table(struct text *out, const struct step *step)
{
	const struct partition_table *before = &step->before_table, *after = &step->after_table;

	text_add(out, ": %s", after->kind == TABLE_NONE ? "none" :
			      before->kind == TABLE_BACKUP ? "gpt, from its backup" :
			      table_lacks_copy(before) ? "gpt, and its copy at the end anew" :
			      table_has_entries(before) ? "gpt" : "new gpt");
	for (size_t i = 0; i < before->n_entries; i++)
		if (!table_find(after, before->entries[i].number)) {
			text_add(out, "; without");
			describe_entry(out, &before->entries[i]);
		}
	for (size_t i = 0; i < after->n_entries; i++) {
		const struct table_entry *entry = &after->entries[i];
		const struct table_entry *was = table_find(before, entry->number);

		if (was && table_entry_equal(was, entry))
			continue;
		text_add(out, was ? "; changed" : "; with");
		describe_entry(out, entry);
		describe_extent(out, entry->extent);
	}
}

static void describe_details(struct text *out, const struct step *step)
{
	switch (step->kind) {
	case STEP_CREATE_NAMESPACE:
		text_add(out, ": %s, %s", namespace_mode_word(step->mode),
			      SIZE_STR(step->size));
		text_add(out, ", align %s, map %s", SIZE_STR(step->align),
			      map_location_word(step->map));
		break;
	case STEP_CONVERT_NAMESPACE:
		text_add(out, ": to %s, align %s, map %s", namespace_mode_word(step->mode),
			      SIZE_STR(step->align), map_location_word(step->map));
		break;
	case STEP_CREATE_DEVICE:
	case STEP_RESIZE_DEVICE:
		text_add(out, ": %s", SIZE_STR(range_list_size(&step->ranges)));
		text_add(out, ", align %s", SIZE_STR(step->align));
		describe_ranges(out, &step->ranges);
		break;
	case STEP_RECORD:
		text_add(out, ": %s", step->record_mode ? step->record_mode : "");
		describe_ranges(out, &step->ranges);
		break;
	case STEP_BIND:
	case STEP_UNBIND:
		text_add(out, ": %s %s", step->kind == STEP_BIND ? "to" : "from",
			      driver_word(step->driver));
		break;
	case STEP_ONLINE:
		text_add(out, ": zone %s", zone_word(step->zone));
		break;
	case STEP_WRITE_TABLE:
		describe_table(out, step);
		break;
	case STEP_POLICY:
		text_add(out, ": partitions by %s%s",
			 step->policy == PARTITIONING_KERNEL ? "the kernel" : "daxd",
			 step->policy == PARTITIONING_AUTO ? " (auto)" : "");
		if (step->policy != PARTITIONING_KERNEL && !step->managed)
			text_add(out, ", once none is in use%s",
				 step->policy == PARTITIONING_AUTO ? " and all fit" : "");
		break;
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
		text_add(out, ": the kernel's %u", step->number);
		break;
	case STEP_MAP:
	case STEP_REMAP:
		text_add(out, ": partition %u", step->number);
		describe_extent(out, step->extent);
		text_add(out, "%s", step->read_only ? ", read-only" : "");
		break;
	case STEP_UNMAP:
		text_add(out, ": partition %u", step->number);
		break;
	case STEP_PUBLISH:
	case STEP_WITHDRAW:
		describe_access(out, step);
		break;
	case STEP_INIT_LABELS:
	case STEP_ENABLE_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_DESTROY_DEVICE:
	case STEP_OFFLINE:
		break;
	case STEP_FORGET:
		if (step->volume && step->label && strcmp(step->volume, step->label) != 0)
			text_add(out, ": the name %s", step->label);
		break;
	}
}

/* The last part of a sysfs path is what the kernel calls the region. */
static const char *short_region(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *step_describe(const struct step *step)
{
	struct text out = { 0 };

	text_add(&out, "%s", kinds[step->kind]);
	if (step->volume)
		text_add(&out, " %s", step->volume);
	if (step->object)
		text_add(&out, step->volume ? " (%s)" : " %s", step->object);
	if (step->region && (!step->object || strcmp(step->object, short_region(step->region)) != 0))
		text_add(&out, " in %s", short_region(step->region));
	describe_details(&out, step);
	return text_finish(&out);
}

bool step_takes_away(const struct step *step)
{
	switch (step->kind) {
	case STEP_INIT_LABELS:
	case STEP_CONVERT_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_RESIZE_DEVICE:
	case STEP_DESTROY_DEVICE:
	case STEP_BIND: /* who has had it open since before is in the way, too */
	case STEP_UNBIND:
	case STEP_OFFLINE:
	case STEP_WITHDRAW:
	case STEP_WRITE_TABLE:
	case STEP_POLICY:
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_UNMAP:
	case STEP_REMAP:
		return true;
	case STEP_MAP:
	case STEP_CREATE_NAMESPACE:
	case STEP_ENABLE_NAMESPACE:
	case STEP_RECORD:
	case STEP_FORGET:
	case STEP_CREATE_DEVICE:
	case STEP_ONLINE:
	case STEP_PUBLISH:
		return step->destructive;
	}
	return true;
}
