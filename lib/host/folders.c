/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/folders.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

const char *const folders_of_host[] = { CONFIG_FOLDERS, NULL };

/* A file of the host's configuration; the later folder's path is the one that counts. */
struct document {
	char *path;
	const char *name; /* last part of path */
	bool left_out;
};

struct documents {
	struct document *documents;
	size_t n;
};

static void documents_clear(struct documents *documents)
{
	for (size_t i = 0; i < documents->n; i++)
		free(documents->documents[i].path);
	free(documents->documents);
}

static int add_document(struct documents *documents, char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct document *document = NULL;

	for (size_t i = 0; i < documents->n; i++)
		if (strcmp(documents->documents[i].name, name) == 0)
			document = &documents->documents[i];
	if (!document) {
		document = ARRAY_APPEND(documents->documents, documents->n);
		if (!document)
			return -ENOMEM;
		documents->n++;
	}
	free(document->path);
	*document = (struct document){ .path = path, .name = name };
	return 0;
}

static int add_folder(struct documents *documents, const char *folder, struct report *mistakes)
{
	_cleanup_(file_list_clear) struct file_list list = { 0 };
	struct error error = ERROR_INIT;
	int r;

	r = file_list_folder(folder, ".json", &list, &error);
	if (r == -ENOENT) {
		error_clear(&error);
		return 0;
	}
	if (r < 0) {
		(void)report_take(mistakes, &error);
		return 0;
	}
	for (size_t i = 0; i < list.n; i++) {
		r = add_document(documents, list.paths[i]);
		if (r < 0)
			return r;
		list.paths[i] = NULL;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct document *)a)->name, ((const struct document *)b)->name);
}

/* Reading a pipe would wait for ever.  What cannot be looked at is told by who reads it. */
static bool is_readable(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISCHR(st.st_mode);
}

/* Each look at the machine would want another one. */
static int check_lasting(const struct config *config, struct report *mistakes)
{
	int r = 0;

	for (size_t i = 0; i < config->n_volumes; i++) {
		const struct volume *volume = &config->volumes[i];
		struct volume_path at;

		if (volume->fresh)
			r = report_add(mistakes, volume_path(&at, volume, "ensure"), EINVAL,
				       "write \"present\", which also makes what is not there",
				       "\"new\" is for what is applied once, not for the "
				       "configuration of the host.");
		if (volume->until_reboot)
			r = report_add(mistakes, volume_path(&at, volume, "until_reboot"), EINVAL,
				       "remove it",
				       "The configuration of the host says what is there after each "
				       "boot.");
	}
	return r;
}

/* One mistake is told, and what is right beside it is gone, too. */
static void tell_left_out(const struct document *document, struct report *mistakes)
{
	struct error error = ERROR_INIT;

	(void)error_set(&error, ENODATA,
			"Until that is mended the whole file counts for nothing, and its other "
			"volumes are not looked after.");
	error.file = strdup(document->path);
	(void)report_take(mistakes, &error);
}

/* Read one document and add it; one that is not right only adds its mistakes. */
static int add_to_config(struct config *config, struct document *document, struct report *mistakes)
{
	_cleanup_(config_freep) struct config *one = NULL;
	_cleanup_(freep) char *text = NULL;
	struct error error = ERROR_INIT;
	size_t length;

	document->left_out = true;
	if (!is_readable(document->path)) {
		(void)error_set(&error, EINVAL, "It is neither a file nor a link to /dev/null.");
		error.file = strdup(document->path);
		(void)report_take(mistakes, &error);
		return 0;
	}
	if (file_read(document->path, CONFIG_SIZE_MAX, &text, &length, &error) < 0) {
		if (!error.file)
			error.file = strdup(document->path);
		(void)report_take(mistakes, &error);
		return 0;
	}
	if (length == 0)
		return 0;
	if (config_parse(text, length, document->path, &one, mistakes) < 0 ||
	    config_check(one, mistakes) < 0 || check_lasting(one, mistakes) < 0) {
		tell_left_out(document, mistakes);
		return 0;
	}
	document->left_out = false;
	return config_merge(config, TAKE(one));
}

/* The last document that a problem is in: those before it were there first. */
static struct document *find_culprit(struct documents *documents, const struct report *report)
{
	for (size_t i = documents->n; i-- > 0;)
		for (size_t j = 0; j < report->n; j++)
			if (!documents->documents[i].left_out && report->errors[j].file &&
			    strcmp(report->errors[j].file, documents->documents[i].path) == 0)
				return &documents->documents[i];
	return NULL;
}

static int read_all(struct documents *documents, struct config **ret, struct report *mistakes)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	int r = config ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < documents->n; i++)
		if (!documents->documents[i].left_out)
			r = add_to_config(config, &documents->documents[i], mistakes);
	if (r == 0)
		*ret = TAKE(config);
	return r;
}

/* Documents that are right by themselves may contradict each other: the later one is left out. */
static int settle(struct documents *documents, struct config **ret, struct report *mistakes)
{
	for (;;) {
		_cleanup_(report_clear) struct report report = REPORT_INIT;
		_cleanup_(config_freep) struct config *config = NULL;
		struct document *culprit;
		int r;

		r = read_all(documents, &config, mistakes);
		if (r < 0)
			return r;
		if (config_check(config, &report) == 0) {
			*ret = TAKE(config);
			return 0;
		}
		culprit = find_culprit(documents, &report);
		for (size_t i = 0; i < report.n; i++)
			(void)report_take(mistakes, &report.errors[i]);
		report.n = 0;
		if (culprit) {
			culprit->left_out = true;
			tell_left_out(culprit, mistakes);
		}
		/* A contradiction that is in no document: better none of them than a guess. */
		for (size_t i = 0; !culprit && i < documents->n; i++)
			documents->documents[i].left_out = true;
	}
}

int folders_load(const char *const folders[], struct config **ret, struct report *mistakes)
{
	_cleanup_(documents_clear) struct documents documents = { 0 };

	for (size_t i = 0; folders[i]; i++)
		if (add_folder(&documents, folders[i], mistakes) < 0)
			return -ENOMEM;
	if (documents.n)
		qsort(documents.documents, documents.n, sizeof(*documents.documents), by_name);
	return settle(&documents, ret, mistakes);
}

/* What is no file (a link to /dev/null) has no time that says anything. */
static void stamp_file(struct text *text, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		text_add(text, "%s -\n", path);
	else if (!S_ISREG(st.st_mode))
		text_add(text, "%s %o\n", path, st.st_mode);
	else
		text_add(text, "%s %" PRIuMAX " %jd %jd.%09ld\n", path, (uintmax_t)st.st_ino,
			 (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

char *folders_stamp(const char *const folders[])
{
	struct text text = { 0 };

	text_add(&text, "%s", "");
	for (size_t i = 0; folders[i]; i++) {
		_cleanup_(file_list_clear) struct file_list list = { 0 };
		struct error error = ERROR_INIT;

		if (file_list_folder(folders[i], ".json", &list, &error) < 0)
			error_clear(&error); /* what is wrong with it is told when it is read */
		for (size_t j = 0; j < list.n; j++)
			stamp_file(&text, list.paths[j]);
	}
	return text_finish(&text);
}

bool folders_are_kept(const char *stamp, const char *now)
{
	size_t length;

	for (const char *line = stamp; *line; line += length) {
		const char *found = now;

		length = strcspn(line, "\n") + 1; /* each has its newline */
		while (*found && strncmp(found, line, length) != 0)
			found += strcspn(found, "\n") + 1;
		if (!*found)
			return false;
	}
	return true;
}
