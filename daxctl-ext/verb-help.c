/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"
#include "table.h"
#include "verb.h"

struct help_options {
	bool mdoc;
};

static enum cli_exit print_overview(struct cli *cli)
{
	static const struct table_column columns[] = { { NULL, 0 }, { NULL, TABLE_WRAP } };
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));

	(void)fputs("Usage: daxctl-ext VERB [OPTIONS] [ARGUMENTS]\n\n"
		    "Provision device-DAX memory from a configuration.\n\nVerbs:\n",
		    cli->out);
	for (size_t i = 0; verb_table[i]; i++) {
		const struct verb *verb = verb_table[i];

		table_cell(table, "  %s%s%s", verb->name, verb->args ? " " : "",
			   verb->args ? verb->args : "");
		table_cell(table, "%s", verb->help);
	}
	(void)table_print(table, cli->out, cli->width, false); /* there are few */
	(void)fputs("\n\"daxctl-ext help VERB\" shows the options of a verb.\n"
		    "See daxctl-ext(1), and daxd-config(5) for the configuration.\n",
		    cli->out);
	return CLI_DONE;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct help_options *options = userdata;
	const struct verb *verb;

	for (size_t i = 0; options->mdoc && verb_table[i]; i++)
		options_print_mdoc(cli, verb_table[i]);
	if (options->mdoc)
		return CLI_DONE;
	if (!args[0])
		return print_overview(cli);
	verb = verb_find(cli, args[0]);
	if (!verb)
		return CLI_INVALID;
	options_print_help(cli, verb);
	return CLI_DONE;
}

static const struct verb_option options[] = {
	{
		.name = "mdoc", .offset = offsetof(struct help_options, mdoc),
		.help = "Print the help of all verbs as the section of the manual page that it is.",
	},
};

const struct verb verb_help = {
	.name = "help",
	.args = "[VERB]",
	.max_args = 1,
	.help = "Show the verbs, or the options of one",
	VERB_OPTIONS(struct help_options, options),
	.run = run,
};
