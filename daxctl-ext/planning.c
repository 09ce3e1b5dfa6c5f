/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "planning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "table.h"

enum cli_exit planning_load(struct cli *cli, char *const args[], struct config **ret)
{
	_cleanup_(config_freep) struct config *config = NULL;
	enum cli_exit status;

	status = documents_load(args, &config, NULL, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (config_supported(config, &cli->problems) < 0)
		return CLI_INVALID;
	*ret = TAKE(config);
	return CLI_DONE;
}

enum cli_exit planning_make(struct cli *cli, const struct config *config,
			    struct client *client, struct plan **ret)
{
	_cleanup_(topology_freep) struct topology *topology = NULL;
	enum cli_exit status;

	status = client_scan(client, LOOK_ALL, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (plan_build(config, topology, ret, &cli->problems) < 0)
		return CLI_INVALID;
	return CLI_DONE;
}

static bool takes_away(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (step_takes_away(&plan->steps[i]))
			return true;
	return false;
}

struct plan *planning_make_quickly(const struct config *config, struct client *client)
{
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(report_clear) struct report unsaid = REPORT_INIT;

	if (client_scan(client, LOOK_QUICK, &topology, &unsaid) != CLI_DONE ||
	    plan_build(config, topology, &plan, &unsaid) < 0 || takes_away(plan))
		return NULL;
	return TAKE(plan);
}

enum cli_exit planning_read(struct cli *cli, const char *text, struct plan **ret)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	if (plan_parse(text, strlen(text), ret, &report) == 0)
		return CLI_DONE;
	answer_nonsense(&cli->problems, &report);
	return CLI_FAILED;
}

enum cli_exit planning_make_host(struct cli *cli, struct client *client, struct plan **ret)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *problems = NULL;
	enum cli_exit status;

	status = client_need_daemon(client, &cli->problems);
	if (status == CLI_DONE)
		status = bus_plan(client->bus, "", &text, &problems, &cli->problems);
	if (status != CLI_DONE)
		return status;
	status = answer_scan(problems, &json, &cli->problems);
	if (status != CLI_DONE)
		return status;
	answer_problems(json.values, &cli->problems);
	return *text ? planning_read(cli, text, ret) : CLI_INVALID;
}

bool planning_is_partial(const struct cli *cli, const struct config *config)
{
	return !config && cli->problems.n;
}

enum cli_exit planning_show(struct cli *cli, const struct plan *plan, bool indent)
{
	if (cli->quiet)
		return CLI_DONE;
	if (cli->json)
		return cli_print_json(cli, plan_to_json(plan, indent));
	planning_print(cli, plan);
	return CLI_DONE;
}

enum cli_exit planning_check_losses(struct cli *cli, const struct plan *plan, bool allowed)
{
	size_t n = plan->n_destructive;

	if (!n || allowed)
		return CLI_DONE;
	problem_add(&cli->problems, ECANCELED,
			 "look at the steps that are marked; if that is what you want, give apply "
			 "the option --allow-data-loss",
			 "%zu step%s would lose data, and --allow-data-loss is not given.", n,
			 PLURAL(n));
	return CLI_REFUSED;
}

char *planning_step_text(const struct plan *plan, size_t step)
{
	_cleanup_(freep) char *what = step_describe(&plan->steps[step]);
	char *text;

	if (!what || asprintf(&text, "Step %zu, %s", step + 1, what) < 0)
		return NULL;
	return text;
}

static unsigned int count_digits(size_t n)
{
	unsigned int digits = 1;

	while (n >= 10) {
		n /= 10;
		digits++;
	}
	return digits;
}

