/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"
#include "table.h"

/* The table of a verb and the two options that need no member of its own struct. */
#define OPTIONS_MAX 24
#define HELP_WIDTH 80
#define MDOC_WIDTH 72
/* getopt's values: the place in the list, past all letters. */
#define VALUE_BASE 256

struct option_list {
	struct verb_option options[OPTIONS_MAX];
	size_t n, json, help; /* places of --json and --help; json == n: there is none */
};

static struct option_list list_options(const struct verb *verb)
{
	struct option_list list = { .n = verb->n_options };

	for (size_t i = 0; i < verb->n_options; i++)
		list.options[i] = verb->options[i];
	if (verb->json) {
		list.json = list.n;
		list.options[list.n++] =
			(struct verb_option){ .name = "json", .help = verb->json };
	}
	list.help = list.n;
	list.options[list.n++] =
		(struct verb_option){ .name = "help", .letter = 'h', .help = "Show this help." };
	if (!verb->json)
		list.json = list.n;
	return list;
}

static void add_unknown(struct cli *cli, const struct verb *verb, const struct option_list *list,
			const char *option)
{
	struct error error = ERROR_INIT;
	const char *names[OPTIONS_MAX], *near;

	for (size_t i = 0; i < list->n; i++)
		names[i] = list->options[i].name;
	near = suggest(option + strspn(option, "-"), names, list->n);
	(void)error_set(&error, EINVAL, "\"%s\" has no option %s.", verb->name, option);
	if (near)
		(void)error_hint(&error, "did you mean --%s?", near);
	else
		(void)error_hint(&error, "\"daxctl-ext help %s\" lists its options.", verb->name);
	(void)report_take(&cli->problems, &error);
}

/*
 * getopt_long takes any unambiguous beginning for an option.  What a script means must not
 * change when an option is added, and --a must not mean --allow-data-loss.
 */
static void check_spelling(struct cli *cli, const struct verb *verb,
			   const struct option_list *list, char *argv[])
{
	for (size_t a = 1; argv[a] && strcmp(argv[a], "--") != 0; a++) {
		_cleanup_(freep) char *option = NULL;
		bool known = false;

		if (strncmp(argv[a], "--", 2) != 0)
			continue;
		option = strndup(argv[a], strcspn(argv[a], "="));
		for (size_t i = 0; option && i < list->n; i++)
			known = known || strcmp(option + 2, list->options[i].name) == 0;
		if (!known)
			add_unknown(cli, verb, list, option ? option : argv[a]);
	}
}

static void add_getopt_problem(struct cli *cli, const struct verb *verb,
			       const struct option_list *list, int value, const char *word)
{
	const char letter[] = { '-', (char)optopt, 0 };

	if (value == ':')
		problem_add(&cli->problems, EINVAL, NULL, "Option %s needs a value.", word);
	else if (optopt >= VALUE_BASE)
		problem_add(&cli->problems, EINVAL, NULL, "Option --%s takes no value.",
				 list->options[optopt - VALUE_BASE].name);
	else if (optopt)
		add_unknown(cli, verb, list, letter);
	/* optopt 0 is an unknown long option, which check_spelling() has reported. */
}

static size_t find_option(const struct option_list *list, int value)
{
	if (value >= VALUE_BASE)
		return (size_t)(value - VALUE_BASE);
	for (size_t i = 0; i < list->n; i++)
		if (list->options[i].letter == value)
			return i;
	return list->n;
}

static void fill_getopt(const struct option_list *list, struct option *longs, char *shorts)
{
	*shorts++ = ':'; /* report a missing value as ':' */
	for (size_t i = 0; i < list->n; i++) {
		const struct verb_option *option = &list->options[i];

		longs[i] = (struct option){
			.name = option->name,
			.has_arg = option->optional ? optional_argument :
				   option->value    ? required_argument :
						      no_argument,
			.val = VALUE_BASE + (int)i,
		};
		if (option->letter) {
			*shorts++ = option->letter;
			if (option->value)
				*shorts++ = ':';
		}
	}
}

static void check_arguments(struct cli *cli, const struct verb *verb, size_t n, char *args[])
{
	struct error error = ERROR_INIT;

	if (n < verb->min_args)
		(void)error_set(&error, EINVAL, "\"%s\" needs an argument, %.*s.", verb->name,
				(int)strcspn(verb->args, "."), verb->args);
	else if (n > verb->max_args)
		(void)error_set(&error, EINVAL, "\"%s\" has no use for the argument \"%s\".",
				verb->name, args[verb->max_args]);
	else
		return;
	(void)error_hint(&error, "\"daxctl-ext help %s\" shows what it takes.", verb->name);
	(void)report_take(&cli->problems, &error);
}

/* Of two values one would be passed over in silence. */
static void take_value(struct cli *cli, const struct verb_option *option, const char **ret)
{
	if (*ret)
		problem_add(&cli->problems, EINVAL, NULL, "Option --%s is given twice.",
			    option->name);
	*ret = optarg ? optarg : "";
}

