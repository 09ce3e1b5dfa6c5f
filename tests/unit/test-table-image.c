/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables on a device that is plain memory: written, read back, cut off at each write and within
 * each, and as somebody would make them who means harm.
 */
#include "test.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "exec/table-image.h"
#include "gpt.h"

#define MIB (UINT64_C(1) << 20)
#define SIZE (64 * MIB)
#define SECTOR 512u
#define ENTRIES (128 * 128)
#define LAST (SIZE / SECTOR - 1)

/* The ends of a device, which is all that anybody looks at. */
struct disk_memory {
	unsigned char head[TABLE_IMAGE_END], tail[TABLE_IMAGE_END];
	unsigned int writes, limit; /* the one numbered limit is only half done, later ones not */
};

static unsigned char *find(struct disk_memory *disk, uint64_t offset, size_t n)
{
	CHECK(offset + n <= TABLE_IMAGE_END || offset >= SIZE - TABLE_IMAGE_END);
	CHECK(offset + n <= SIZE);
	return offset < TABLE_IMAGE_END ? disk->head + offset :
					  disk->tail + (offset - (SIZE - TABLE_IMAGE_END));
}

static int read_disk(void *userdata, uint64_t offset, void *to, size_t n)
{
	memcpy(to, find(userdata, offset, n), n);
	return 0;
}

static int write_disk(void *userdata, uint64_t offset, const void *from, size_t n)
{
	struct disk_memory *disk = userdata;

	disk->writes++;
	if (disk->limit && disk->writes > disk->limit)
		return 0;
	memcpy(find(disk, offset, n), from, disk->writes == disk->limit ? n / 2 : n);
	return 0;
}

static struct table_device device_of(struct disk_memory *disk)
{
	return (struct table_device){ .name = "test", .size = SIZE, .sector_size = SECTOR,
				      .userdata = disk, .read = read_disk,
				      .write = write_disk };
}

static void read_table(struct disk_memory *disk, struct partition_table *ret)
{
	struct table_device device = device_of(disk);
	struct error error = ERROR_INIT;

	*ret = (struct partition_table){ 0 };
	CHECK_INT(table_image_read(&device, ret, &error), 0, error.message);
	error_clear(&error);
}

static int write_table(struct disk_memory *disk, const struct partition_table *before,
		       const struct partition_table *after)
{
	struct table_device device = device_of(disk);
	struct error error = ERROR_INIT;
	int r = table_image_write(&device, before, after, &error);

	if (r < 0 && r != -ESTALE)
		CHECK_STR(error.message, "", "writing a table");
	error_clear(&error);
	return r;
}

static void add(struct partition_table *table, unsigned int number, uint64_t start_mib,
		uint64_t size_mib, const char *name)
{
	struct table_entry entry = { .number = number,
				     .extent = { start_mib * MIB, size_mib * MIB },
				     .name = strdup(name) };

	(void)partition_type_from_word("linux", &entry.type);
	(void)snprintf(entry.uuid.text, sizeof(entry.uuid.text),
		       "00000000-0000-4000-8000-0000000000%02x", number);
	CHECK_INT(table_add(table, &entry), 0, name);
	table_entry_clear(&entry);
}

static struct partition_table three(void)
{
	struct partition_table table = { .kind = TABLE_GPT, .sector_size = SECTOR,
					 .guid = { "11111111-1111-4111-8111-111111111111" } };

	add(&table, 1, 2, 6, "journal");
	add(&table, 2, 10, 16, "index \xc3\xa9");
	add(&table, 5, 40, 2, "");
	return table;
}

static struct disk_memory *new_disk(const struct partition_table *table)
{
	struct disk_memory *disk = calloc(1, sizeof(*disk));
	struct partition_table none = { 0 };

	if (table)
		CHECK_INT(write_table(disk, &none, table), 0, "the first table");
	return disk;
}

TEST(table_image_written)
{
	_cleanup_(table_clear) struct partition_table table = three(), got = { 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(NULL);
	struct partition_table none = { 0 };

	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_NONE, "blank");
	CHECK_INT(write_table(disk, &none, &table), 0, "the first table");
	read_table(disk, &got);
	CHECK(table_equal(&got, &table));
	CHECK(got.usable.start <= table_usable_of(SIZE).start);
	CHECK(range_end(got.usable) >= range_end(table_usable_of(SIZE)));
	CHECK_INT(write_table(disk, &none, &table), 0, "it is done already");
	table_find(&table, 1)->extent.size += 2 * MIB;
	CHECK_INT(write_table(disk, &none, &table), -ESTALE, "there is another");
}

