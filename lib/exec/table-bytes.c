/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/table-bytes.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "exec/kernel-blkid-library.h"
#include "exec/table-fdisk.h"
#include "exec/table-image.h"

#define SIGNATURE "EFI PART"
#define MARK "daxd is writing the GPT "
#define PROTECTIVE 0xeeu /* type of the entry in an MBR that says: there is a GPT */
#define MBR_SIZE 512
#define ROOM_MAX 1024u	 /* entries that a table may have room for; nobody makes more */
#define ENTRY_MIN 128u
#define ENTRY_MAX 4096u
#define PIECE 4096

void table_bytes_clear(struct table_bytes *bytes)
{
	closep(&bytes->fd);
	free(bytes->head);
	free(bytes->tail);
	*bytes = (struct table_bytes)TABLE_BYTES_INIT;
}

int table_bytes_new(struct table_bytes *bytes, const char *name, uint64_t size,
		    uint64_t sector_size, struct error *reterr)
{
	*bytes = (struct table_bytes){ .fd = -1, .name = name, .size = size,
				       .sector_size = sector_size, .known = TABLE_IMAGE_END };
	bytes->head = calloc(1, TABLE_IMAGE_END);
	bytes->tail = calloc(1, TABLE_IMAGE_END);
	if (!bytes->head || !bytes->tail)
		return error_oom(reterr);
	bytes->fd = memfd_create("daxd-table", MFD_CLOEXEC);
	if (bytes->fd < 0 || ftruncate(bytes->fd, (off_t)size) < 0)
		return error_set(reterr, errno, "Cannot make a file in memory: %s.",
				 strerror(errno));
	return 0;
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* What is zero stays a hole, which costs neither time nor memory; most of it is. */
static int fill(int fd, const unsigned char *from, uint64_t size, uint64_t offset,
		struct error *reterr)
{
	for (uint64_t at = 0; at < size; at += PIECE) {
		ssize_t n;

		if (is_zero(from + at, PIECE))
			continue;
		n = pwrite(fd, from + at, PIECE, (off_t)(offset + at));
		if (n != PIECE)
			return error_set(reterr, n < 0 ? errno : ENOSPC,
					 "Cannot fill a file in memory: %s.",
					 strerror(n < 0 ? errno : ENOSPC));
	}
	return 0;
}

int table_bytes_fill(const struct table_bytes *bytes, struct error *reterr)
{
	uint64_t known = bytes->known;
	int r = fill(bytes->fd, bytes->head, known, 0, reterr);

	return r < 0 ? r : fill(bytes->fd, bytes->tail + TABLE_IMAGE_END - known, known,
				bytes->size - known, reterr);
}

int table_bytes_copy(struct table_bytes *to, const struct table_bytes *from,
		     struct error *reterr)
{
	int r = table_bytes_new(to, from->name, from->size, from->sector_size, reterr);

	if (r < 0)
		return r;
	to->known = from->known;
	memcpy(to->head, from->head, TABLE_IMAGE_END);
	memcpy(to->tail, from->tail, TABLE_IMAGE_END);
	return table_bytes_fill(to, reterr);
}

int table_bytes_read_back(const struct table_bytes *bytes, struct error *reterr)
{
	if (pread(bytes->fd, bytes->head, TABLE_IMAGE_END, 0) == (ssize_t)TABLE_IMAGE_END &&
	    pread(bytes->fd, bytes->tail, TABLE_IMAGE_END,
		  (off_t)(bytes->size - TABLE_IMAGE_END)) == (ssize_t)TABLE_IMAGE_END)
		return 0;
	return error_set(reterr, EIO, "Cannot read a file in memory.");
}

/* A sector of either end, or NULL. */
static const unsigned char *find_sector(const struct table_bytes *bytes, uint64_t lba)
{
	uint64_t last = bytes->size / bytes->sector_size - 1, at;

	if (lba > last)
		return NULL;
	at = lba * bytes->sector_size;
	if (at < TABLE_IMAGE_END)
		return bytes->head + at;
	if (at >= bytes->size - TABLE_IMAGE_END &&
	    bytes->size - at >= bytes->sector_size)
		return bytes->tail + (at - (bytes->size - TABLE_IMAGE_END));
	return NULL;
}

static bool is_header(const unsigned char *sector)
{
	return sector && memcmp(sector, SIGNATURE, strlen(SIGNATURE)) == 0;
}

void table_bytes_mark(const struct uuid *guid, unsigned char mark[TABLE_MARK_SIZE])
{
	memset(mark, 0, TABLE_MARK_SIZE);
	(void)snprintf((char *)mark, TABLE_MARK_SIZE, MARK "%s", guid->text);
}

static bool is_marked(const struct table_bytes *bytes, const struct uuid *guid)
{
	unsigned char mark[TABLE_MARK_SIZE];

	table_bytes_mark(guid, mark);
	return memcmp(find_sector(bytes, 1), mark, strlen((const char *)mark)) == 0;
}

static uint64_t get_u64(const unsigned char *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return le64toh(number);
}

static uint32_t get_u32(const unsigned char *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return le32toh(number);
}

/* Of a copy the entries come before the header. */
static bool holds_backup(const struct table_bytes *bytes)
{
	const unsigned char *header =
		find_sector(bytes, bytes->size / bytes->sector_size - 1);

	return !is_header(header) ||
	       get_u64(header + 72) >= (bytes->size - bytes->known) / bytes->sector_size;
}

bool table_bytes_hold_gpt(const struct table_bytes *bytes)
{
	const unsigned char *header = find_sector(bytes, 1);
	uint64_t first, room, size;

	if (!is_header(header))
		return false;
	first = get_u64(header + 72);
	room = get_u32(header + 80);
	size = get_u32(header + 84);
	return first <= bytes->known / bytes->sector_size && room <= ROOM_MAX && size <= ENTRY_MAX &&
	       first * bytes->sector_size + room * size <= bytes->known && holds_backup(bytes);
}

/* Room for too many entries, or for none that could be one? */
static bool is_hostile(const unsigned char *sector, uint32_t *room)
{
	uint32_t size;

	if (!is_header(sector))
		return false;
	*room = get_u32(sector + 80);
	size = get_u32(sector + 84);
	return *room > ROOM_MAX || size < ENTRY_MIN || size > ENTRY_MAX;
}

/* All the headers that libfdisk may look at. */
static bool has_hostile_header(const struct table_bytes *bytes, uint32_t *room)
{
	const unsigned char *primary = find_sector(bytes, 1);
	uint64_t last = bytes->size / bytes->sector_size - 1;

	return is_hostile(primary, room) || is_hostile(find_sector(bytes, last), room) ||
	       (is_header(primary) &&
		is_hostile(find_sector(bytes, get_u64(primary + 32)), room));
}

static int set_content(struct partition_table *table, const char *format, ...) _printf_(2, 3);
static int set_content(struct partition_table *table, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&table->content, format, args);
	va_end(args);
	if (n < 0) {
		table->content = NULL;
		return -ENOMEM;
	}
	table->kind = TABLE_OTHER;
	return 0;
}

