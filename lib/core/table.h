/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A partition table as plain data, whatever it lies on: a block device, or a dax character
 * device.  It comes from a scan, so nothing in it can be trusted: table_judge() says of each
 * entry whether it can be used.  All sizes and offsets are bytes from the start of the device.
 */
#ifndef DAXD_CORE_TABLE_H
#define DAXD_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "core/range.h"
#include "core/uuid.h"

enum table_kind {
	TABLE_NONE,	/* no table, and no other signature either */
	TABLE_GPT,
	TABLE_DOS,	/* read, never written */
	TABLE_OTHER,	/* a file system, another table, or whatever content says */
	TABLE_DAMAGED,	/* a GPT of which neither copy can be read */
	TABLE_BACKUP,	/* a GPT of which only the copy at the end of the device can be read */
};
#define N_TABLE_KINDS 6

/* Entries that are read; what a table has beyond these is counted and never used. */
#define TABLE_ENTRIES_MAX 128
#define PARTITION_NAME_MAX 36 /* characters of a GPT entry */
/* New partitions begin and end at multiples of it, so that they can have huge pages. */
#define TABLE_GRAIN (UINT64_C(2) << 20)
/* What the kernel keeps off either end of a GPT at least, in sectors of 512 bytes: 34 and 33. */
#define TABLE_RESERVED (UINT64_C(1) << 20)

struct table_entry {
	unsigned int number; /* from 1 */
	struct range extent; /* not checked: may wrap, overlap, or end beyond the device */
	struct uuid uuid;    /* of GPT: the partition's own, PARTUUID */
	struct uuid type;    /* of GPT */
	char *name;	     /* of GPT; NULL: none */
};

struct partition_table {
	enum table_kind kind;
	struct uuid guid;	/* of GPT: the disk's */
	uint64_t sector_size;
	struct range usable;	/* where a GPT may have partitions */
	struct table_entry *entries; /* in order of number */
	size_t n_entries;
	bool lacks_backup;	/* of TABLE_GPT: the copy at the end of the device cannot be read */
	bool backup_differs;	/* of TABLE_GPT: the copy at the end is good, and of another table */
	bool half_written;	/* of TABLE_BACKUP: daxd was cut off, and the copy is the new one */
	bool extended;		/* of TABLE_DOS: has partitions that lie in another, and are not read */
	uint64_t beyond;	/* entries after TABLE_ENTRIES_MAX, not read */
	char *content;		/* of TABLE_OTHER: "ext4"; else NULL */
};

/* What can be made of an entry; in this order the first that is true. */
enum entry_fit {
	FIT_OUTSIDE,	/* is empty, wraps around or ends beyond the device */
	FIT_OVERLAP,	/* has bytes of an entry of a lower number */
	FIT_MISALIGNED, /* begins or ends within a page: DAX would go to the wrong address */
	FIT_4K,		/* pages of 4 KiB only */
	FIT_2M,		/* huge pages */
};
#define N_ENTRY_FITS 5

/* Who makes block devices of the partitions of a disk. */
enum partitioning {
	PARTITIONING_KERNEL, /* the kernel does, daxd keeps off */
	PARTITIONING_DAXD,   /* the kernel's go as soon as they are idle, maps take their place */
	PARTITIONING_AUTO,   /* daxd, if all entries fit and none is in use; else the kernel */
};
#define N_PARTITIONINGS 3

void table_clear(struct partition_table *table);
/* to must be clear; -ENOMEM. */
int table_copy(struct partition_table *to, const struct partition_table *from);
/* Same kind, guid and entries, and the same to be said of what else there is or is not? */
bool table_equal(const struct partition_table *a, const struct partition_table *b);
bool table_entry_equal(const struct table_entry *a, const struct table_entry *b);
void table_entry_clear(struct table_entry *entry);
/* Append a copy, which takes its place in the order of numbers; -ENOMEM. */
int table_add(struct partition_table *table, const struct table_entry *entry);
void table_remove(struct partition_table *table, unsigned int number);
struct table_entry *table_find(const struct partition_table *table, unsigned int number);
void table_sort(struct partition_table *table);
/* The least number that no entry has; 0: none is left. */
unsigned int table_free_number(const struct partition_table *table);
/* Does the kind have entries that may be used? */
bool table_has_entries(const struct partition_table *table);

/*
 * device: how long it is; page: the alignment of its data in physical memory, which no
 * partition can better.
 */
enum entry_fit table_judge(const struct partition_table *table, size_t index, uint64_t device, uint64_t page);
/* Can it be mapped? */
bool entry_fit_is_usable(enum entry_fit fit);
/* "begins or ends within a page ...": half a sentence. */
const char *entry_fit_sentence(enum entry_fit fit);
/* Is there a table, but not twice the same?  Whoever writes it writes both. */
bool table_lacks_copy(const struct partition_table *table);
void table_copy_is_written(struct partition_table *table);

/* The first free extent of a size (0: the largest there is) in steps of grain; size 0: none. */
struct range table_gap(const struct partition_table *table, uint64_t size, uint64_t grain);
/* Bytes from the end of an extent to what comes next, in whole steps of grain. */
uint64_t table_room_after(const struct partition_table *table, struct range extent, uint64_t grain);
/* Where a new table on a device of this length would have its partitions. */
struct range table_usable_of(uint64_t device);

#define PARTITION_TYPE_DEFAULT "linux"
/* Words of partition types: "linux", "swap", "esp"; -EINVAL for others. */
int partition_type_from_word(const char *word, struct uuid *ret);
/* The word of a type, or NULL. */
const char *partition_type_word(const struct uuid *type);

const char *table_kind_word(enum table_kind kind);
int table_kind_from_word(const char *word, enum table_kind *ret);
const char *entry_fit_word(enum entry_fit fit);
int entry_fit_from_word(const char *word, enum entry_fit *ret);
const char *partitioning_word(enum partitioning partitioning);
int partitioning_from_word(const char *word, enum partitioning *ret);

#endif