/* What changes, and to nothing: at each write, half of it done, it is the one or the other. */
static void cut_each(const struct partition_table *before, const struct partition_table *after,
		     const char *label)
{
	unsigned int n = UINT32_MAX;

	for (unsigned int limit = 1; limit <= n; limit++) {
		_cleanup_(freep) struct disk_memory *disk =
			new_disk(before->kind == TABLE_NONE ? NULL : before);
		_cleanup_(table_clear) struct partition_table got = { 0 };

		disk->writes = 0;
		disk->limit = limit;
		CHECK_INT(write_table(disk, before, after), 0, label);
		n = disk->writes;
		read_table(disk, &got);
		CHECK_INT(got.half_written, got.kind == TABLE_BACKUP, label);
		if (got.kind == TABLE_BACKUP)
			got.kind = TABLE_GPT; /* it counts as much */
		got.half_written = false;
		table_copy_is_written(&got); /* it comes first, and may be half written */
		CHECK_STR(table_equal(&got, before) || table_equal(&got, after) ?
				  NULL : table_kind_word(got.kind), NULL, label);
	}
	CHECK(n >= 3 && n < 100);
}

TEST(table_image_cut)
{
	_cleanup_(table_clear) struct partition_table table = three(), changed = three();
	struct partition_table none = { 0 };

	table_remove(&changed, 2);
	table_find(&changed, 1)->extent.size += 2 * MIB;
	add(&changed, 2, 14, 4, "new");
	add(&changed, 3, 60, 2, "last");
	cut_each(&none, &table, "a first table");
	cut_each(&table, &changed, "a changed table");
	cut_each(&changed, &table, "back");
	cut_each(&table, &none, "no table");
}

static void put_u64(unsigned char *at, uint64_t number)
{
	number = htole64(number);
	memcpy(at, &number, sizeof(number));
}

/* As if somebody who can do sums had changed an entry: both copies are right. */
static void forge(struct disk_memory *disk, unsigned int index, uint64_t first, uint64_t last)
{
	unsigned char *copy = disk->tail + TABLE_IMAGE_END - 33 * SECTOR;

	put_u64(disk->head + 2 * SECTOR + index * 128 + 32, first);
	put_u64(disk->head + 2 * SECTOR + index * 128 + 40, last);
	memcpy(copy, disk->head + 2 * SECTOR, 128 * 128);
	gpt_sign(disk->head + SECTOR, disk->head + 2 * SECTOR, ENTRIES);
	gpt_sign(disk->tail + TABLE_IMAGE_END - SECTOR, copy, ENTRIES);
}

static const struct {
	const char *label;
	uint64_t first, last;
	enum entry_fit fit;
} forgeries[] = {
	{ "as it should be", 20480, 53247, FIT_2M },
	{ "ends at 2^64", 20480, UINT64_MAX, FIT_OUTSIDE },
	{ "is all of 2^64", 0, UINT64_MAX, FIT_OUTSIDE },
	{ "starts at 2^64", UINT64_MAX, UINT64_MAX, FIT_OUTSIDE },
	{ "times 512 wraps to the same", 20480 + (UINT64_C(1) << 55), 53247 + (UINT64_C(1) << 55),
	  FIT_OUTSIDE },
	{ "ends before it starts", 53247, 20480, FIT_OUTSIDE },
	{ "ends beyond the device", 20480, LAST + 1, FIT_OUTSIDE },
	{ "lies on the first", 4096, 8191, FIT_OVERLAP },
	{ "is not on a page", 20481, 53247, FIT_MISALIGNED },
	{ "is on small pages", 20488, 53247, FIT_4K },
};

/* To such a table nothing is done, lest libfdisk look for free space for ever. */
static int add_one(struct disk_memory *disk, const struct partition_table *table)
{
	_cleanup_(table_clear) struct partition_table after = { 0 };
	struct table_device device = device_of(disk);
	struct error error = ERROR_INIT;
	int r;

	CHECK_INT(table_copy(&after, table), 0, "copy");
	add(&after, 9, 50, 2, "more");
	r = table_image_write(&device, table, &after, &error);
	error_clear(&error);
	return r;
}

