/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/map-properties.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "exec/kernel-blkid-library.h"

#define SECTOR UINT64_C(512)
/* What udev has room for; what is longer it cuts off in its own way. */
#define VALUE_MAX 256
/* Sizes of file systems, as udev asks for them; libraries before 2.39 pass over it. */
#ifndef BLKID_SUBLKS_FSINFO
#define BLKID_SUBLKS_FSINFO (1 << 11)
#endif

struct map_properties {
	int fd;
	dev_t dev;
	blkid_probe probe;
	blkid_partlist table; /* the probe's */
};

/*
 * udev takes one property from each line, strips spaces around a value, and the quotes if it
 * begins with one: in quotes it stays as it is.  What could end a line is in none.
 */
static bool add(struct text *text, const char *key, const char *suffix, const char *value)
{
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	text_add(text, "%s%s=\"%s\"\n", key, suffix, value);
	return true;
}

static bool add_encoded(struct text *text, const char *key, const char *suffix, const char *value)
{
	char encoded[VALUE_MAX];

	return blkid_encode_string(value, encoded, sizeof(encoded)) == 0 &&
	       add(text, key, suffix, encoded);
}

/* What links are named after has two: for people, and for names of files. */
static bool add_both(struct text *text, const char *key, const char *value)
{
	char safe[VALUE_MAX];

	return blkid_safe_string(value, safe, sizeof(safe)) == 0 && add(text, key, "", safe) &&
	       add_encoded(text, key, "_ENC", value);
}

static bool add_type(struct text *text, blkid_partition partition)
{
	const char *type = blkid_partition_get_type_string(partition);

	if (type)
		return add_encoded(text, "ID_PART_ENTRY_TYPE", "", type);
	text_add(text, "ID_PART_ENTRY_TYPE=0x%x\n",
		 (unsigned int)blkid_partition_get_type(partition));
	return true;
}

static bool add_entry(struct text *text, blkid_partition partition, unsigned int number, dev_t dev)
{
	const char *scheme = blkid_parttable_get_type(blkid_partition_get_table(partition));
	const char *name = blkid_partition_get_name(partition);
	const char *uuid = blkid_partition_get_uuid(partition);
	unsigned long long flags = blkid_partition_get_flags(partition);

	if (!scheme || !add(text, "ID_PART_ENTRY_SCHEME", "", scheme) ||
	    (name && !add_encoded(text, "ID_PART_ENTRY_NAME", "", name)) ||
	    (uuid && !add(text, "ID_PART_ENTRY_UUID", "", uuid)) || !add_type(text, partition))
		return false;
	if (flags)
		text_add(text, "ID_PART_ENTRY_FLAGS=0x%llx\n", flags);
	text_add(text, "ID_PART_ENTRY_NUMBER=%u\nID_PART_ENTRY_OFFSET=%" PRIu64 "\n"
		 "ID_PART_ENTRY_SIZE=%" PRIu64 "\nID_PART_ENTRY_DISK=%u:%u\n", number,
		 (uint64_t)blkid_partition_get_start(partition),
		 (uint64_t)blkid_partition_get_size(partition), major(dev), minor(dev));
	return true;
}

/* A map that is not what the table says has no entry for udev. */
static bool is_at(blkid_partition partition, struct range extent)
{
	return (uint64_t)blkid_partition_get_start(partition) == extent.start / SECTOR &&
	       (uint64_t)blkid_partition_get_size(partition) == extent.size / SECTOR;
}

/*
 * What libblkid has found, if udev makes nothing else of it than this.  There is more for it in a
 * table within a partition (PTTYPE), and libblkid takes more for a RAID on what it has to take
 * for a whole disk.  What is not known here is for udev to know.
 */
static bool add_value(struct text *text, const char *name, const char *value)
{
	static const struct {
		const char *name, *property;
		bool both;
	} known[] = {
		{ "TYPE", "ID_FS_TYPE", false },
		{ "USAGE", "ID_FS_USAGE", false },
		{ "VERSION", "ID_FS_VERSION", false },
		{ "UUID", "ID_FS_UUID", true },
		{ "UUID_SUB", "ID_FS_UUID_SUB", true },
		{ "LABEL", "ID_FS_LABEL", true },
		{ "FSSIZE", "ID_FS_SIZE", false },
		{ "FSLASTBLOCK", "ID_FS_LASTBLOCK", false },
		{ "FSBLOCKSIZE", "ID_FS_BLOCKSIZE", false },
		{ "BLOCK_SIZE", NULL, false }, /* of these udev makes nothing */
		{ "ENDIANNESS", NULL, false },
		{ "SEC_TYPE", NULL, false },
	};

	if (strcmp(name, "USAGE") == 0 && strcmp(value, "raid") == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if (!known[i].property)
			return true;
		return known[i].both ? add_both(text, known[i].property, value) :
				       add(text, known[i].property, "", value);
	}
	return false;
}

static bool add_values(struct text *text, blkid_probe probe)
{
	int n = blkid_probe_numof_values(probe);

	for (int i = 0; i < n; i++) {
		const char *name, *value;

		if (blkid_probe_get_value(probe, i, &name, &value, NULL) == 0 &&
		    !add_value(text, name, value))
			return false;
	}
	return true;
}

static bool add_contents(struct text *text, int fd, struct range extent)
{
	blkid_probe probe = blkid_new_probe();
	bool good;
	int found;

	if (!probe)
		return false;
	good = blkid_probe_set_device(probe, fd, (blkid_loff_t)extent.start,
				      (blkid_loff_t)extent.size) == 0 &&
	       blkid_probe_enable_superblocks(probe, 1) == 0 &&
	       blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
						 BLKID_SUBLKS_TYPE | BLKID_SUBLKS_SECTYPE |
						 BLKID_SUBLKS_USAGE | BLKID_SUBLKS_VERSION |
						 BLKID_SUBLKS_FSINFO) == 0 &&
	       blkid_probe_enable_partitions(probe, 1) == 0;
	found = good ? blkid_do_safeprobe(probe) : -1;
	/* 1: there is nothing; below 0: several things, or what cannot be read. */
	good = found == 1 || (found == 0 && add_values(text, probe));
	blkid_free_probe(probe);
	return good;
}

char *map_properties_describe(const struct map_properties *properties, unsigned int number,
			      struct range extent)
{
	blkid_partition partition =
		blkid_partlist_get_partition_by_partno(properties->table, (int)number);
	struct text text = { 0 };

	if (!partition || !is_at(partition, extent))
		return NULL;
	if (!add_entry(&text, partition, number, properties->dev) ||
	    !add_contents(&text, properties->fd, extent))
		text.failed = true;
	return text_finish(&text);
}

int map_properties_new(int fd, dev_t dev, struct map_properties **ret, struct error *reterr)
{
	_cleanup_(map_properties_freep) struct map_properties *properties = NULL;
	int r = blkid_library_load(reterr);

	if (r < 0)
		return r;
	properties = calloc(1, sizeof(*properties));
	if (!properties)
		return error_oom(reterr);
	properties->fd = fd;
	properties->dev = dev;
	properties->probe = blkid_new_probe();
	if (!properties->probe)
		return error_oom(reterr);
	if (blkid_probe_set_device(properties->probe, fd, 0, 0) == 0)
		properties->table = blkid_probe_get_partitions(properties->probe);
	if (!properties->table)
		return error_set(reterr, ENODATA, "libblkid finds no partition table.");
	*ret = TAKE(properties);
	return 0;
}

void map_properties_free(struct map_properties *properties)
{
	if (!properties)
		return;
	if (properties->probe)
		blkid_free_probe(properties->probe);
	free(properties);
}
