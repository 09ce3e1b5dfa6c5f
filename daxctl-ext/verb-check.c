/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "documents.h"
#include "verb.h"

/* What is right but cannot be done yet is better known before apply refuses it. */
static void print_unsupported(struct cli *cli, const struct documents *documents)
{
	_cleanup_(problem_list_clear) struct problem_list notes = { 0 };
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	if (config_supported(documents->config, &report) == 0)
		return;
	documents_locate(documents, &report, &notes);
	(void)fflush(cli->out); /* so that the notes come after what they are about */
	problem_list_print_notes(&notes, cli->err, cli->colour_err);
}

static enum cli_exit run(struct cli *cli, const void *options, char *args[])
{
	_cleanup_(documents_clear) struct documents documents = { 0 };
	enum cli_exit status;

	(void)options; /* it has none of its own */
	status = documents_load(args, &documents, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		status = cli_print_json(cli, problem_list_to_json(&cli->problems));
	for (size_t i = 0; !cli->json && i < documents.n; i++) {
		const struct document *document = &documents.documents[i];

		(void)fprintf(cli->out, "%s: %zu volume%s, no problems\n", document->file,
			      document->n, PLURAL(document->n));
	}
	print_unsupported(cli, &documents);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.args = "CONFIG...",
	.min_args = 1,
	.max_args = ANY_NUMBER,
	.help = "Check configuration files, without looking at a machine",
	.about = "All problems of all files are shown, each with its file and its place in it. "
		 "Whether a machine can give what they ask for is shown by \"plan\".",
	.json = "Print {\"errors\":[...]}, which is empty when there are none.",
	.run = run,
};
