/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows: partitions of a dax character device.  The kernel knows nothing of them, so that
 * there is a table is in a file of properties beside the one that publishes the device (see
 * kernel-publish.c): a scan reads no device that has none, and udev makes the links of it.
 *
 * Links come before the table that has their windows, and go before it: what was done last when
 * it all ends in the middle is the table, and that is what the next plan looks at.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "core/window.h"
#include "exec/kernel-pmem-library.h"
#include "exec/kernel-window-map.h"
#include "exec/table-image.h"

#define FILE_MAX (sizeof(KERNEL_PROPERTIES) + 64)
#define STAMP "DAXD_WINDOWS_STAMP"
/* udev has 1023 characters for one value: so many links of the longest names. */
#define LINKS_PER_LINE 16
#define LINK_FOLDER "dax/by-partlabel/"
#define FILE_LENGTH_MAX 65536

static void name_file(const struct uuid *info, char file[FILE_MAX])
{
	(void)snprintf(file, FILE_MAX, KERNEL_PROPERTIES "/%s.windows", info->text);
}

/* daxd describes windows for who opens them, and may not be there to see that one has gone. */
static void withdraw(const char *window)
{
	char path[sizeof(RUN_FOLDER) + PARTITION_NAME_MAX * 4 + 32];

	if ((size_t)snprintf(path, sizeof(path), RUN_FOLDER "/windows/%s.json", window) <
	    sizeof(path))
		(void)unlink(path); /* most often there is none */
}

/* All that the file has links of. */
static void withdraw_all(const char *file)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *text = NULL;
	char *rest, *word;
	size_t length;

	if (file_read(file, FILE_LENGTH_MAX, &text, &length, &error) < 0)
		return;
	rest = text;
	while ((word = strsep(&rest, " =\n")))
		if (strncmp(word, LINK_FOLDER, strlen(LINK_FOLDER)) == 0)
			withdraw(word + strlen(LINK_FOLDER));
}

void kernel_forget_windows(const struct uuid *info)
{
	char file[FILE_MAX];

	name_file(info, file);
	withdraw_all(file);
	(void)unlink(file); /* as kernel_unpublish_uuid() */
}

int kernel_begin_windows(const struct uuid *info, struct error *reterr)
{
	static const char text[] = STAMP "=\n";
	char file[FILE_MAX];
	int r = file_make_folders(KERNEL_PROPERTIES, reterr);

	name_file(info, file);
	withdraw_all(file);
	return r < 0 ? r : file_replace(file, text, sizeof(text) - 1, reterr);
}

static int read_table(const char *name, uint64_t size, uint64_t align,
		      struct partition_table *ret, struct error *reterr)
{
	struct window_map map = WINDOW_MAP_INIT;
	struct table_device table_device;
	int r = window_map_open(&map, name, size, align, false, reterr);

	if (r == 0) {
		table_device = window_map_device(&map);
		r = table_image_read(&table_device, ret, reterr);
	}
	window_map_close(&map);
	return r;
}

int kernel_scan_windows(const struct uuid *info, struct dax_device *device, struct error *reterr)
{
	char file[FILE_MAX];

	name_file(info, file);
	if (device->driver != DRIVER_DEVICE_DAX || !uuid_is_set(info) || access(file, F_OK) < 0)
		return 0;
	device->table = calloc(1, sizeof(*device->table));
	if (!device->table)
		return error_oom(reterr);
	return read_table(device->name, device->size, device->align, device->table, reterr);
}

struct device {
	int fd; /* its folder in sysfs */
	char name[SYSFS_NAME_MAX];
	struct uuid info;
	uint64_t size, align;
};

#define DEVICE_INIT { .fd = -1 }

static void device_clear(struct device *device)
{
	closep(&device->fd);
}

