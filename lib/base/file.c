/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK 65536

int file_read_fd(int fd, const char *name, size_t max, char **ret, size_t *ret_length,
		 struct error *reterr)
{
	_cleanup_(freep) char *text = NULL;
	size_t room = 0, used = 0;
	ssize_t n;

	for (;;) {
		if (used + 1 >= room) {
			char *grown;

			room = room ? room * 2 : READ_CHUNK;
			grown = realloc(text, room);
			if (!grown)
				return error_oom(reterr);
			text = grown;
		}
		n = read(fd, text + used, room - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(reterr, errno, "Cannot read %s: %s.", name,
					 strerror(errno));
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max)
			return error_set(reterr, EFBIG, "%s is longer than the limit of %zu bytes.",
					 name, max);
	}
	text[used] = 0;
	if (ret_length)
		*ret_length = used;
	*ret = TAKE(text);
	return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_length, struct error *reterr)
{
	_cleanup_(closep) int fd = -1;

	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", max, ret, ret_length, reterr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(reterr, errno, "Cannot open %s: %s.", path, strerror(errno));
	return file_read_fd(fd, path, max, ret, ret_length, reterr);
}

int file_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	_cleanup_(freep) char *folder = strdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash;

	if (!folder)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_and_sync(const char *path, const char *text, size_t length)
{
	_cleanup_(closep) int fd = -1;
	int r;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	r = file_write_all(fd, text, length);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, const char *text, size_t length, struct error *reterr)
{
	_cleanup_(freep) char *neighbour = NULL;
	int r;

	if (asprintf(&neighbour, "%s.new", path) < 0)
		return error_oom(reterr);
	r = write_and_sync(neighbour, text, length);
	if (r == 0 && rename(neighbour, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(neighbour); /* the error that counts is the first one */
		return error_set(reterr, -r, "Cannot write %s: %s.", path, strerror(-r));
	}
	r = sync_folder_of(path);
	if (r < 0)
		return error_set(reterr, -r, "Cannot make %s safe on disk: %s.", path,
				 strerror(-r));
	return 0;
}

int file_make_folders(const char *path, struct error *reterr)
{
	_cleanup_(freep) char *upto = strdup(path);

	if (!upto)
		return error_oom(reterr);
	for (char *c = upto + 1;; c++) {
		char was = *c;

		if (was && was != '/')
			continue;
		*c = 0;
		if (mkdir(upto, 0755) < 0 && errno != EEXIST)
			return error_set(reterr, errno, "Cannot make the folder %s: %s.", upto,
					 strerror(errno));
		*c = was;
		if (!was)
			return 0;
	}
}

void file_list_clear(struct file_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct file_list){ 0 };
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return name[0] != '.' && length > end && strcmp(name + length - end, ending) == 0;
}

static bool is_folder(DIR *dir, const char *name)
{
	struct stat st;

	return fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int list_entries(DIR *dir, const char *folder, const char *ending, struct file_list *list)
{
	size_t length = strlen(folder);
	const struct dirent *entry;

	while (length > 1 && folder[length - 1] == '/')
		length--;
	while ((errno = 0, entry = readdir(dir))) {
		char **slot;

		if (!is_wanted(entry->d_name, ending) || is_folder(dir, entry->d_name))
			continue;
		slot = ARRAY_APPEND(list->paths, list->n);
		if (!slot || asprintf(slot, "%.*s/%s", (int)length, folder, entry->d_name) < 0)
			return -ENOMEM;
		list->n++;
	}
	return -errno;
}

int file_list_folder(const char *folder, const char *ending, struct file_list *ret,
		     struct error *reterr)
{
	_cleanup_(file_list_clear) struct file_list list = { 0 };
	DIR *dir = opendir(folder);
	int r = -errno;

	if (dir) {
		r = list_entries(dir, folder, ending, &list);
		(void)closedir(dir); /* it was only read */
	}
	if (r < 0)
		return error_set(reterr, -r, "Cannot read the folder %s: %s.", folder,
				 strerror(-r));
	if (list.n)
		qsort(list.paths, list.n, sizeof(*list.paths), by_path);
	*ret = list;
	list = (struct file_list){ 0 };
	return 0;
}
