/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole files: read with a limit, replaced so that a crash leaves the old text or the new.
 */
#ifndef DAXD_BASE_FILE_H
#define DAXD_BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * Read all of a file ("-" is standard input) into a NUL-terminated buffer the caller frees.
 * -EFBIG when it is longer than max bytes.
 */
int file_read(const char *path, size_t max, char **ret, size_t *ret_length, struct error *reterr);
/* The same from an open descriptor; name is what errors call it. */
int file_read_fd(int fd, const char *name, size_t max, char **ret, size_t *ret_length,
		 struct error *reterr);
/* Write to a neighbour file, fsync, rename, fsync the folder. */
int file_replace(const char *path, const char *text, size_t length, struct error *reterr);
/* Write all bytes to a descriptor, past short writes and EINTR. Returns 0 or -errno. */
int file_write_all(int fd, const void *bytes, size_t length);
/* Full paths, in the order of strcmp(). */
struct file_list {
	char **paths;
	size_t n;
};
void file_list_clear(struct file_list *list);
/* The files of a folder whose names end so and do not begin with a dot. */
int file_list_folder(const char *folder, const char *ending, struct file_list *ret,
		     struct error *reterr);
/* Make a folder and its parents, mode 0755, where they are missing. */
int file_make_folders(const char *path, struct error *reterr);

#endif
