/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/config-check.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config-size.h"
#include "core/json-scan.h"

#define ACCOUNT_NAME_MAX 32
#define PAGE 4096u

void config_check_name(struct report *report, const struct path *at, const char *name, size_t max)
{
	static const char rule[] = "letters, digits, '.', '_' and '-', beginning with a letter or "
				   "a digit";
	size_t length = strlen(name);

	if (length == 0)
		(void)report_add(report, at, EINVAL, rule, "The name is empty.");
	else if (length > max)
		(void)report_add(report, at, ENAMETOOLONG, NULL,
				 "The name has %zu characters; %zu is the most.", length, max);
	for (const char *c = name; *c; c++) {
		if (isascii(*c) && (isalnum(*c) || (strchr("._-", *c) && c > name)))
			continue;
		if (isgraph(*c) && isascii(*c))
			(void)report_add(report, at, EINVAL, rule, "The name %s %s '%c'.",
					 json_show(name).text,
					 c == name ? "begins with" : "contains", *c);
		else
			(void)report_add(report, at, EINVAL, rule,
					 "The name %s contains a character that is not allowed "
					 "(byte 0x%02x).",
					 json_show(name).text, (unsigned int)(unsigned char)*c);
		break;
	}
}

void config_check_account(struct report *report, const struct path *at, const char *name)
{
	uint64_t id;
	bool good = isalpha(name[0]) || name[0] == '_';

	if (isdigit((unsigned char)name[0])) {
		/* (uid_t)-1 means "leave as it is" to chown(). */
		good = !name[strspn(name, "0123456789")] && size_parse(name, &id) == 0 &&
		       id < UINT32_MAX;
	} else {
		for (const char *c = name; *c; c++)
			if (!isascii(*c) || (!isalnum(*c) && !strchr("._-$", *c)))
				good = false;
		good = good && strlen(name) <= ACCOUNT_NAME_MAX;
	}
	if (!good)
		(void)report_add(report, at, EINVAL,
				 "a name such as \"kvm\", or a number as \"107\"",
				 "%s is not the name or number of an account.",
				 json_show(name).text);
}

void config_check_uuid(struct report *report, const struct path *at, const struct uuid *uuid)
{
	if (uuid_is_nil(uuid))
		(void)report_add(report, at, EINVAL, NULL, "The uuid of all zeros is none.");
}

static void check_selector(struct report *report, const struct volume *volume)
{
	const struct selector *selector = &volume->region;
	struct volume_path at;
	struct path key_at = { .parent = volume_path(&at, volume, "region") };

	key_at.key = "path";
	if (selector->path &&
	    (selector->path[0] != '/' || strncmp(selector->path, "/sys/", strlen("/sys/")) == 0 ||
	     strncmp(selector->path, "/devices/", strlen("/devices/")) == 0))
		(void)report_add(report, &key_at, EINVAL,
				 "such as \"/platform/hmem.0\"; daxctl-ext status --json shows "
				 "the paths",
				 "The path of a region is what comes after /sys/devices, with its "
				 "slash.");
	key_at.key = "uuid";
	config_check_uuid(report, &key_at, &selector->uuid);
}

static void report_not_multiple(struct report *report, const struct path *at, uint64_t size,
				uint64_t step, const char *what)
{
	(void)report_add(report, at, EINVAL, size_hint_multiple(size, step).text,
			 "%s is not a multiple of %s %s.", SIZE_STR(size), what, SIZE_STR(step));
}

bool config_check_bytes(struct report *report, const struct path *at, const struct size_spec *size,
			uint64_t align)
{
	size_t before = report->n;

	if (size->kind != SIZE_BYTES)
		return true;
	if (size->bytes == 0)
		(void)report_add(report, at, EINVAL, NULL, "A size of 0 holds nothing.");
	else if (size->bytes % PAGE)
		report_not_multiple(report, at, size->bytes, PAGE, "the page size");
	else if (align && size->bytes % align)
		report_not_multiple(report, at, size->bytes, align, "the alignment");
	return report->n == before;
}

struct shown_range {
	char text[64];
};

static struct shown_range show_range(struct range r)
{
	struct shown_range shown;

	(void)snprintf(shown.text, sizeof(shown.text), "0x%" PRIx64 "-0x%" PRIx64, r.start,
		       range_end(r) - 1);
	return shown;
}

static bool align_is_known(uint64_t align)
{
	return align == 4u << 10 || align == 2u << 20 || align == 1u << 30;
}

