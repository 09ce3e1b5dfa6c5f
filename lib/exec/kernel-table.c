/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "exec/kernel-blkid-library.h"

#define SECTOR UINT64_C(512) /* libblkid counts in these, whatever the device has */
/* The header of a GPT: magic, and the first and last block that partitions may have. */
#define GPT_MAGIC "EFI PART"
#define GPT_FIRST 40
#define GPT_LAST 48
#define GPT_HEADER 56

static void probe_freep(blkid_probe *probe)
{
	if (*probe)
		blkid_free_probe(*probe);
}

static int unreadable(const char *name, int code, struct error *reterr)
{
	return error_set(reterr, code ? code : EIO, "Cannot read the partition table of %s: %s.",
			 name, strerror(code ? code : EIO));
}

static int new_probe(int fd, const char *name, unsigned int sector, blkid_probe *ret,
		     struct error *reterr)
{
	_cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();

	errno = 0;
	if (!probe)
		return error_oom(reterr);
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
	    (sector && blkid_probe_set_sectorsize(probe, sector) < 0))
		return unreadable(name, errno, reterr);
	*ret = probe;
	probe = NULL;
	return 0;
}

/* Names are anybody's: what is no printable text of well-formed UTF-8 becomes '?'. */
static void clean_name(char *name)
{
	unsigned char *c = (unsigned char *)name;

	while (*c) {
		size_t n = *c < 0x80 ? 1 : *c >= 0xc2 && *c < 0xe0 ? 2 : *c >= 0xe1 && *c < 0xf0 &&
			   *c != 0xed ? 3 : 0;
		bool good = n == 1 ? *c >= ' ' && *c != 0x7f : n > 0;

		for (size_t i = 1; good && i < n; i++)
			good = (c[i] & 0xc0) == 0x80;
		/* Control characters of the second hundred. */
		good = good && !(n == 2 && c[0] == 0xc2 && c[1] < 0xa0);
		if (!good)
			*c = '?';
		c += good ? n : 1;
	}
}

static int add_entry(struct partition_table *table, blkid_partition partition,
		     struct error *reterr)
{
	const char *name = blkid_partition_get_name(partition);
	const char *uuid = blkid_partition_get_uuid(partition);
	const char *type = blkid_partition_get_type_string(partition);
	int number = blkid_partition_get_partno(partition);
	struct table_entry entry = { .number = (unsigned int)number };
	uint64_t start = (uint64_t)blkid_partition_get_start(partition);
	uint64_t size = (uint64_t)blkid_partition_get_size(partition);
	int r = 0;

	/* What a table says may be any number: one that is no number of bytes fits nowhere. */
	if (number <= 0 || __builtin_mul_overflow(start, SECTOR, &entry.extent.start) ||
	    __builtin_mul_overflow(size, SECTOR, &entry.extent.size))
		entry.extent = (struct range){ 0 };
	if (number <= 0 || table_find(table, entry.number))
		return 0;
	if (uuid)
		(void)uuid_parse_text(uuid, &entry.uuid); /* "" when it is none */
	if (type)
		(void)uuid_parse_text(type, &entry.type);
	if (name && name[0]) {
		entry.name = strdup(name);
		if (!entry.name)
			return error_oom(reterr);
		clean_name(entry.name);
	}
	if (table_add(table, &entry) < 0)
		r = error_oom(reterr);
	free(entry.name);
	return r;
}

static int add_entries(struct partition_table *table, blkid_partlist list, struct error *reterr)
{
	int n = blkid_partlist_numof_partitions(list), r = 0;

	for (int i = 0; r == 0 && i < n; i++) {
		blkid_partition partition = blkid_partlist_get_partition(list, i);

		if (!partition || blkid_partition_is_extended(partition))
			continue;
		if (table->n_entries == TABLE_ENTRIES_MAX)
			table->beyond++;
		else
			r = add_entry(table, partition, reterr);
	}
	return r;
}

