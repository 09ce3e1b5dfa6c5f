/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/error-json.h"
#include "documents.h"
#include "verb.h"

static size_t count_volumes(const struct config *config, const char *file)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_volumes; i++)
		n += config->volumes[i].file == file;
	return n;
}

static enum cli_exit run(struct cli *cli, const void *options, char *args[])
{
	_cleanup_(report_clear) struct report notes = REPORT_INIT;
	_cleanup_(config_freep) struct config *config = NULL;
	enum cli_exit status;

	(void)options; /* it has none of its own */
	status = documents_load(args, &config, &notes, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		status = cli_print_json(cli, report_to_json(&cli->problems));
	for (size_t i = 0; !cli->json && i < config->n_files; i++) {
		size_t n = count_volumes(config, config->files[i]);

		(void)fprintf(cli->out, "%s: %zu volume%s, no problems\n", config->files[i], n,
			      PLURAL(n));
	}
	/* What is right but cannot be done yet is better known before apply refuses it. */
	(void)config_supported(config, &notes);
	(void)fflush(cli->out); /* so that the notes come after what they are about */
	problems_print_notes(&notes, cli->err, cli->colour_err);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.args = "CONFIG...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Check configuration files, without looking at a machine",
	.about = "All problems of all files are shown, each with its file and its place in it. "
		 "Whether a machine can give what they ask for is shown by \"plan\". Of an empty file "
		 "it is only noted that it switches off another one.",
	.json = "Print {\"errors\":[...]}, which is empty when there are none.",
	.run = run,
};