static void check_ranges(struct report *report, const struct volume *volume)
{
	uint64_t step = align_is_known(volume->align) ? volume->align : PAGE;
	struct volume_path at;

	for (size_t i = 0; i < volume->ranges.n; i++) {
		struct range r = volume->ranges.ranges[i];
		bool past = r.start % step == 0 && r.size % step == 1;
		char hint[128] = "";

		at.item = (struct path){ .parent = volume_path(&at, volume, "ranges"), .index = i };
		if (r.start % step == 0 && r.size % step == 0)
			continue;
		if (past)
			(void)snprintf(hint, sizeof(hint),
				       "the second address is the last byte; did you intend "
				       "\"0x%" PRIx64 "-0x%" PRIx64 "\"?",
				       r.start, range_end(r) - 2);
		(void)report_add(report, &at.item, EINVAL, past ? hint : NULL,
				 "The range %s does not begin and end at multiples of %s.",
				 show_range(r).text, SIZE_STR(step));
	}
	if (volume->contiguous && volume->ranges.n > 1)
		(void)report_add(report, volume_path(&at, volume, "contiguous"), EINVAL,
				 "give one range, or remove \"contiguous\"",
				 "%zu ranges are not contiguous.", volume->ranges.n);
}

static void check_capacity(struct report *report, const struct volume *volume)
{
	uint64_t align = align_is_known(volume->align) ? volume->align : 0;
	struct volume_path at;

	if (volume->align && !align_is_known(volume->align))
		(void)report_add(report, volume_path(&at, volume, "align"), EINVAL,
				 "leave it out for the default of the region",
				 "%s is not an alignment: it is 4K, 2M or 1G.",
				 SIZE_STR(volume->align));
	if (volume->ranges.n)
		check_ranges(report, volume);
	else
		(void)config_check_bytes(report, volume_path(&at, volume, "size"), &volume->size, align);
}

/* What belongs to system-ram, and what does not. */
static void check_mode(struct report *report, const struct volume *volume)
{
	bool ram = volume->mode == MODE_SYSTEM_RAM;
	const struct {
		const char *key;
		bool given, fits;
	} keys[] = {
		{ "persist", volume->persist != PERSIST_NONE, ram },
		{ "zone", volume->zone != ZONE_NONE, ram },
		{ "owner", volume->node.owner, !ram },
		{ "group", volume->node.group, !ram },
		{ "perm", volume->has_perm, !ram },
		{ "partitions", volume->n_partitions, !ram },
		{ "repair", volume->repair, !ram },
	};
	struct volume_path at;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].given && !keys[i].fits)
			(void)report_add(report, volume_path(&at, volume, keys[i].key), EINVAL,
					 "remove it", "\"%s\" belongs to %s, not to mode %s.",
					 keys[i].key,
					 ram ? "the modes devdax and fsdax" : "mode system-ram",
					 volume_mode_word(volume->mode));
	if (volume->has_partitioning && volume->mode != MODE_FSDAX)
		(void)report_add(report, volume_path(&at, volume, "partitioning"), EINVAL,
				 "remove it",
				 "\"partitioning\" belongs to mode fsdax, not to %s: it says who "
				 "makes block devices of partitions.",
				 volume_mode_word(volume->mode));
	if (volume->mode == MODE_FSDAX && !volume->enabled)
		(void)report_add(report, volume_path(&at, volume, "enabled"), EINVAL,
				 "unmount it, or make it absent",
				 "A volume of mode fsdax cannot be without its driver.");
	if (volume->mode == MODE_FSDAX && volume->region.has_type &&
	    volume->region.type != REGION_PMEM)
		(void)report_add(report, volume_path(&at, volume, "mode"), EINVAL,
				 "choose a pmem region, or mode devdax or system-ram",
				 "fsdax needs a pmem region, and this one is to be %s.",
				 region_type_word(volume->region.type));
	if (ram && volume->persist == PERSIST_NONE)
		(void)report_add(report, volume_path(&at, volume, NULL), EINVAL,
				 "\"persist\": \"kmem\" gives all of the volume to the kernel as "
				 "memory; \"blk\" keeps a block device on it and gives what that "
				 "leaves",
				 "\"persist\" is missing; mode system-ram needs it.");
}

/* What is somebody else's is found by what it is, and gets nothing that lasts. */
static void check_foreign(struct report *report, const struct volume *volume)
{
	struct volume_path at;

	if (volume->node.owner || volume->node.group || volume->has_perm)
		(void)report_add(report, volume_path(&at, volume, "adopt"), EINVAL,
				 "remove owner, group and perm, or \"adopt\"",
				 "What is not adopted keeps its node as it is.");
	if (!volume->ranges.n && !uuid_is_set(&volume->uuid) && !volume->has_region)
		(void)report_add(report, volume_path(&at, volume, "adopt"), EINVAL,
				 "give \"ranges\" or \"uuid\"",
				 "What is not adopted cannot be found by its name.");
}

