/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "windows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "core/json-write.h"
#include "window/description.h"

#define DESCRIPTION_MAX 65536
#define ENDING ".json"

static int describe(const struct window *window, struct description *ret)
{
	const struct table_entry *entry = window->entry;
	struct description d = DESCRIPTION_INIT;
	struct stat st;

	if (asprintf(&d.path, "/dev/%s", window->device->name) < 0)
		return -ENOMEM;
	d.uuid = strdup(entry->uuid.text);
	d.device_uuid = strdup(window->ns->info_uuid.text);
	if (!d.uuid || !d.device_uuid || stat(d.path, &st) < 0) {
		int r = d.uuid && d.device_uuid ? -errno : -ENOMEM;

		description_clear(&d);
		return r;
	}
	d.major = major(st.st_rdev);
	d.minor = minor(st.st_rdev);
	d.offset = entry->extent.start;
	d.size = entry->extent.size;
	d.align = window->device->align;
	d.device_size = window->device->size;
	*ret = d;
	return 0;
}

/* What is new comes behind what libdaxwindow of any version reads. */
static char *to_json(const struct window *window, const struct description *d)
{
	struct json_out out = { .indent = true };
	char *text, *line = NULL;

	json_open(&out, NULL, '{');
	json_put_int(&out, "daxd", 1);
	json_put_text(&out, "name", window->entry->name);
	json_put_text(&out, "uuid", d->uuid);
	json_put_text(&out, "type", window->entry->type.text);
	json_put_text(&out, "volume", window->volume);
	json_put_text(&out, "path", d->path);
	json_put_u64(&out, "major", d->major);
	json_put_u64(&out, "minor", d->minor);
	json_put_u64(&out, "offset", d->offset);
	json_put_u64(&out, "size", d->size);
	json_put_u64(&out, "align", d->align);
	json_put_u64(&out, "device_size", d->device_size);
	json_put_text(&out, "device_uuid", d->device_uuid);
	if (window->device->target_node >= 0)
		json_put_int(&out, "target_node", window->device->target_node);
	json_close(&out, '}');
	text = json_out_finish(&out);
	if (!text || asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static bool is_same(const char *file, const char *text)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(freep) char *have = NULL;

	return file_read(file, DESCRIPTION_MAX, &have, NULL, &error) == 0 &&
	       strcmp(have, text) == 0;
}

static int publish(const struct window *window, struct error *reterr)
{
	_cleanup_(description_clear) struct description description = DESCRIPTION_INIT;
	char file[sizeof(DESCRIPTION_FOLDER) + DESCRIPTION_NAME_MAX + 16];
	_cleanup_(freep) char *text = NULL;
	int r = describe(window, &description);

	if (r < 0)
		return error_set(reterr, -r, "Cannot describe the window \"%s\": %s.",
				 window->entry->name, strerror(-r));
	text = to_json(window, &description);
	if (!text)
		return error_oom(reterr);
	(void)snprintf(file, sizeof(file), DESCRIPTION_FOLDER "/%s" ENDING, window->entry->name);
	return is_same(file, text) ? 0 : file_replace(file, text, strlen(text), reterr);
}

static bool is_wanted(const struct windows *windows, const char *file)
{
	size_t length = strlen(file), ending = strlen(ENDING);
	char name[DESCRIPTION_NAME_MAX + 1];

	if (length <= ending || strcmp(file + length - ending, ENDING) != 0)
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(length - ending), file);
	return windows_by_name(windows, name);
}

static void remove_others(const struct windows *windows)
{
	DIR *dir = opendir(DESCRIPTION_FOLDER);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_wanted(windows, entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0); /* the next scan tries again */
	if (dir)
		(void)closedir(dir); /* it was only read */
}

static void note_twice(void *userdata, const char *name)
{
	(void)report_add(userdata, NULL, ENOTUNIQ, "give each partition of the host its own name",
			 "Two devices have a partition \"%s\": it is no window.", name);
}

void windows_publish(const struct topology *topology, struct report *notes)
{
	_cleanup_(windows_clear) struct windows windows = { 0 };
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	mode_t mask;
	int r;

	report_clear(notes);
	r = windows_find(topology, &windows, note_twice, notes);
	if (r < 0) {
		(void)report_add(notes, NULL, -r, NULL, "There is no memory for windows.");
		return;
	}
	remove_others(&windows);
	if (!windows.n)
		return;
	mask = umask(0022); /* they are for everybody to read */
	r = file_make_folders(DESCRIPTION_FOLDER, &error);
	for (size_t i = 0; r == 0 && i < windows.n; i++)
		r = publish(&windows.windows[i], &error);
	(void)umask(mask);
	if (r < 0)
		(void)report_take(notes, &error);
}

int window_open(const struct window *window, bool read_only, struct error *reterr)
{
	_cleanup_(description_clear) struct description d = DESCRIPTION_INIT;
	_cleanup_(closep) int fd = -1;
	int r = describe(window, &d);

	if (r < 0)
		return error_set(reterr, -r, "The device of the window \"%s\" is gone.",
				 window->entry->name);
	fd = open(d.path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_set(reterr, errno, "Cannot open %s: %s.", d.path, strerror(errno));
	r = description_check_device(&d, window->entry->name, fd, reterr);
	if (r < 0)
		return r;
	r = fd;
	fd = -1;
	return r;
}
