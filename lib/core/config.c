/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/words.h"

#define PERCENT_100 10000u /* in hundredths of a percent */

static const char *const volume_modes[] = { "devdax", "fsdax", "system-ram" };
static const char *const persists[] = { "none", "kmem", "blk" };

DEFINE_WORDS(volume_mode, enum volume_mode, volume_modes)
DEFINE_WORDS(persist, enum persist, persists)

void partition_clear(struct partition *partition)
{
	free(partition->name);
	access_clear(&partition->node);
	*partition = (struct partition){ 0 };
}

bool volume_has_table(const struct volume *volume)
{
	return volume->n_partitions || volume->has_partitioning || volume->repair;
}

void volume_clear(struct volume *volume)
{
	free(volume->name);
	free(volume->region.path);
	free(volume->region.provider);
	range_list_clear(&volume->ranges);
	access_clear(&volume->node);
	for (size_t i = 0; i < volume->n_partitions; i++)
		partition_clear(&volume->partitions[i]);
	free(volume->partitions);
	*volume = (struct volume){ 0 };
}

void volume_select(struct volume *volume, const struct region *region)
{
	volume->has_region = true;
	volume->region.has_type = true;
	volume->region.type = region->type;
	if (uuid_is_set(&region->uuid)) {
		volume->region.uuid = region->uuid;
	} else {
		volume->region.has_range = true;
		volume->region.range = region->range;
	}
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_volumes; i++)
		volume_clear(&config->volumes[i]);
	free(config->volumes);
	for (size_t i = 0; i < config->n_files; i++)
		free(config->files[i]);
	free(config->files);
	free(config);
}

int config_merge(struct config *config, struct config *other)
{
	_cleanup_(config_freep) struct config *from = other;

	for (size_t i = 0; i < from->n_files; i++) {
		char **slot = ARRAY_APPEND(config->files, config->n_files);

		if (!slot)
			return -ENOMEM;
		*slot = TAKE(from->files[i]);
		config->n_files++;
	}
	for (size_t i = 0; i < from->n_volumes; i++) {
		struct volume *slot = ARRAY_APPEND(config->volumes, config->n_volumes);

		if (!slot)
			return -ENOMEM;
		*slot = from->volumes[i];
		from->volumes[i] = (struct volume){ 0 };
		config->n_volumes++;
	}
	return 0;
}

const struct path *volume_path(struct volume_path *at, const struct volume *volume,
			       const char *member)
{
	at->volumes = (struct path){ .key = "volumes", .file = volume->file };
	at->volume = (struct path){ .parent = &at->volumes, .index = volume->index };
	if (!member)
		return &at->volume;
	at->member = (struct path){ .parent = &at->volume, .key = member };
	return &at->member;
}

const struct path *partition_path(struct volume_path *at, const struct volume *volume,
				  const struct partition *partition, const char *member)
{
	at->item = (struct path){ .parent = volume_path(at, volume, "partitions"),
				  .index = partition->index };
	if (!member)
		return &at->item;
	at->item_member = (struct path){ .parent = &at->item, .key = member };
	return &at->item_member;
}

/* "50%", "12.5%": digits, at most two of them after a point. */
static int parse_percent(const char *text, unsigned int *ret)
{
	unsigned int whole = 0, part = 0, digits = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9'; c++)
		if (whole <= PERCENT_100)
			whole = whole * 10 + (unsigned int)(*c - '0');
	if (c == text)
		return -EINVAL;
	if (*c == '.') {
		for (c++; *c >= '0' && *c <= '9'; c++, digits++)
			if (digits < 2)
				part += (unsigned int)(*c - '0') * (digits ? 1 : 10);
		if (digits == 0 || digits > 2)
			return -EINVAL;
	}
	if (strcmp(c, "%") != 0)
		return -EINVAL;
	if (whole > 100)
		return -ERANGE;
	whole = whole * 100 + part;
	if (whole == 0 || whole > PERCENT_100)
		return -ERANGE;
	*ret = whole;
	return 0;
}

int size_spec_parse(const char *text, struct size_spec *ret)
{
	struct size_spec spec = { .kind = SIZE_BYTES };
	int r = 0;

	if (strcmp(text, "all") == 0) {
		spec.kind = SIZE_ALL;
	} else if (strchr(text, '%')) {
		spec.kind = SIZE_PERCENT;
		r = parse_percent(text, &spec.percent_x100);
	} else {
		r = size_parse(text, &spec.bytes);
	}
	if (r < 0)
		return r;
	*ret = spec;
	return 0;
}

struct size_text size_spec_format(const struct size_spec *spec)
{
	struct size_text ret = { "all" };
	unsigned int whole = spec->percent_x100 / 100, part = spec->percent_x100 % 100;

	switch (spec->kind) {
	case SIZE_BYTES:
		return size_format(spec->bytes);
	case SIZE_PERCENT:
		if (part == 0)
			(void)snprintf(ret.text, sizeof(ret.text), "%u%%", whole);
		else if (part % 10 == 0)
			(void)snprintf(ret.text, sizeof(ret.text), "%u.%u%%", whole, part / 10);
		else
			(void)snprintf(ret.text, sizeof(ret.text), "%u.%02u%%", whole, part);
		break;
	case SIZE_ALL:
		break;
	}
	return ret;
}
