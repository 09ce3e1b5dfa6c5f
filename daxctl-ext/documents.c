/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "documents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static void note_empty(const char *path, struct report *notes)
{
	size_t before = notes->n;

	problem_add(notes, ENODATA, NULL,
		    "It is empty: in a folder of the host's configuration that switches off the "
		    "file of the same name in the folders before it.");
	report_name_file(notes, before, path);
}

static enum cli_exit load_file(struct config *config, const char *path, bool in_folder,
			       struct report *notes, struct report *problems)
{
	const char *file = strcmp(path, "-") == 0 ? "standard input" : path;
	_cleanup_(freep) char *text = NULL;
	struct config *document = NULL;
	struct error error = ERROR_INIT;
	size_t length;

	if (file_read(path, CONFIG_SIZE_MAX, &text, &length, &error) < 0) {
		(void)report_take(problems, &error);
		return CLI_FAILED;
	}
	if (length == 0 && file == path && (notes || in_folder)) {
		if (notes)
			note_empty(path, notes);
		return CLI_DONE;
	}
	if (config_parse(text, length, file, &document, problems) < 0)
		return CLI_INVALID;
	if (config_check(document, problems) < 0) {
		config_free(document);
		return CLI_INVALID;
	}
	if (config_merge(config, document) < 0) {
		problem_add(problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	return CLI_DONE;
}

/* The worse of two: what could not be read at all outweighs what is wrong. */
static enum cli_exit worse(enum cli_exit a, enum cli_exit b)
{
	if (a == CLI_DONE || b == CLI_FAILED)
		return b;
	return a;
}

static enum cli_exit load_folder(struct config *config, const char *folder, struct report *notes,
				 struct report *problems)
{
	_cleanup_(file_list_clear) struct file_list list = { 0 };
	enum cli_exit status = CLI_DONE;
	struct error error = ERROR_INIT;

	if (file_list_folder(folder, ".json", &list, &error) < 0) {
		(void)report_take(problems, &error);
		return CLI_FAILED;
	}
	if (list.n == 0) {
		problem_add(problems, ENOENT, "name a file, or the folder that holds them",
			    "The folder %s holds no *.json file.", folder);
		return CLI_INVALID;
	}
	for (size_t i = 0; i < list.n; i++)
		status = worse(status, load_file(config, list.paths[i], true, notes, problems));
	return status;
}

enum cli_exit documents_load(char *const args[], struct config **ret, struct report *notes,
			     struct report *problems)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	enum cli_exit status = CLI_DONE;
	struct stat st;

	if (!config)
		abort();
	for (size_t i = 0; args[i]; i++) {
		if (strcmp(args[i], "-") != 0 && stat(args[i], &st) == 0 && S_ISDIR(st.st_mode))
			status = worse(status, load_folder(config, args[i], notes, problems));
		else
			status = worse(status, load_file(config, args[i], false, notes, problems));
	}
	/* What only shows when the files are seen together. */
	if (status == CLI_DONE && config->n_files > 1 && config_check(config, problems) < 0)
		status = CLI_INVALID;
	if (status == CLI_DONE)
		*ret = TAKE(config);
	return status;
}