static int find(const struct step *step, struct device *ret, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 32], text[64];
	int r = kernel_find_node(step, ret->name, reterr);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s", ret->name);
	ret->fd = sysfs_open(AT_FDCWD, path);
	if (ret->fd < 0)
		return error_set(reterr, -ret->fd, "Cannot open %s: %s.", path,
				 strerror(-ret->fd));
	if (sysfs_read(ret->fd, "../uuid", text, sizeof(text)) <= 0 ||
	    uuid_parse_text(text, &ret->info) < 0)
		return error_set(reterr, EOPNOTSUPP, "%s is not of persistent memory, which alone "
				 "can keep a partition table.", ret->name);
	r = sysfs_read_u64(ret->fd, "size", &ret->size);
	if (r == 0)
		r = sysfs_read_u64(ret->fd, "align", &ret->align);
	return r < 0 ? kernel_unreadable(reterr, ret->name, "size", -r) : 0;
}

static int check_user(const struct window_user *user, struct error *reterr)
{
	const struct access access = { .owner = user->owner, .group = user->group };
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct kernel_accounts accounts;
	int r = kernel_find_accounts(&access, &accounts, &error);

	if (r == 0)
		return 0;
	(void)error_set(reterr, -r, "Partition \"%s\": %s", user->window, error_message(&error));
	return error.hint ? error_hint(reterr, "%s", error.hint) : r;
}

int kernel_check_windows(const struct step *step, struct error *reterr)
{
	int r = pmem_library_load(reterr);

	for (size_t i = 0; r == 0 && i < step->n_users; i++)
		r = check_user(&step->users[i], reterr);
	return r;
}

/* The text of a property file: links in lines that udev can take. */
static char *describe(const struct partition_table *table, const struct device *device,
		      const char *stamp)
{
	struct text text = { 0 };
	size_t n = 0;

	text_add(&text, STAMP "=%s", stamp);
	for (size_t i = 0; i < table->n_entries; i++) {
		if (!table_is_window(table, i, device->size, device->align))
			continue;
		if (n % LINKS_PER_LINE == 0)
			text_add(&text, "\nDAXD_WINDOWS%zu=", n / LINKS_PER_LINE);
		text_add(&text, "%s" LINK_FOLDER "%s", n % LINKS_PER_LINE ? " " : "",
			 table->entries[i].name);
		n++;
	}
	text_add(&text, "\n");
	return text_finish(&text);
}

static int publish(const struct device *device, const struct partition_table *table,
		   struct error *reterr)
{
	struct udev_trigger trigger = { .fd = device->fd, .name = device->name,
					.property = STAMP, .error = reterr };
	char file[FILE_MAX], stamp[64], node[SYSFS_NAME_MAX + 8];
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	int r;

	r = kernel_check_udev(reterr);
	if (r == 0)
		r = kernel_make_stamp(stamp, sizeof(stamp), reterr);
	if (r < 0)
		return r;
	name_file(&device->info, file);
	if (table->kind == TABLE_GPT) {
		text = describe(table, device, stamp);
		r = text ? file_make_folders(KERNEL_PROPERTIES, reterr) : error_oom(reterr);
		if (r == 0)
			r = file_replace(file, text, strlen(text), reterr);
		trigger.stamp = stamp;
	} else if (unlink(file) < 0 && errno != ENOENT) {
		r = error_set(reterr, errno, "Cannot remove %s: %s.", file, strerror(errno));
	}
	if (r < 0)
		return r;
	(void)snprintf(node, sizeof(node), "/dev/%s", device->name);
	if (stat(node, &st) < 0)
		return error_set(reterr, errno, "Cannot look at %s: %s.", node, strerror(errno));
	trigger.dev = st.st_rdev;
	kernel_trigger_udev(&trigger, 1);
	return -reterr->code;
}

static bool is_same(const struct table_entry *old, const struct table_entry *new)
{
	return new && uuid_equal(&new->uuid, &old->uuid) && strcmp(new->name, old->name) == 0 &&
	       new->extent.start == old->extent.start && new->extent.size == old->extent.size;
}