/* What is not published has nothing by which its node could be anybody's. */
static void check_unlinked(struct report *report, const struct volume *volume)
{
	struct volume_path at;

	if (volume->node.owner || volume->node.group || volume->has_perm)
		(void)report_add(report, volume_path(&at, volume, "link"), EINVAL,
				 "remove owner, group and perm, or \"link\"",
				 "Without a link the node keeps its owner and permissions.");
}

/* WORD, then a number; NULL: it is not so. */
static const char *after_number(const char *text, const char *word)
{
	size_t n = strlen(word), digits;

	if (strncmp(text, word, n) != 0)
		return NULL;
	digits = strspn(text + n, "0123456789");
	return digits ? text + n + digits : NULL;
}

bool config_is_kernels_name(const char *name)
{
	static const char *const words[] = { "dax", "", "namespace", "region", "pmem" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *rest = after_number(name, words[i]);
		bool whole = strcmp(words[i], "region") == 0 || strcmp(words[i], "pmem") == 0;

		if (rest && *rest == '.')
			rest = after_number(rest, ".");
		else if (rest && !whole)
			rest = NULL;
		if (rest && *rest == 'p' && strcmp(words[i], "pmem") == 0)
			rest = after_number(rest, "p");
		if (rest && !*rest)
			return true;
	}
	return false;
}

bool config_is_verbs_word(const char *name)
{
	return strcmp(name, "all") == 0;
}

/* It would be two things to every verb: the volume, and what the kernel or the verb calls so. */
static void check_not_taken(struct report *report, const struct volume *volume)
{
	struct volume_path at;

	if (!volume->name || volume->foreign)
		return;
	if (config_is_verbs_word(volume->name))
		(void)report_add(report, volume_path(&at, volume, "name"), EINVAL,
				 "choose one that says what it is for",
				 "The name %s means every device to the verbs of daxctl-ext.",
				 json_show(volume->name).text);
	if (config_is_kernels_name(volume->name))
		(void)report_add(report, volume_path(&at, volume, "name"), EINVAL,
				 "choose one that says what it is for",
				 "The name %s is of the kernel's kind, which may be another device's.",
				 json_show(volume->name).text);
}

static void check_volume(struct report *report, const struct volume *volume)
{
	struct volume_path at;

	if (volume->name)
		config_check_name(report, volume_path(&at, volume, "name"), volume->name, VOLUME_NAME_MAX);
	check_selector(report, volume);
	if (volume->foreign)
		check_foreign(report, volume);
	if (volume->unlinked)
		check_unlinked(report, volume);
	if (volume->foreign && volume->fresh)
		(void)report_add(report, volume_path(&at, volume, "ensure"), EINVAL,
				 "remove one of the two",
				 "What is new is nobody's yet: \"adopt\" says nothing about it.");
	if (volume->absent)
		return;
	check_not_taken(report, volume);
	check_mode(report, volume);
	check_capacity(report, volume);
	if (volume->node.owner)
		config_check_account(report, volume_path(&at, volume, "owner"), volume->node.owner);
	if (volume->node.group)
		config_check_account(report, volume_path(&at, volume, "group"), volume->node.group);
	config_check_uuid(report, volume_path(&at, volume, "uuid"), &volume->uuid);
	if (volume->wait > VOLUME_WAIT_MAX)
		(void)report_add(report, volume_path(&at, volume, "wait"), ERANGE, NULL,
				 "%d seconds is more than a day, %d.", volume->wait,
				 VOLUME_WAIT_MAX);
	config_check_partitions(report, volume);
}

/* A text that only one volume may have. */
struct mention {
	const char *text;
	const struct volume *volume;
};

static int compare_mentions(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	return r ? r : (x->volume > y->volume) - (x->volume < y->volume);
}

/* " of b.json", when a volume is not in the same document as another. */
static void elsewhere(char text[static PATH_MAX], const struct volume *from,
		      const struct volume *volume)
{
	text[0] = 0;
	if (volume->file && from->file && strcmp(volume->file, from->file) != 0)
		(void)snprintf(text, PATH_MAX, " of %s", volume->file);
}