/*
 * Is the protective entry of the first sector gone, which the libraries want before they look for
 * a copy of the table at the end?
 */
static bool lacks_protection(const struct table_bytes *bytes)
{
	return is_zero(bytes->head, MBR_SIZE) && !is_header(find_sector(bytes, 1)) &&
	       is_header(find_sector(bytes, bytes->size / bytes->sector_size - 1));
}

int table_bytes_protect(const struct table_bytes *bytes, struct error *reterr)
{
	/* One entry of type PROTECTIVE from sector 1 to as far as it can say, and the signature. */
	static const unsigned char entry[] = { 0, 0, 2, 0, PROTECTIVE, 0xff, 0xff, 0xff,
					       1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	unsigned char sector[MBR_SIZE] = { 0 };

	if (!lacks_protection(bytes))
		return 0;
	memcpy(sector + 446, entry, sizeof(entry));
	sector[510] = 0x55;
	sector[511] = 0xaa;
	if (pwrite(bytes->fd, sector, sizeof(sector), 0) == (ssize_t)sizeof(sector))
		return 0;
	return error_set(reterr, errno, "Cannot fill a file in memory: %s.", strerror(errno));
}

/* What is there beside a GPT, as libblkid sees it. */
static int probe_contents(const struct table_bytes *bytes, struct partition_table *table)
{
	blkid_probe probe = blkid_new_probe();
	const char *word;
	int r = probe ? 0 : -ENOMEM;

	if (r == 0 && (blkid_probe_set_device(probe, bytes->fd, 0, 0) < 0 ||
		       blkid_probe_set_sectorsize(probe, (unsigned int)bytes->sector_size) < 0 ||
		       blkid_probe_enable_superblocks(probe, 1) < 0 ||
		       blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) < 0 ||
		       blkid_probe_enable_partitions(probe, 1) < 0))
		r = -EIO;
	if (r == 0) {
		int found = blkid_do_safeprobe(probe);

		if (found == -2)
			r = set_content(table, "signatures of several kinds");
		else if (found < 0)
			r = -EIO;
		else if (found == 0 && blkid_probe_lookup_value(probe, "TYPE", &word, NULL) == 0)
			r = set_content(table, "%s", word);
		else if (found == 0 && blkid_probe_lookup_value(probe, "PTTYPE", &word, NULL) == 0)
			r = set_content(table, "%s", word);
	}
	if (probe)
		blkid_free_probe(probe);
	return r;
}