static uint64_t little_endian(const unsigned char *bytes)
{
	uint64_t value = 0;

	for (size_t i = 8; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

/* libblkid has checked the header that it found at offset. */
static void read_usable(int fd, uint64_t offset, struct partition_table *table)
{
	unsigned char header[GPT_HEADER];
	uint64_t first, last, end;

	if (pread(fd, header, sizeof(header), (off_t)offset) != (ssize_t)sizeof(header) ||
	    memcmp(header, GPT_MAGIC, strlen(GPT_MAGIC)) != 0)
		return;
	first = little_endian(header + GPT_FIRST);
	last = little_endian(header + GPT_LAST);
	if (last < first || __builtin_mul_overflow(first, table->sector_size, &first) ||
	    __builtin_add_overflow(last, 1, &last) ||
	    __builtin_mul_overflow(last, table->sector_size, &end))
		return;
	table->usable = (struct range){ first, end - first };
}

static bool has_header(int fd, uint64_t sector)
{
	char magic[sizeof(GPT_MAGIC) - 1];

	return pread(fd, magic, sizeof(magic), (off_t)sector) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, GPT_MAGIC, sizeof(magic)) == 0;
}

static bool is_backup(blkid_probe probe, const struct partition_table *table)
{
	const char *offset;

	return blkid_probe_lookup_value(probe, "PTMAGIC_OFFSET", &offset, NULL) == 0 &&
	       strtoull(offset, NULL, 10) != table->sector_size;
}

/* What a GPT says of the disk itself; its copy is the last block. */
static void read_disk(int fd, blkid_partlist list, struct partition_table *table)
{
	blkid_parttable found = blkid_partlist_get_table(list);
	const char *id = found ? blkid_parttable_get_id(found) : NULL;
	off_t end = lseek(fd, 0, SEEK_END);

	if (id)
		(void)uuid_parse_text(id, &table->guid);
	if (table->kind == TABLE_GPT)
		read_usable(fd, table->sector_size, table);
	else if (end > 0)
		read_usable(fd, (uint64_t)end - table->sector_size, table);
}

static int set_other(struct partition_table *table, const char *content, struct error *reterr)
{
	table->kind = TABLE_OTHER;
	table->content = strdup(content);
	if (!table->content)
		return error_oom(reterr);
	clean_name(table->content);
	return 0;
}

/* Partition tables alone: a table is one whatever lies in its partitions. */
static int probe_table(int fd, const char *name, unsigned int sector,
		       struct partition_table *table, struct error *reterr)
{
	_cleanup_(probe_freep) blkid_probe probe = NULL;
	blkid_partlist list;
	const char *type;
	int r;

	r = new_probe(fd, name, sector, &probe, reterr);
	if (r < 0)
		return r;
	table->sector_size = blkid_probe_get_sectorsize(probe);
	(void)blkid_probe_enable_superblocks(probe, 0);
	(void)blkid_probe_enable_partitions(probe, 1);
	(void)blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC | BLKID_PARTS_ENTRY_DETAILS);
	r = blkid_do_fullprobe(probe);
	if (r < 0)
		return unreadable(name, errno, reterr);
	if (r > 0 || blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL) < 0)
		return 0;
	if (strcmp(type, "PMBR") == 0) {
		table->kind = TABLE_DAMAGED;
		return 0;
	}
	if (strcmp(type, "gpt") != 0 && strcmp(type, "dos") != 0)
		return set_other(table, type, reterr);
	table->kind = strcmp(type, "dos") == 0 ? TABLE_DOS : is_backup(probe, table) ?
			      TABLE_BACKUP : TABLE_GPT;
	/* A look of its own, after which what the first has found is no more. */
	list = blkid_probe_get_partitions(probe);
	if (!list)
		return unreadable(name, errno, reterr);
	if (table->kind != TABLE_DOS)
		read_disk(fd, list, table);
	return add_entries(table, list, reterr);
}

/* Everything else that somebody may have written there: a file system, a member of a volume. */
static int probe_others(int fd, const char *name, unsigned int sector,
			struct partition_table *table, struct error *reterr)
{
	_cleanup_(probe_freep) blkid_probe probe = NULL;
	const char *type;
	int r;

	r = new_probe(fd, name, sector, &probe, reterr);
	if (r < 0)
		return r;
	r = blkid_do_safeprobe(probe);
	if (r == -2)
		return set_other(table, "more than one signature", reterr);
	if (r < 0)
		return unreadable(name, errno, reterr);
	if (r == 0 && blkid_probe_lookup_value(probe, "TYPE", &type, NULL) == 0)
		return set_other(table, type, reterr);
	/* A header that is not good by itself, without the record that goes before it. */
	if (has_header(fd, table->sector_size))
		table->kind = TABLE_DAMAGED;
	return 0;
}

int kernel_read_table(int fd, const char *name, unsigned int sector, struct partition_table *ret,
		      struct error *reterr)
{
	struct partition_table table = { .kind = TABLE_NONE };
	int r;

	r = blkid_library_load(reterr);
	if (r == 0)
		r = probe_table(fd, name, sector, &table, reterr);
	if (r == 0 && table.kind == TABLE_NONE)
		r = probe_others(fd, name, sector, &table, reterr);
	if (r < 0) {
		table_clear(&table);
		return r;
	}
	*ret = table;
	return 0;
}
