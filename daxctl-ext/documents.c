/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "documents.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define VOLUMES "/volumes/"

void documents_clear(struct documents *documents)
{
	for (size_t i = 0; i < documents->n; i++)
		free(documents->documents[i].file);
	free(documents->documents);
	config_free(documents->config);
	*documents = (struct documents){ 0 };
}

/* Append the volumes of one file to the whole; what they own moves. */
static int append(struct documents *documents, const char *file, struct config *config)
{
	struct document *document = ARRAY_APPEND(documents->documents, documents->n);
	struct config *whole = documents->config;

	if (!document)
		return -ENOMEM;
	documents->n++;
	document->first = whole->n_volumes;
	document->file = strdup(file);
	if (!document->file)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_volumes; i++) {
		struct volume *slot = ARRAY_APPEND(whole->volumes, whole->n_volumes);

		if (!slot)
			return -ENOMEM;
		*slot = config->volumes[i];
		config->volumes[i] = (struct volume){ 0 };
		slot->index = whole->n_volumes++;
		document->n++;
	}
	return 0;
}

static enum cli_exit load_file(struct documents *documents, const char *path,
			       struct problem_list *problems)
{
	const char *file = strcmp(path, "-") == 0 ? "standard input" : path;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(freep) char *text = NULL;
	struct error error = ERROR_INIT;
	size_t length;

	if (file_read(path, CONFIG_SIZE_MAX, &text, &length, &error) < 0) {
		problem_list_take(problems, NULL, &error);
		return CLI_FAILED;
	}
	if (config_parse(text, length, &config, &report) < 0 ||
	    config_check(config, &report) < 0) {
		problem_list_take_report(problems, file, &report);
		return CLI_INVALID;
	}
	if (append(documents, file, config) < 0) {
		(void)error_oom(&error);
		problem_list_take(problems, file, &error);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The worse of two: what could not be read at all outweighs what is wrong. */
static enum cli_exit worse(enum cli_exit a, enum cli_exit b)
{
	if (a == CLI_DONE || b == CLI_FAILED)
		return b;
	return a;
}

static enum cli_exit load_folder(struct documents *documents, const char *folder,
				 struct problem_list *problems)
{
	enum cli_exit status = CLI_DONE;
	struct dirent **entries = NULL;
	size_t length = strlen(folder);
	int n;

	while (length > 1 && folder[length - 1] == '/')
		length--;
	n = scandir(folder, &entries, is_json, by_name);
	if (n < 0) {
		problem_list_add(problems, errno, NULL, "Cannot read the folder %s: %s.", folder,
				 strerror(errno));
		return CLI_FAILED;
	}
	if (n == 0) {
		problem_list_add(problems, ENOENT, "name a file, or the folder that holds them",
				 "The folder %s holds no *.json file.", folder);
		status = CLI_INVALID;
	}
	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%.*s/%s", (int)length, folder, entries[i]->d_name) < 0)
			abort(); /* a file that is left out would change the plan */
		status = worse(status, load_file(documents, path, problems));
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int by_volume_name(const void *a, const void *b)
{
	const struct volume *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	if (order == 0)
		order = ((*left)->index > (*right)->index) - ((*left)->index < (*right)->index);
	return order;
}

static const struct document *find_document(const struct documents *documents, size_t volume)
{
	size_t low = 0, high = documents->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct document *document = &documents->documents[middle];

		if (volume >= document->first + document->n)
			low = middle + 1;
		else if (volume < document->first)
			high = middle;
		else
			return document;
	}
	return NULL;
}

static void add_duplicate(const struct documents *documents, const struct volume *first,
			  const struct volume *second, struct problem_list *problems)
{
	const struct document *one = find_document(documents, first->index);
	const struct document *two = find_document(documents, second->index);
	const struct path volumes = { .key = "volumes" };
	const struct path volume = { .parent = &volumes, .index = second->index - two->first };
	const struct path name = { .parent = &volume, .key = "name" };
	struct error error = ERROR_INIT;

	(void)error_at(&error, &name, EEXIST, "Volume \"%s\" is also in %s, at " VOLUMES "%zu.",
		       second->name, one->file, first->index - one->first);
	(void)error_hint(&error, "rename or remove one of them");
	problem_list_take(problems, two->file, &error);
}

static enum cli_exit check_duplicates(const struct documents *documents,
				      struct problem_list *problems)
{
	const struct config *config = documents->config;
	_cleanup_(freep) const struct volume **order = NULL;
	enum cli_exit status = CLI_DONE;

	order = calloc(config->n_volumes + 1, sizeof(*order)); /* + 1: may be 0 */
	if (!order)
		abort();
	for (size_t i = 0; i < config->n_volumes; i++)
		order[i] = &config->volumes[i];
	qsort(order, config->n_volumes, sizeof(*order), by_volume_name);
	for (size_t i = 1; i < config->n_volumes; i++) {
		if (strcmp(order[i - 1]->name, order[i]->name) != 0)
			continue;
		add_duplicate(documents, order[i - 1], order[i], problems);
		status = CLI_INVALID;
	}
	return status;
}

/* What only shows when the files are seen together. */
static enum cli_exit check_whole(const struct documents *documents, struct problem_list *problems)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	enum cli_exit status;

	if (documents->n < 2)
		return CLI_DONE;
	status = check_duplicates(documents, problems);
	if (status != CLI_DONE)
		return status;
	if (config_check(documents->config, &report) == 0)
		return CLI_DONE;
	documents_locate(documents, &report, problems);
	return CLI_INVALID;
}

static void locate(const struct documents *documents, struct error *error,
		   struct problem_list *problems)
{
	const struct document *document = NULL;
	char *rest, *moved;
	uintmax_t volume;

	if (error->pointer && strncmp(error->pointer, VOLUMES, strlen(VOLUMES)) == 0) {
		volume = strtoumax(error->pointer + strlen(VOLUMES), &rest, 10);
		document = find_document(documents, (size_t)volume);
		if (document) {
			if (asprintf(&moved, VOLUMES "%ju%s", volume - document->first, rest) < 0)
				abort(); /* a wrong place is worse than no answer */
			free(error->pointer);
			error->pointer = moved;
		}
	} else if (error->pointer && documents->n == 1) {
		document = &documents->documents[0];
	}
	problem_list_take(problems, document ? document->file : NULL, error);
}

void documents_locate(const struct documents *documents, struct report *report,
		      struct problem_list *problems)
{
	for (size_t i = 0; i < report->n; i++)
		locate(documents, &report->errors[i], problems);
	report_clear(report);
}

enum cli_exit documents_load(char *const args[], struct documents *ret,
			     struct problem_list *problems)
{
	_cleanup_(documents_clear) struct documents documents = { 0 };
	enum cli_exit status = CLI_DONE;
	struct stat st;

	documents.config = calloc(1, sizeof(*documents.config));
	if (!documents.config)
		abort();
	for (size_t i = 0; args[i]; i++) {
		if (strcmp(args[i], "-") != 0 && stat(args[i], &st) == 0 && S_ISDIR(st.st_mode))
			status = worse(status, load_folder(&documents, args[i], problems));
		else
			status = worse(status, load_file(&documents, args[i], problems));
	}
	if (status == CLI_DONE)
		status = check_whole(&documents, problems);
	if (status != CLI_DONE)
		return status;
	*ret = documents;
	documents = (struct documents){ 0 };
	return CLI_DONE;
}