int table_fdisk_open(const struct table_bytes *bytes, int fd, bool read_only,
		     struct fdisk_context **ret)
{
	struct fdisk_context *context = fdisk_new_context();
	unsigned int sector = (unsigned int)bytes->sector_size;
	int r = context ? 0 : -ENOMEM;

	if (r == 0)
		r = fdisk_disable_dialogs(context, 1);
	if (r == 0)
		r = fdisk_save_user_sector_size(context, sector, sector);
	if (r == 0)
		r = fdisk_save_user_grain(context, TABLE_GRAIN);
	/* Else it looks for a hundred signatures, and says nothing of them. */
	if (r == 0)
		r = fdisk_enable_listonly(context, read_only);
	if (r == 0)
		r = fdisk_assign_device_by_fd(context, fd, bytes->name, read_only);
	if (r < 0)
		fdisk_unref_context(context);
	else
		*ret = context;
	return r;
}

void table_fdisk_close(struct fdisk_context *context)
{
	(void)fdisk_deassign_device(context, 1); /* the file stays ours */
	fdisk_unref_context(context);
}

static bool has_label(struct fdisk_context *context, const char *name)
{
	return fdisk_has_label(context) &&
	       strcmp(fdisk_label_get_name(fdisk_get_label(context, NULL)), name) == 0;
}

static uint64_t to_bytes(uint64_t sectors, uint64_t sector_size)
{
	uint64_t bytes;

	return __builtin_mul_overflow(sectors, sector_size, &bytes) ? UINT64_MAX : bytes;
}

static void read_uuid(const char *text, struct uuid *ret)
{
	if (text)
		(void)uuid_parse_text(text, ret); /* of a DOS table: none */
}

static int read_entry(const struct table_bytes *bytes, struct fdisk_partition *partition,
		      unsigned int number, struct partition_table *table)
{
	struct fdisk_parttype *type = fdisk_partition_get_type(partition);
	const char *name = fdisk_partition_get_name(partition);
	struct table_entry entry = { .number = number };
	int r;

	if (table->n_entries == TABLE_ENTRIES_MAX) {
		table->beyond++;
		return 0;
	}
	/* To libfdisk 2^64-1 is none; it has no size for what ends before it starts, either. */
	entry.extent.start = fdisk_partition_has_start(partition) ?
				     to_bytes(fdisk_partition_get_start(partition),
					      bytes->sector_size) : UINT64_MAX;
	if (fdisk_partition_has_size(partition))
		entry.extent.size = to_bytes(fdisk_partition_get_size(partition),
					     bytes->sector_size);
	read_uuid(fdisk_partition_get_uuid(partition), &entry.uuid);
	read_uuid(type ? fdisk_parttype_get_string(type) : NULL, &entry.type);
	if (name && *name) {
		/* It is by whoever wrote the table, and goes into documents. */
		entry.name = text_clean(name);
		if (!entry.name)
			return -ENOMEM;
	}
	r = table_add(table, &entry);
	table_entry_clear(&entry);
	return r;
}

/* The protective entry of a GPT that is not there any more? */
static bool is_protective(struct fdisk_partition *partition)
{
	struct fdisk_parttype *type = fdisk_partition_get_type(partition);

	return type && fdisk_parttype_get_code(type) == PROTECTIVE;
}

/* Of DOS: a list of partitions, most of which lies where nothing is read? */
static bool is_extended(struct fdisk_partition *partition)
{
	struct fdisk_parttype *type = fdisk_partition_get_type(partition);
	unsigned int code = type ? fdisk_parttype_get_code(type) : 0;

	return code == 0x05 || code == 0x0f || code == 0x85;
}

