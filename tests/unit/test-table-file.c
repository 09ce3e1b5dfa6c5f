/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables written by libfdisk and read by libblkid, in memory that looks like a device. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "core/table-json.h"
#include "exec/kernel-table.h"

#define M (UINT64_C(1) << 20)
#define DEVICE (64 * M)
#define UUID(digit) { "2f6d0a9e-4f43-4d3c-8c8a-0a6e1f1f0a0" digit }

static int new_device(void)
{
	int fd = memfd_create("device", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, DEVICE) < 0)
		abort();
	return fd;
}

static void add(struct partition_table *table, unsigned int number, uint64_t start, uint64_t size,
		const char *name)
{
	struct table_entry entry = { .number = number, .extent = { start, size },
				     .uuid = UUID("0"), .name = (char *)name };

	entry.uuid.text[UUID_TEXT_LENGTH - 1] = (char)('0' + number);
	(void)partition_type_from_word("linux", &entry.type); /* it is one */
	if (table_add(table, &entry) < 0)
		abort();
}

static struct partition_table new_table(void)
{
	return (struct partition_table){ .kind = TABLE_GPT, .guid = UUID("a"), .sector_size = 512,
					 .usable = table_usable_of(DEVICE) };
}

static void show(const struct partition_table *table, char *text, size_t size)
{
	struct json_out out = { 0 };
	char *json;

	json_put_table(&out, NULL, table);
	json = json_out_finish(&out);
	(void)snprintf(text, size, "%s", json ? json : "");
	free(json);
}

/* Write it, read it: it must be the same, but for what only a reader knows. */
static void check_written(int fd, const struct partition_table *before,
			  const struct partition_table *after, const char *label)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct partition_table have = { 0 };
	char text[4096], want[4096];

	CHECK_INT(kernel_write_table(fd, "device", 512, before, after, &error), 0,
		  error_message(&error));
	CHECK_INT(kernel_read_table(fd, "device", 512, &have, &error), 0, error_message(&error));
	have.usable = after->usable;
	have.sector_size = after->sector_size;
	show(&have, text, sizeof(text));
	show(after, want, sizeof(want));
	CHECK_STR(text, want, label);
	table_clear(&have);
}

TEST(table_in_a_file)
{
	struct partition_table none = { .kind = TABLE_NONE, .sector_size = 512 };
	struct partition_table one = new_table(), two = new_table(), three = new_table();
	int fd = new_device();

	add(&one, 1, 2 * M, 8 * M, "os");
	add(&one, 2, 10 * M, 8 * M, "data");
	add(&two, 1, 2 * M, 8 * M, "os");
	add(&two, 2, 10 * M, 16 * M, "more data"); /* it has grown */
	add(&two, 3, 32 * M, 8 * M + 4096, NULL);
	add(&three, 2, 12 * M, 16 * M, "data"); /* it has moved */
	add(&three, 3, 32 * M, 8 * M, NULL);	/* it has shrunk */
	check_written(fd, &none, &one, "a new one");
	check_written(fd, &one, &two, "grown and added");
	check_written(fd, &two, &three, "removed, moved and shrunk");
	check_written(fd, &three, &none, "erased");
	table_clear(&one);
	table_clear(&two);
	table_clear(&three);
	(void)close(fd);
}

static void scribble(int fd, uint64_t at, const void *bytes, size_t n)
{
	if (pwrite(fd, bytes, n, (off_t)at) != (ssize_t)n)
		abort();
}

static enum table_kind kind_of(int fd, struct partition_table *table)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	table_clear(table);
	CHECK_INT(kernel_read_table(fd, "device", 512, table, &error), 0, error_message(&error));
	return table->kind;
}

/* The copy at the end is enough to read it, and to write it whole again. */
TEST(table_half_lost)
{
	static const char zeros[512];
	const struct partition_table none = { .kind = TABLE_NONE };
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct partition_table table = new_table(), have = { 0 };
	int fd = new_device();

	add(&table, 1, 2 * M, 8 * M, "os");
	check_written(fd, &none, &table, "whole");
	scribble(fd, 512, zeros, sizeof(zeros));
	CHECK_INT(kind_of(fd, &have), TABLE_BACKUP, "the first is lost");
	CHECK_INT(have.n_entries, 1, "what the backup has");
	CHECK_INT(have.usable.size > 60 * M, 1, "where partitions may be");
	CHECK_INT(kernel_write_table(fd, "device", 512, &have, &table, &error), 0,
		  error_message(&error));
	CHECK_INT(kind_of(fd, &have), TABLE_GPT, "repaired");
	scribble(fd, 0, zeros, sizeof(zeros));
	scribble(fd, 512, zeros, sizeof(zeros));
	CHECK_INT(kind_of(fd, &have), TABLE_BACKUP, "the first is lost, and what says that it was");
	CHECK_INT(have.n_entries, 1, "what the backup has still");
	CHECK_INT(kernel_write_table(fd, "device", 512, &have, &table, &error), 0,
		  error_message(&error));
	CHECK_INT(kind_of(fd, &have), TABLE_GPT, "repaired once more");
	CHECK_INT(have.lacks_backup, false, "with its copy");
	scribble(fd, DEVICE - 512, zeros, sizeof(zeros));
	CHECK_INT(kind_of(fd, &have), TABLE_GPT, "the copy is lost");
	CHECK_INT(have.lacks_backup, true, "and that is told");
	CHECK_INT(kernel_write_table(fd, "device", 512, &have, &table, &error), 0,
		  error_message(&error));
	CHECK_INT(kind_of(fd, &have), TABLE_GPT, "the copy is written anew");
	CHECK_INT(have.lacks_backup, false, "the copy is there");
	scribble(fd, 512, zeros, sizeof(zeros));
	scribble(fd, DEVICE - 512, zeros, sizeof(zeros));
	CHECK_INT(kind_of(fd, &have), TABLE_DAMAGED, "both are lost");
	scribble(fd, 0, zeros, sizeof(zeros));
	CHECK_INT(kind_of(fd, &have), TABLE_NONE, "and what says that there was one");
	table_clear(&table);
	table_clear(&have);
	(void)close(fd);
}

/* A table of DOS with an entry that ends far beyond the device, and swap space. */
TEST(table_of_others)
{
	static const unsigned char dos[16] = { 0, 0, 0, 0, 0x83, 0, 0, 0, 0x01, 0x08, 0, 0,
					       0xff, 0xff, 0xff, 0xff };
	static const unsigned char magic[2] = { 0x55, 0xaa };
	struct partition_table have = { 0 };
	int fd = new_device();

	scribble(fd, 446, dos, sizeof(dos));
	scribble(fd, 510, magic, sizeof(magic));
	CHECK_INT(kind_of(fd, &have), TABLE_DOS, "dos");
	CHECK_INT(have.n_entries, 1, "its entry");
	CHECK_INT(have.n_entries ? table_judge(&have, 0, DEVICE, 2 * M) : FIT_2M, FIT_OUTSIDE,
		  "is not believed");
	(void)close(fd);
	fd = new_device();
	scribble(fd, 4086, "SWAPSPACE2", 10);
	scribble(fd, 1024, "\1\0\0\0\17\0\0", 8); /* its version and last page */
	CHECK_INT(kind_of(fd, &have), TABLE_OTHER, "swap space");
	CHECK_STR(have.content, "swap", "what it is");
	table_clear(&have);
	(void)close(fd);
}