TEST(table_image_hostile)
{
	for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
		_cleanup_(table_clear) struct partition_table table = three(), got = { 0 };
		_cleanup_(freep) struct disk_memory *disk = new_disk(&table);

		forge(disk, 1, forgeries[i].first, forgeries[i].last);
		read_table(disk, &got);
		CHECK_INT(got.kind, TABLE_GPT, forgeries[i].label);
		CHECK_INT(got.n_entries, 3, forgeries[i].label);
		CHECK_INT(add_one(disk, &got), forgeries[i].fit < FIT_MISALIGNED ? -EINVAL : 0,
			  forgeries[i].label);
		if (got.n_entries == 3)
			CHECK_INT(table_judge(&got, 1, SIZE, 2 * MIB), forgeries[i].fit,
				  forgeries[i].label);
	}
}

/* What else there may be, told by a few bytes. */
static const struct {
	const char *label;
	uint64_t at; /* from the start; of the copy, LAST */
	const char *bytes;
	size_t n;
	enum table_kind kind;
	const char *content;
} contents[] = {
	{ "ext4", 1024 + 56, "\x53\xef", 2, TABLE_OTHER, "ext2" },
	{ "XFS", 0, "XFSB\0\0\x10\0\0\0\0\0\0\1\0\0", 16, TABLE_NONE, NULL },
	{ "LUKS", 0, "LUKS\xba\xbe\0\1", 8, TABLE_OTHER, "crypto_LUKS" },
	{ "an MBR without partitions", 510, "\x55\xaa", 2, TABLE_DOS, NULL },
	{ "a header without its MBR", 512, "EFI PART\0\0\1\0\\\0\0\0", 16, TABLE_OTHER,
	  "a GPT with room for 0 entries" },
	{ "noise", 2048, "noise", 5, TABLE_NONE, NULL },
};

TEST(table_image_contents)
{
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		_cleanup_(freep) struct disk_memory *disk = new_disk(NULL);
		_cleanup_(table_clear) struct partition_table got = { 0 };

		memcpy(disk->head + contents[i].at, contents[i].bytes, contents[i].n);
		read_table(disk, &got);
		CHECK_STR(table_kind_word(got.kind), table_kind_word(contents[i].kind),
			  contents[i].label);
		CHECK_STR(got.content, contents[i].content, contents[i].label);
	}
}

TEST(table_image_damaged)
{
	_cleanup_(table_clear) struct partition_table table = three(), got = { 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(&table);

	read_table(disk, &got);
	CHECK_INT(got.lacks_backup, false, "nothing is wrong");
	table_clear(&got);
	disk->tail[TABLE_IMAGE_END - 33 * SECTOR + 56] ^= 1; /* a letter of a name */
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_GPT, "an entry of the copy is wrong");
	CHECK_INT(got.lacks_backup, true, "an entry of the copy is wrong");
	table_clear(&got);
	disk->tail[TABLE_IMAGE_END - 33 * SECTOR + 56] ^= 1;
	disk->head[2 * SECTOR + 56] ^= 1;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_BACKUP, "an entry at the start is wrong");
	CHECK_INT(got.lacks_backup, false, "it is all there is");
	CHECK_INT(got.n_entries, 3, "the copy has all of them");
	table_clear(&got);
	disk->tail[TABLE_IMAGE_END - SECTOR] ^= 1;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_DAMAGED, "the copy is wrong, too");
	table_clear(&got);
	memset(disk->head, 0, SECTOR);
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_DAMAGED, "and there is no MBR");
}

/* The start of an older table is written back; that one wins, and the copy is made of it. */
TEST(table_image_two_tables)
{
	_cleanup_(table_clear) struct partition_table old = three(), new = three(), got = { 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(&old), *before = new_disk(&old);

	table_remove(&new, 5);
	CHECK_INT(write_table(disk, &old, &new), 0, "a newer one");
	memcpy(disk->head, before->head, sizeof(disk->head));
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_GPT, "the older start");
	CHECK_INT(got.n_entries, 3, "the older start");
	CHECK_INT(got.backup_differs, true, "the older start");
	CHECK_INT(got.lacks_backup, false, "the older start");
	CHECK_INT(write_table(disk, &got, &old), 0, "mended");
	CHECK(memcmp(disk->tail, before->tail, sizeof(disk->tail)) == 0);
	table_clear(&got);
	/* The guid alone differs. */
	table_clear(&new);
	new = three();
	new.guid.text[0] = '2';
	CHECK_INT(write_table(disk, &old, &new), 0, "another guid");
	memcpy(disk->head, before->head, sizeof(disk->head));
	read_table(disk, &got);
	CHECK_INT(got.backup_differs, true, "another guid");
	CHECK_INT(write_table(disk, &got, &old), 0, "mended");
	CHECK(memcmp(disk->tail, before->tail, sizeof(disk->tail)) == 0);
}