static int read_entries(const struct table_bytes *bytes, struct fdisk_context *context,
			struct partition_table *table)
{
	size_t n = fdisk_get_npartitions(context);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct fdisk_partition *partition = NULL;

		if (fdisk_get_partition(context, i, &partition) < 0)
			continue;
		if (table->kind == TABLE_DOS && is_protective(partition))
			table->kind = TABLE_DAMAGED;
		else if (table->kind == TABLE_DOS && is_extended(partition))
			table->extended = true;
		else if (fdisk_partition_is_used(partition))
			r = read_entry(bytes, partition, (unsigned int)i + 1, table);
		fdisk_unref_partition(partition);
	}
	return r;
}

static void read_usable(const struct table_bytes *bytes, struct fdisk_context *context,
			struct partition_table *table)
{
	uint64_t first = fdisk_get_first_lba(context), last = fdisk_get_last_lba(context);

	if (first > last || last >= bytes->size / bytes->sector_size)
		return;
	table->usable.start = first * bytes->sector_size;
	table->usable.size = (last - first + 1) * bytes->sector_size;
}

/* Is there a table still when all there is of the device is one end of it? */
static int is_half_good(const struct table_bytes *bytes, bool head, bool *ret,
			struct error *reterr)
{
	_cleanup_(table_bytes_clear) struct table_bytes half = TABLE_BYTES_INIT;
	uint64_t unknown = TABLE_IMAGE_END - bytes->known;
	struct fdisk_context *context;
	int r = table_bytes_new(&half, bytes->name, bytes->size, bytes->sector_size, reterr);

	if (r < 0)
		return r;
	half.known = bytes->known;
	if (head)
		memcpy(half.head, bytes->head, half.known);
	else
		memcpy(half.tail + unknown, bytes->tail + unknown, half.known);
	r = table_bytes_fill(&half, reterr);
	if (r == 0)
		r = table_bytes_protect(&half, reterr);
	if (r < 0)
		return r;
	r = table_fdisk_open(&half, half.fd, true, &context);
	if (r < 0)
		return error_set(reterr, -r, "libfdisk cannot look at %s: %s.", bytes->name,
				 strerror(-r));
	*ret = has_label(context, "gpt");
	table_fdisk_close(context);
	return 0;
}

/*
 * Both copies are good, but are they of one table?  An old start that was written back, say: where
 * partitions may be, whose disk it is, and how many entries of what length and sum there are.
 */
static bool are_different(const struct table_bytes *bytes)
{
	const unsigned char *first = find_sector(bytes, 1);
	const unsigned char *second = find_sector(bytes, bytes->size / bytes->sector_size - 1);

	return memcmp(first + 40, second + 40, 32) != 0 || memcmp(first + 80, second + 80, 12) != 0;
}

/*
 * A copy that is not good is made anew by libfdisk from the other, which is a change to it.  Where
 * it made none, and each copy is at its own end with its entries, both are good.
 */
static bool are_both_good(const struct table_bytes *bytes, struct fdisk_context *context)
{
	uint64_t last = bytes->size / bytes->sector_size - 1;
	const unsigned char *first = find_sector(bytes, 1), *second = find_sector(bytes, last);

	return fdisk_label_is_changed(fdisk_get_label(context, NULL)) == 0 &&
	       get_u64(first + 32) == last && get_u64(first + 72) < get_u64(first + 40) &&
	       get_u64(second + 72) > get_u64(second + 48);
}

/* Which copies can be used?  Of the second that is of interest only beside a good one. */
static int judge_copies(const struct table_bytes *bytes, struct fdisk_context *context, bool *good,
			bool *backup, struct error *reterr)
{
	int r;

	*good = *backup = true;
	if (are_both_good(bytes, context))
		return 0;
	r = is_half_good(bytes, true, good, reterr);
	return r < 0 || !*good ? r : is_half_good(bytes, false, backup, reterr);
}

static int parse_gpt(const struct table_bytes *bytes, struct fdisk_context *context,
		     struct partition_table *table, struct error *reterr)
{
	_cleanup_(freep) char *guid = NULL;
	bool good, backup;
	int r = judge_copies(bytes, context, &good, &backup, reterr);

