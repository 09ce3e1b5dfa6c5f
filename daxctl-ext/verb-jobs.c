/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "base/text.h"
#include "client.h"
#include "table.h"
#include "verb.h"

#define VOLUMES_SHOWN 4

static void print_user(struct table *table, uint64_t uid)
{
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user)
		table_cell(table, "%s", user->pw_name);
	else
		table_cell(table, "%u", (uid_t)uid);
}

static void print_time(struct table *table, uint64_t usec)
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm local;
	char text[32];

	if (!localtime_r(&seconds, &local) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0)
		text[0] = 0;
	table_cell(table, "%s", text);
}

/* Of a job that has none of the following to say: which volumes it was about, the first few. */
static void print_volumes(struct table *table, const struct json_value *job)
{
	const struct json_value *plan = answer_member(job, "plan");
	const struct json_value *steps = plan && plan->type == JSON_OBJECT ?
						 answer_member(plan, "steps") : NULL;
	const struct json_value *step = steps ? json_first(steps) : NULL;
	_cleanup_(freep) char *names = NULL;
	struct text text = { 0 };
	const char *last = "";
	size_t n = 0;

	for (uint32_t i = 0; steps && i < steps->n; i++, step = json_next(step)) {
		const char *volume = answer_text(step, "volume");

		if (!*volume || strcmp(volume, last) == 0)
			continue;
		if (n++ < VOLUMES_SHOWN)
			text_add(&text, "%s%s", n > 1 ? ", " : "", volume);
		last = volume;
	}
	if (n > VOLUMES_SHOWN)
		text_add(&text, ", ...");
	names = text_finish(&text);
	table_cell(table, "%s", names ? names : "");
}

/* What it does, or why it did not. */
static void print_remark(struct table *table, const struct json_value *job)
{
	_cleanup_(report_clear) struct report problems = REPORT_INIT;
	const struct error *first = NULL;

	answer_problems(job, &problems);
	if (problems.n)
		first = &problems.errors[0];
	if (*answer_text(job, "current_step"))
		table_cell(table, "%s", answer_text(job, "current_step"));
	else if (first)
		table_cell(table, "%s%s%s%s%s", first->file ? first->file : "",
			   first->file ? ": " : "",
			   first->pointer && *first->pointer ? first->pointer : "",
			   first->pointer && *first->pointer ? ": " : "", error_message(first));
	else
		print_volumes(table, job);
}

static void print_job(struct table *table, const struct json_value *job)
{
	const char *outcome = answer_text(job, "outcome");

	table_cell(table, "%s", answer_text(job, "id"));
	table_cell(table, "%s", answer_text(job, "operation"));
	table_cell(table, "%s", *outcome ? outcome : answer_text(job, "state"));
	table_cell(table, "%s/%s", answer_text(job, "steps_done"), answer_text(job, "steps"));
	print_user(table, answer_number(job, "started_by_uid"));
	print_time(table, answer_number(job, "created"));
	print_remark(table, job);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = answer_number(*(const struct json_value *const *)a, "id");
	uint64_t y = answer_number(*(const struct json_value *const *)b, "id");

	return (x > y) - (x < y);
}

static enum cli_exit print_jobs(struct cli *cli, const struct json_value *list)
{
	static const struct table_column columns[] = {
		{ "JOB", TABLE_RIGHT }, { "OPERATION", 0 }, { "STATE", 0 }, { "STEPS", TABLE_RIGHT },
		{ "BY", 0 },		{ "SINCE", 0 },	    { "", TABLE_WRAP },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_(freep) const struct json_value **jobs = calloc(list->n + 1, sizeof(*jobs));
	const struct json_value *job = json_first(list);

	if (list->n == 0) {
		(void)fputs("There are no jobs.\n", cli->out);
		return CLI_DONE;
	}
	for (uint32_t i = 0; jobs && i < list->n; i++, job = json_next(job))
		jobs[i] = job;
	if (jobs)
		qsort(jobs, list->n, sizeof(*jobs), by_id);
	for (uint32_t i = 0; jobs && i < list->n; i++)
		print_job(table, jobs[i]);
	if (jobs && table_print(table, cli->out, cli->width, cli->colour_out) == 0)
		return CLI_DONE;
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

static enum cli_exit run(struct cli *cli, const void *options, char *args[])
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	_cleanup_(client_clear) struct client client;
	_cleanup_(freep) char *list = NULL;
	enum cli_exit status;

	(void)options; /* it has none of its own */
	(void)args;
	client_init(&client, NULL);
	status = client_need_daemon(&client, &cli->problems);
	if (status == CLI_DONE)
		status = bus_list(client.bus, "job", &list, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(cli, TAKE(list));
	status = answer_scan(list, &json, &cli->problems);
	return status == CLI_DONE ? print_jobs(cli, json.values) : status;
}

const struct verb verb_jobs = {
	.name = "jobs",
	.help = "Show what daxd does, waits to do, and did last",
	.about = "Of the jobs that have ended, the last 32 are known.",
	.json = "Print an array of jobs, with their plans.",
	.run = run,
};