static void withdraw_changed(const struct step *step, const struct device *device)
{
	for (size_t i = 0; i < step->before_table.n_entries; i++) {
		const struct table_entry *old = &step->before_table.entries[i];

		if (table_is_window(&step->before_table, i, device->size, device->align) &&
		    !is_same(old, table_find(&step->after_table, old->number)))
			withdraw(old->name);
	}
}

/*
 * Without its file of properties nobody has looked whether a device has a table; one that was
 * brought here, or whose files are lost, is known from now on.
 */
static int check_unknown(const struct step *step, const struct device *device, struct error *reterr)
{
	_cleanup_(table_clear) struct partition_table table = { 0 };
	int r;

	if (step->before_table.kind != TABLE_NONE)
		return 0;
	r = read_table(device->name, device->size, device->align, &table, reterr);
	if (r < 0 || table.kind == TABLE_NONE || table_equal(&table, &step->after_table))
		return r;
	if (table.kind == TABLE_OTHER) {
		(void)error_set(reterr, EBUSY, "%s is on %s.", table.content, device->name);
		return error_hint(reterr, "Nothing was written. If nobody needs it: daxctl-ext "
				  "destroy-device, then make it anew.");
	}
	r = kernel_begin_windows(&device->info, reterr);
	if (r < 0)
		return r;
	(void)error_set(reterr, ESTALE, "%s has a partition table (%s, %zu partitions) that was not "
			"known of.", device->name, table_kind_word(table.kind), table.n_entries);
	return error_hint(reterr, "Nothing was written, and it is known now: daxctl-ext part list %s",
			  device->name);
}

/* What goes, moves or becomes smaller must not be in use. */
static int check_free(const struct step *step, const struct device *device, struct error *reterr)
{
	for (size_t i = 0; i < step->before_table.n_entries; i++) {
		const struct table_entry *old = &step->before_table.entries[i];
		const struct table_entry *new = table_find(&step->after_table, old->number);
		int r;

		if (new && uuid_equal(&new->uuid, &old->uuid) &&
		    new->extent.start == old->extent.start &&
		    new->extent.size >= old->extent.size)
			continue;
		r = kernel_check_window_free(device->name, old->name, old->extent, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_table(const struct step *step, const struct device *device,
		       struct error *reterr)
{
	struct window_map map = WINDOW_MAP_INIT;
	struct table_device table_device;
	int r = window_map_open(&map, device->name, device->size, device->align, true, reterr);

	if (r == 0) {
		table_device = window_map_device(&map);
		r = table_image_write(&table_device, &step->before_table, &step->after_table, reterr);
	}
	window_map_close(&map);
	return r;
}

int kernel_write_windows(const struct step *step, struct error *reterr)
{
	_cleanup_(device_clear) struct device device = DEVICE_INIT;
	int r = find(step, &device, reterr);

	if (r == 0)
		r = check_unknown(step, &device, reterr);
	if (r == 0)
		r = check_free(step, &device, reterr);
	if (r == 0)
		withdraw_changed(step, &device);
	if (r == 0 && step->after_table.kind == TABLE_GPT)
		r = publish(&device, &step->after_table, reterr);
	if (r == 0)
		r = write_table(step, &device, reterr);
	if (r == 0 && step->after_table.kind != TABLE_GPT)
		return publish(&device, &step->after_table, reterr);
	/* daxd looks again when the device has changed, and has just looked too early. */
	return r < 0 ? r : kernel_write(device.fd, device.name, "uevent", "change", reterr);
}

int kernel_verify_windows(const struct step *step, struct error *reterr)
{
	_cleanup_(device_clear) struct device device = DEVICE_INIT;
	_cleanup_(table_clear) struct partition_table table = { 0 };
	int r = find(step, &device, reterr);

	if (r == 0)
		r = read_table(device.name, device.size, device.align, &table, reterr);
	if (r == 0 && !table_equal(&table, &step->after_table))
		r = error_set(reterr, EIO, "%s has another partition table than was written.",
			      device.name);
	return r;
}