	if (r < 0)
		return r;
	if (!good) {
		/* A file system over the start, and a copy that nobody has removed? */
		r = probe_contents(bytes, table);
		if (r == 0 && table->kind == TABLE_OTHER && strcmp(table->content, "gpt") != 0 &&
		    strcmp(table->content, "PMBR") != 0)
			return 0;
		free(TAKE(table->content));
	}
	table->kind = good ? TABLE_GPT : TABLE_BACKUP;
	table->lacks_backup = !backup;
	table->backup_differs = good && backup && are_different(bytes);
	if (r == 0 && fdisk_get_disklabel_id(context, &guid) == 0)
		read_uuid(guid, &table->guid);
	table->half_written = !good && uuid_is_set(&table->guid) && is_marked(bytes, &table->guid);
	read_usable(bytes, context, table);
	if (r == 0)
		r = read_entries(bytes, context, table);
	return r < 0 ? error_set(reterr, -r, "Cannot read the partition table of %s: %s.",
				 bytes->name, strerror(-r)) : 0;
}

/* No GPT that could be used: what else? */
static int parse_rest(const struct table_bytes *bytes, struct fdisk_context *context,
		      struct partition_table *table)
{
	int r = probe_contents(bytes, table);
	bool dos;

	if (r < 0)
		return r;
	dos = table->kind == TABLE_OTHER && strcmp(table->content, "dos") == 0;
	if ((dos || table->kind == TABLE_NONE) && has_label(context, "dos")) {
		free(TAKE(table->content));
		table->kind = TABLE_DOS;
		r = read_entries(bytes, context, table);
		if (r < 0)
			return r;
		if (table->kind == TABLE_DOS && !dos)
			r = set_content(table, "a boot sector");
		return r;
	}
	if (table->kind == TABLE_OTHER && (strcmp(table->content, "PMBR") == 0 ||
					   strcmp(table->content, "gpt") == 0)) {
		free(TAKE(table->content));
		table->kind = TABLE_DAMAGED;
	} else if (table->kind == TABLE_NONE && is_header(find_sector(bytes, 1))) {
		table->kind = TABLE_DAMAGED;
	}
	return 0;
}

/* A copy at the end that something else lies before may be of times gone by. */
static int find_content(const struct table_bytes *bytes, struct partition_table *table,
			struct error *reterr)
{
	int r = lacks_protection(bytes) ? probe_contents(bytes, table) : 0;

	if (r < 0)
		return error_set(reterr, -r, "Cannot read what is on %s: %s.", bytes->name,
				 strerror(-r));
	return table->kind == TABLE_OTHER ? 0 : table_bytes_protect(bytes, reterr);
}

static int parse(const struct table_bytes *bytes, struct partition_table *table,
		 struct error *reterr)
{
	struct fdisk_context *context;
	int r = find_content(bytes, table, reterr);

	if (r < 0 || table->kind == TABLE_OTHER)
		return r;
	r = table_fdisk_open(bytes, bytes->fd, true, &context);
	if (r < 0)
		return error_set(reterr, -r, "libfdisk cannot look at %s: %s.", bytes->name,
				 strerror(-r));
	if (has_label(context, "gpt")) {
		r = parse_gpt(bytes, context, table, reterr);
	} else if (!lacks_protection(bytes)) { /* else the copy is none, and nothing else is there */
		r = parse_rest(bytes, context, table);
		if (r < 0)
			(void)error_set(reterr, -r, "Cannot read what is on %s: %s.",
					bytes->name, strerror(-r));
	}
	table_fdisk_close(context);
	return r;
}

/* Entries are of tables that can be used: what looked like one may have turned out to be none. */
static void drop_entries(struct partition_table *table)
{
	while (table->n_entries)
		table_entry_clear(&table->entries[--table->n_entries]);
	free(TAKE(table->entries));
	table->beyond = 0;
	table->extended = false;
}

int table_bytes_parse(const struct table_bytes *bytes, struct partition_table *ret,
		      struct error *reterr)
{
	struct partition_table table = { .sector_size = bytes->sector_size };
	uint32_t room;
	int r = fdisk_library_load(reterr);

	if (r == 0)
		r = blkid_library_load(reterr);
	if (r < 0)
		return r;
	if (has_hostile_header(bytes, &room)) {
		if (set_content(&table, "a GPT with room for %" PRIu32 " entries", room) < 0)
			r = error_oom(reterr);
	} else {
		r = parse(bytes, &table, reterr);
	}
	if (r < 0) {
		table_clear(&table);
		return r;
	}
	if (!table_has_entries(&table))
		drop_entries(&table);
	*ret = table;
	return 0;
}