/* What was cut off is finished; what somebody has done to it since is damage. */
TEST(table_image_half_written)
{
	static const char other[] = "daxd is writing the GPT 22222222-2222-4222-8222-222222222222";
	_cleanup_(table_clear) struct partition_table table = three(), changed = three(), got = { 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(&table);

	add(&changed, 3, 60, 2, "last");
	disk->writes = 0;
	disk->limit = 4; /* two of the copy, the mark, half of the entries */
	CHECK_INT(write_table(disk, &table, &changed), 0, "cut off");
	disk->limit = 0;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_BACKUP, "cut off");
	CHECK_INT(got.half_written, true, "cut off");
	CHECK_INT(got.n_entries, 4, "the copy is the new one");
	CHECK_INT(write_table(disk, &got, &changed), 0, "finished");
	table_clear(&got);
	read_table(disk, &got);
	CHECK(table_equal(&got, &changed));
	table_clear(&got);
	memset(disk->head + SECTOR, 0, SECTOR);
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_BACKUP, "damaged");
	CHECK_INT(got.half_written, false, "damaged");
	table_clear(&got);
	memcpy(disk->head + SECTOR, other, sizeof(other));
	read_table(disk, &got);
	CHECK_INT(got.half_written, false, "another table was begun");
}

/* Room for more entries than are in what is read of nearly all tables. */
TEST(table_image_large)
{
	_cleanup_(table_clear) struct partition_table table = three(), got = { 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(&table);
	const size_t size = 1024 * 128;

	gpt_put_u32(disk->head + SECTOR + 80, 1024);
	gpt_sign(disk->head + SECTOR, disk->head + 2 * SECTOR, size);
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_GPT, "as it should be");
	CHECK_INT(got.n_entries, 3, "as it should be");
	table_clear(&got);
	disk->head[2 * SECTOR + size - 1] ^= 1;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_BACKUP, "the last entry at the start is wrong");
}

static void claim_room(unsigned char *header, uint32_t room)
{
	gpt_put_u32(header + 80, room);
	gpt_sign(header, NULL, 0);
}

TEST(table_image_room)
{
	static const uint32_t rooms[] = { 10000, UINT32_MAX, UINT32_MAX / 128 };

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		_cleanup_(table_clear) struct partition_table table = three(), got = { 0 };
		_cleanup_(freep) struct disk_memory *disk = new_disk(&table);
		char want[64];

		claim_room(disk->tail + TABLE_IMAGE_END - SECTOR, rooms[i]);
		if (i)
			claim_room(disk->head + SECTOR, rooms[i]);
		(void)snprintf(want, sizeof(want), "a GPT with room for %u entries", rooms[i]);
		read_table(disk, &got);
		CHECK_STR(got.content, want, want);
		CHECK_INT(got.n_entries, 0, want);
	}
}

TEST(table_image_dos)
{
	static const unsigned char entry[] = { 0, 0, 0, 0, 0x83, 0, 0, 0,
					       0, 8, 0, 0, 0, 0x10, 0, 0 };
	_cleanup_(freep) struct disk_memory *disk = new_disk(NULL);
	_cleanup_(table_clear) struct partition_table got = { 0 };

	memcpy(disk->head + 446, entry, sizeof(entry));
	disk->head[510] = 0x55;
	disk->head[511] = 0xaa;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_DOS, "an MBR");
	CHECK_INT(got.n_entries, 1, "an MBR");
	CHECK_INT(got.n_entries ? got.entries[0].extent.start : 0, MIB, "an MBR");
	table_clear(&got);
	CHECK_INT(got.extended, false, "an MBR");
	disk->head[446 + 16 + 4] = 0x05;
	disk->head[446 + 16 + 8 + 2] = 0x10; /* where nobody looks */
	disk->head[446 + 16 + 12 + 1] = 0x08;
	read_table(disk, &got);
	CHECK_INT(got.extended, true, "an extended one");
	CHECK_INT(got.n_entries, 1, "which is no partition itself");
	table_clear(&got);
	disk->head[446 + 4] = 0xee;
	read_table(disk, &got);
	CHECK_INT(got.kind, TABLE_DAMAGED, "it says there is a GPT, and there is none");
}