enum cli_exit options_parse(struct cli *cli, const struct verb *verb, int argc, char *argv[],
			    void **ret, char ***ret_args, bool *ret_help)
{
	const struct option_list list = list_options(verb);
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	char shorts[2 * OPTIONS_MAX + 2] = { 0 };
	_cleanup_(freep) char *values = calloc(1, verb->options_size + 1);
	int value;

	if (!values)
		abort(); /* at the first allocation there is nothing to save */
	*ret_help = false;
	fill_getopt(&list, longs, shorts);
	check_spelling(cli, verb, &list, argv);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		size_t i = find_option(&list, value);

		if (value == ':' || value == '?')
			add_getopt_problem(cli, verb, &list, value, argv[optind - 1]);
		else if (i == list.help)
			*ret_help = true;
		else if (i == list.json)
			cli->json = true;
		else if (list.options[i].value)
			take_value(cli, &list.options[i],
				   (const char **)(void *)(values + list.options[i].offset));
		else
			*(bool *)(values + list.options[i].offset) = true;
	}
	if (!*ret_help)
		check_arguments(cli, verb, (size_t)(argc - optind), argv + optind);
	if (cli->problems.n)
		return CLI_INVALID;
	*ret = TAKE(values);
	*ret_args = argv + optind;
	return CLI_DONE;
}

/* What stands between an option and its value. */
static const char *value_lead(const struct verb_option *option)
{
	return option->optional ? "[=" : option->value ? " " : "";
}

static void print_usage(struct cli *cli, const struct verb *verb, const struct option_list *list)
{
	(void)fprintf(cli->out, "Usage: daxctl-ext %s", verb->name);
	for (size_t i = 0; i < list->n; i++) {
		if (i == list->help)
			continue;
		(void)fprintf(cli->out, " [--%s%s%s%s]", list->options[i].name,
			      value_lead(&list->options[i]),
			      list->options[i].value ? list->options[i].value : "",
			      list->options[i].optional ? "]" : "");
	}
	(void)fprintf(cli->out, "%s%s\n\n", verb->args ? " " : "", verb->args ? verb->args : "");
}

void options_print_help(struct cli *cli, const struct verb *verb)
{
	static const struct table_column columns[] = { { NULL, 0 }, { NULL, TABLE_WRAP } };
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	const struct option_list list = list_options(verb);
	unsigned int width = cli->width && cli->width < HELP_WIDTH ? cli->width : HELP_WIDTH;

	print_usage(cli, verb, &list);
	text_wrap(cli->out, verb->help, 0, width);
	(void)fputs(".\n", cli->out);
	if (verb->about) {
		(void)fputc('\n', cli->out);
		text_wrap(cli->out, verb->about, 0, width);
		(void)fputc('\n', cli->out);
	}
	(void)fputs("\nOptions:\n", cli->out);
	for (size_t i = 0; i < list.n; i++) {
		const struct verb_option *option = &list.options[i];
		const char letter[] = { '-', option->letter, ',', ' ', 0 };

		table_cell(table, "  %s--%s%s%s%s", option->letter ? letter : "    ", option->name,
			   value_lead(option), option->value ? option->value : "",
			   option->optional ? "]" : "");
		table_cell(table, "%s", option->help);
	}
	table_print(table, cli->out, width, false);
}

/* Does a sentence end before this space? */
static bool begins_sentence(const char *text, const char *space)
{
	return space > text && strchr(".:?", space[-1]) &&
	       (isupper((unsigned char)space[1]) || space[1] == '"');
}

/*
 * Sentences as mdoc wants them: each begins a line, lines are short, and the dashes of options
 * are dashes.  "\n" begins a paragraph.
 */
static void print_mdoc_text(FILE *out, const char *text)
{
	size_t column = 0;

	for (const char *c = text; *c; c++) {
		bool space = *c == ' ';

		if (*c == '\n')
			(void)fputs("\n.Pp", out);
		if (*c == '\n' ||
		    (space && (begins_sentence(text, c) ||
			       column + strcspn(c + 1, " \n") > MDOC_WIDTH))) {
			(void)fputc('\n', out);
			column = 0;
			continue;
		}
		column++;
		if (*c == '-' && (c[1] == '-' || (c > text && c[-1] == '-')))
			(void)fputs("\\-", out);
		else
			(void)fputc(*c, out);
	}
	(void)fputc('\n', out);
}

void options_print_mdoc(struct cli *cli, const struct verb *verb)
{
	const struct option_list list = list_options(verb);

	(void)fprintf(cli->out, ".Ss %s\n%s.\n", verb->name, verb->help);
	if (verb->about)
		print_mdoc_text(cli->out, verb->about);
	if (list.n == 1) /* --help, which every verb has */
		return;
	(void)fputs(".Bl -tag -width Ds\n", cli->out);
	for (size_t i = 0; i < list.n; i++) {
		const struct verb_option *option = &list.options[i];

		if (i == list.help)
			continue;
		(void)fputs(".It ", cli->out);
		if (option->letter)
			(void)fprintf(cli->out, "Fl %c , ", option->letter);
		(void)fprintf(cli->out, "Fl -%s", option->name);
		if (option->optional)
			(void)fprintf(cli->out, " Ns Op = Ns Ar %s", option->value);
		else if (option->value)
			(void)fprintf(cli->out, " Ar %s", option->value);
		(void)fputc('\n', cli->out);
		print_mdoc_text(cli->out, option->help);
	}
	(void)fputs(".El\n", cli->out);
}
