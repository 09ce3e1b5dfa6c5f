/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What udev is told of a map: that nobody who writes to a partition says more than he may. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/macro.h"
#include "exec/kernel-table.h"
#include "exec/map-properties.h"

#define M (UINT64_C(1) << 20)
#define DEVICE (16 * M)
#define START (2 * M)
#define SIZE (4 * M)

static void put(int fd, uint64_t at, const void *bytes, size_t n)
{
	if (pwrite(fd, bytes, n, (off_t)at) != (ssize_t)n)
		abort();
}

/* A device with one partition of this name. */
static int new_disk(const char *name)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	const struct partition_table none = { .kind = TABLE_NONE, .sector_size = 512 };
	struct partition_table table = { .kind = TABLE_GPT, .sector_size = 512,
					 .guid = { "2f6d0a9e-4f43-4d3c-8c8a-0a6e1f1f0a0a" } };
	struct table_entry entry = { .number = 1, .extent = { START, SIZE }, .name = (char *)name,
				     .uuid = { "2f6d0a9e-4f43-4d3c-8c8a-0a6e1f1f0a01" } };
	int fd = memfd_create("device", MFD_CLOEXEC);

	table.usable = table_usable_of(DEVICE);
	(void)partition_type_from_word("linux", &entry.type); /* it is one */
	if (fd < 0 || ftruncate(fd, DEVICE) < 0 || table_add(&table, &entry) < 0)
		abort();
	CHECK_INT(kernel_write_table(fd, "device", 512, &none, &table, &error), 0,
		  error_message(&error));
	table_clear(&table);
	return fd;
}

/* Swap space with a label of 16 bytes, the last of which is no zero, if it is to be so. */
static void put_swap(int fd, const char *label)
{
	char bytes[16] = "";

	memcpy(bytes, label, strlen(label));
	put(fd, START + 4086, "SWAPSPACE2", 10);
	put(fd, START + 1024, "\1\0\0\0\17\0\0", 8); /* its version and last page */
	put(fd, START + 1052, bytes, sizeof(bytes));
}

static char *describe(int fd, struct range extent)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(map_properties_freep) struct map_properties *properties = NULL;

	CHECK_INT(map_properties_new(fd, makedev(259, 7), &properties, &error), 0,
		  error_message(&error));
	return properties ? map_properties_describe(properties, 1, extent) : NULL;
}

static void check_line(const char *text, const char *key, const char *value, const char *label)
{
	const char *at = text ? strstr(text, key) : NULL;
	char have[256] = "";

	if (at)
		(void)snprintf(have, sizeof(have), "%.*s", (int)strcspn(at + strlen(key), "\n"),
			       at + strlen(key));
	CHECK_STR(have, value, label);
}

TEST(map_without_contents)
{
	_cleanup_(closep) int fd = new_disk("os");
	_cleanup_(freep) char *text = describe(fd, (struct range){ START, SIZE });
	_cleanup_(freep) char *moved = describe(fd, (struct range){ START, SIZE / 2 });

	CHECK_STR(text, "ID_PART_ENTRY_SCHEME=\"gpt\"\nID_PART_ENTRY_NAME=\"os\"\n"
		  "ID_PART_ENTRY_UUID=\"2f6d0a9e-4f43-4d3c-8c8a-0a6e1f1f0a01\"\n"
		  "ID_PART_ENTRY_TYPE=\"0fc63daf-8483-4772-8e79-3d69d8477de4\"\n"
		  "ID_PART_ENTRY_NUMBER=1\nID_PART_ENTRY_OFFSET=4096\nID_PART_ENTRY_SIZE=8192\n"
		  "ID_PART_ENTRY_DISK=259:7\n", "all of it");
	CHECK_STR(moved, NULL, "a map that is not as the table says");
}

TEST(map_with_hostile_label)
{
	static const struct {
		const char *label, *safe, *encoded;
	} cases[] = {
		{ "plain", "\"plain\"", "\"plain\"" },
		{ "a b", "\"a_b\"", "\"a\\x20b\"" },
		{ "a\nEVIL=1", "\"a_EVIL=1\"", "\"a\\x0aEVIL=1\"" },
		{ "a\rEVIL=1", "\"a_EVIL=1\"", "\"a\\x0dEVIL=1\"" },
		{ "\"quoted\"", "\"\"quoted\"\"", "\"\\x22quoted\\x22\"" },
		{ "'", "\"'\"", "\"\\x27\"" },
		{ "\\x0aEVIL=1", "\"\\x0aEVIL=1\"", "\"\\x5cx0aEVIL=1\"" },
		{ "\xc3\xa4\xff", "\"\xc3\xa4_\"", "\"\xc3\xa4\\xff\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(closep) int fd = new_disk("os");
		_cleanup_(freep) char *text = NULL;

		put_swap(fd, cases[i].label);
		text = describe(fd, (struct range){ START, SIZE });
		check_line(text, "ID_FS_TYPE=", "\"swap\"", cases[i].label);
		check_line(text, "ID_FS_LABEL=", cases[i].safe, cases[i].label);
		check_line(text, "ID_FS_LABEL_ENC=", cases[i].encoded, cases[i].label);
		check_line(text, "\nEVIL", "", cases[i].label);
	}
}

/* Depending on its version libblkid lets them be. */
TEST(map_with_control_characters)
{
	_cleanup_(closep) int fd = new_disk("os");
	_cleanup_(freep) char *text = NULL;

	put_swap(fd, "\x1b[31m\x7f\vEVIL=1");
	text = describe(fd, (struct range){ START, SIZE });
	for (const char *c = text; c && *c; c++)
		CHECK_INT(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f), true, text);
}

TEST(map_with_hostile_name)
{
	_cleanup_(closep) int fd = new_disk("\"a\" \\x0aEVIL=1 \xc3\xa4");
	_cleanup_(freep) char *text = describe(fd, (struct range){ START, SIZE });

	check_line(text, "ID_PART_ENTRY_NAME=",
		   "\"\\x22a\\x22\\x20\\x5cx0aEVIL=1\\x20\xc3\xa4\"", "a name");
}

/* What udev judges in its own way. */
TEST(map_left_to_udev)
{
	static const unsigned char entry[16] = { 0, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 8 };
	_cleanup_(closep) int table = new_disk("a guest"), several = new_disk("several");
	char *text;

	put(table, START + 446, entry, sizeof(entry));
	put(table, START + 510, "\x55\xaa", 2);
	text = describe(table, (struct range){ START, SIZE });
	CHECK_STR(text, NULL, "a table in a partition");
	free(text);
	put_swap(several, "swap");
	put(several, START + 1024 + 56, "\x53\xef", 2); /* ext2 */
	text = describe(several, (struct range){ START, SIZE });
	CHECK_STR(text, NULL, "two things at once");
	free(text);
}