static void print_step(const struct cli *cli, const struct plan *plan, size_t i)
{
	const struct step *step = &plan->steps[i];
	_cleanup_(freep) char *what = step_describe(step);
	_cleanup_(freep) char *line = NULL;
	unsigned int digits = count_digits(plan->n_steps);
	bool mark = step->destructive;

	if (asprintf(&line, "%s%s%s%s", what ? what : step_kind_word(step->kind),
		     step->reason ? " (" : "", step->reason ? step->reason : "",
		     step->reason ? ")" : "") < 0) {
		line = NULL;
		return;
	}
	(void)fprintf(cli->out, "%s%s%*zu%s  ", mark && cli->colour_out ? "\033[31m" : "",
		      mark ? "! " : "  ", (int)digits, i + 1,
		      mark && cli->colour_out ? "\033[0m" : "");
	text_wrap(cli->out, line, digits + 4, cli->width);
	(void)fputc('\n', cli->out);
}

static void print_drifts(const struct cli *cli, const struct plan *plan)
{
	static const struct table_column columns[] = {
		{ NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, TABLE_WRAP }
	};
	_cleanup_(table_freep) struct table *table = NULL;

	if (!plan->n_drifts)
		return;
	cli_print_heading(cli, "What differs (have -> want):");
	table = table_new(columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < plan->n_drifts; i++) {
		const struct drift *drift = &plan->drifts[i];

		table_cell(table, "  %s", drift->volume);
		table_cell(table, "%s", drift->attribute);
		table_cell(table, "%s", drift->have ? drift->have : "-");
		table_cell(table, "-> %s", drift->want ? drift->want : "-");
	}
	(void)table_print(table, cli->out, cli->width, false); /* drift repeats the steps */
	(void)fputc('\n', cli->out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_volumes(const struct plan *plan)
{
	_cleanup_(freep) const char **names = calloc(plan->n_steps + 1, sizeof(*names));
	size_t n = 0, volumes = 0;

	if (!names)
		return 0;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].volume)
			names[n++] = plan->steps[i].volume;
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++)
		volumes += i == 0 || strcmp(names[i - 1], names[i]) != 0;
	return volumes;
}

static void print_summary(const struct cli *cli, const struct plan *plan)
{
	size_t volumes = count_volumes(plan), lose = plan->n_destructive;

	(void)fprintf(cli->out, "%zu step%s for %zu volume%s, ", plan->n_steps,
		      PLURAL(plan->n_steps), volumes, PLURAL(volumes));
	if (!lose)
		(void)fputs(plan->n_steps == 1 ? "it loses no data.\n" : "none loses data.\n",
			    cli->out);
	else if (lose == plan->n_steps)
		(void)fputs(lose == 1 ? "it loses data.\n" : "all of them lose data.\n",
			    cli->out);
	else
		(void)fprintf(cli->out, "%zu of them lose%s data.\n", lose, lose == 1 ? "s" : "");
}

bool planning_has_steps(const struct plan *plan, const char *volume)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].volume && strcmp(plan->steps[i].volume, volume) == 0)
			return true;
	return false;
}

/* What no step changes is not done by running the plan; once for each volume. */
static void print_pending(const struct cli *cli, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_drifts; i++) {
		const char *volume = plan->drifts[i].volume;

		if ((i && strcmp(plan->drifts[i - 1].volume, volume) == 0) ||
		    planning_has_steps(plan, volume))
			continue;
		(void)fprintf(cli->out, "No step can change now what differs of %s; it stays as it is.\n",
			      volume);
	}
}

void planning_print(const struct cli *cli, const struct plan *plan)
{
	if (!plan->n_steps && !plan->n_drifts) {
		(void)fputs(cli->problems.n ?
				    "Nothing to do for what can be had; the rest is left out.\n" :
				    "Nothing to do: the machine is as configured.\n",
			    cli->out);
		return;
	}
	if (plan->n_destructive) {
		cli_print_heading(cli, "These steps lose data:");
		for (size_t i = 0; i < plan->n_steps; i++)
			if (plan->steps[i].destructive)
				print_step(cli, plan, i);
		(void)fputc('\n', cli->out);
	}
	print_drifts(cli, plan);
	if (plan->n_steps) {
		cli_print_heading(cli, "Steps:");
		for (size_t i = 0; i < plan->n_steps; i++)
			print_step(cli, plan, i);
		(void)fputc('\n', cli->out);
		print_summary(cli, plan);
	}
	print_pending(cli, plan);
}