static void report_same(struct report *report, const struct volume *first,
			const struct volume *second, const char *member, const char *text)
{
	struct volume_path at;
	char file[PATH_MAX];

	elsewhere(file, second, first);
	(void)report_add(report, volume_path(&at, second, member), EEXIST,
			 file[0] ? "rename or remove one of them" : NULL,
			 "Volume %zu%s has the same %s %s.", first->index, file, member,
			 json_show(text).text);
}

static void check_unique(struct report *report, struct mention *mentions, size_t n,
			 const char *member)
{
	if (n > 1)
		qsort(mentions, n, sizeof(mentions[0]), compare_mentions);
	for (size_t i = 1; i < n; i++)
		if (strcmp(mentions[i - 1].text, mentions[i].text) == 0)
			report_same(report, mentions[i - 1].volume, mentions[i].volume, member,
				    mentions[i].text);
}

static void check_all_unique(struct report *report, const struct config *config)
{
	_cleanup_(freep) struct mention *mentions = NULL;
	size_t n = 0;

	mentions = calloc(config->n_volumes + 1, sizeof(*mentions));
	if (!mentions)
		abort(); /* see above */
	for (size_t i = 0; i < config->n_volumes; i++)
		if (config->volumes[i].name)
			mentions[n++] = (struct mention){ config->volumes[i].name,
							  &config->volumes[i] };
	check_unique(report, mentions, n, "name");
	n = 0;
	for (size_t i = 0; i < config->n_volumes; i++)
		if (uuid_is_set(&config->volumes[i].uuid))
			mentions[n++] = (struct mention){ config->volumes[i].uuid.text,
							  &config->volumes[i] };
	check_unique(report, mentions, n, "uuid");
}

struct claim {
	struct range range;
	const struct volume *volume;
	size_t index;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int r = (x->range.start > y->range.start) - (x->range.start < y->range.start);

	if (r == 0)
		r = (x->volume > y->volume) - (x->volume < y->volume);
	return r ? r : (x->index > y->index) - (x->index < y->index);
}

static void report_overlap(struct report *report, const struct claim *claim,
			   const struct claim *other)
{
	struct volume_path at;
	char file[PATH_MAX];

	elsewhere(file, claim->volume, other->volume);
	at.item = (struct path){ .parent = volume_path(&at, claim->volume, "ranges"),
				 .index = claim->index };
	(void)report_add(report, &at.item, EEXIST, NULL,
			 "The range %s overlaps %s of volume %zu%s.",
			 show_range(claim->range).text, show_range(other->range).text,
			 other->volume->index, file);
}

/* In order of start, a range overlaps an earlier one when it overlaps the one that ends last. */
static void check_overlaps(struct report *report, const struct config *config)
{
	_cleanup_(freep) struct claim *claims = NULL;
	const struct claim *last;
	size_t n = 0;

	for (size_t i = 0; i < config->n_volumes; i++)
		n += config->volumes[i].ranges.n;
	if (n < 2)
		return;
	claims = calloc(n, sizeof(*claims));
	if (!claims)
		abort(); /* see above */
	n = 0;
	for (size_t i = 0; i < config->n_volumes; i++)
		for (size_t j = 0; j < config->volumes[i].ranges.n; j++)
			claims[n++] = (struct claim){ config->volumes[i].ranges.ranges[j],
						      &config->volumes[i], j };
	qsort(claims, n, sizeof(*claims), compare_claims);
	last = &claims[0];
	for (size_t i = 1; i < n; i++) {
		if (range_overlaps(last->range, claims[i].range))
			report_overlap(report, &claims[i], last);
		if (range_end(claims[i].range) > range_end(last->range))
			last = &claims[i];
	}
}

int config_check(const struct config *config, struct report *report)
{
	size_t before = report->n;

	for (size_t i = 0; i < config->n_volumes; i++)
		check_volume(report, &config->volumes[i]);
	check_all_unique(report, config);
	check_overlaps(report, config);
	config_check_windows(report, config);
	return report->n > before ? -report->errors[before].code : 0;
}

int config_supported(const struct config *config, struct report *report)
{
	size_t before = report->n;
	struct volume_path at;

	for (size_t i = 0; i < config->n_volumes; i++) {
		const struct volume *volume = &config->volumes[i];

		if (volume->absent)
			continue;
		if (volume->persist == PERSIST_BLK)
			(void)report_add(report, volume_path(&at, volume, "persist"), EOPNOTSUPP,
					 "\"persist\": \"kmem\" gives all of it to the kernel as "
					 "memory",
					 "\"persist\": \"blk\" is not in this version yet.");
	}
	return report->n > before ? -report->errors[before].code : 0;
}
