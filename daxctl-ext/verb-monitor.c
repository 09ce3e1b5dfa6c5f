/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "base/size.h"
#include "client.h"
#include "core/json-read.h"
#include "core/json-write.h"
#include "planning.h"
#include "verb.h"

/* What an object was called when it came: once it has gone nobody can be asked. */
struct name {
	char *object, *id, *name;
};

struct monitor {
	struct cli *cli;
	struct bus *bus;
	struct name *names;
	size_t n_names;
	struct plan *plan; /* of the job that runs, for the words of its steps */
	bool gone;
};

static void monitor_clear(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_names; i++) {
		free(monitor->names[i].object);
		free(monitor->names[i].id);
		free(monitor->names[i].name);
	}
	free(monitor->names);
	plan_free(monitor->plan);
}

static struct name *find_name(struct monitor *monitor, const char *object, const char *id)
{
	for (size_t i = 0; i < monitor->n_names; i++)
		if (strcmp(monitor->names[i].object, object) == 0 &&
		    strcmp(monitor->names[i].id, id) == 0)
			return &monitor->names[i];
	return NULL;
}

static const char *name_of(struct monitor *monitor, const struct change *change)
{
	const struct name *name = find_name(monitor, change->object, change->id);

	return name ? name->name : change->id;
}

static void keep_name(struct monitor *monitor, const char *object, const char *id,
		      const char *called)
{
	struct name *name = find_name(monitor, object, id);

	if (!*called)
		return;
	if (!name) {
		name = ARRAY_APPEND(monitor->names, monitor->n_names);
		if (!name)
			return; /* its id will do */
		name->object = strdup(object);
		name->id = strdup(id);
		monitor->n_names++;
	}
	free(name->name);
	name->name = strdup(called);
	if (!name->object || !name->id || !name->name)
		abort();
}

static enum cli_exit keep_names(struct monitor *monitor, const char *object)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	_cleanup_(freep) char *list = NULL;
	const struct json_value *item;
	enum cli_exit status;

	status = bus_list(monitor->bus, object, &list, &monitor->cli->problems);
	if (status == CLI_DONE)
		status = answer_scan(list, &json, &monitor->cli->problems);
	if (status != CLI_DONE)
		return status;
	item = json_first(json.values);
	for (uint32_t i = 0; i < json.values->n; i++, item = json_next(item))
		keep_name(monitor, object, answer_text(item, "id"), answer_text(item, "name"));
	return CLI_DONE;
}

static const char *change_word(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_CAME:
		return "came";
	case CHANGE_WENT:
		return "went";
	case CHANGE_CHANGED:
		return "changed";
	case CHANGE_EVENT:
		return "event";
	case CHANGE_ENDED:
		return "ended";
	}
	return NULL;
}

static void print_json(struct monitor *monitor, const struct change *change)
{
	struct json_out out = { 0 };
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	json_open(&out, NULL, '{');
	json_put_u64(&out, "time", (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	json_put_text(&out, "object", change->object);
	json_put_text(&out, "id", change->id);
	if (strcmp(name_of(monitor, change), change->id) != 0)
		json_put_text(&out, "name", name_of(monitor, change));
	json_put_text(&out, "change", change_word(change->kind));
	json_put_json(&out, "data", change->json ? change->json : "");
	json_close(&out, '}');
	(void)cli_print_json(monitor->cli, json_out_finish(&out));
}

/* "12:03:04 device dax1.0", to which the rest of the line is added. */
static void begin_line(struct monitor *monitor, const struct change *change)
{
	time_t now = time(NULL);
	struct tm local;
	char text[16];

	if (!localtime_r(&now, &local) || strftime(text, sizeof(text), "%H:%M:%S", &local) == 0)
		text[0] = 0;
	(void)fprintf(monitor->cli->out, "%s %s%s%s", text, change->object, *change->id ? " " : "",
		      name_of(monitor, change));
}

static bool is_among(const char *key, const char *const keys[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* Bytes as people write them, addresses as they write those. */
static void print_value(const struct monitor *monitor, const struct json_value *member)
{
	static const char *const sizes[] = { "size", "available", "usable", "align" };
	uint64_t n;

	if (member->type != JSON_NUMBER || json_parse_u64(member->text, &n) < 0)
		(void)fputs(member->text, monitor->cli->out);
	else if (is_among(member->key, sizes, ARRAY_SIZE(sizes)))
		(void)fputs(size_format(n).text, monitor->cli->out);
	else if (strcmp(member->key, "start") == 0)
		(void)fprintf(monitor->cli->out, "0x%" PRIx64, n);
	else
		(void)fputs(member->text, monitor->cli->out);
}

/* Of partitions, what the kernel and what daxd made of them: how many. */
static bool is_counted(const struct json_value *member, enum change_kind kind)
{
	return member->type == JSON_ARRAY && (member->n || kind == CHANGE_CHANGED) &&
	       (strcmp(member->key, "partitions") == 0 ||
		strcmp(member->key, "kernel_partitions") == 0 ||
		strcmp(member->key, "maps") == 0 ||
		strcmp(member->key, "partitions_pending") == 0);
}

/* "driver kmem", "size 256M": what is a single value; jobs count by their events. */
static void print_values(const struct monitor *monitor, enum change_kind kind,
			 const struct json_value *object, const char *separator)
{
	const struct json_value *member = json_first(object);

	for (uint32_t i = 0; i < object->n; i++, member = json_next(member)) {
		if (is_counted(member, kind)) {
			(void)fprintf(monitor->cli->out, "%s %s %" PRIu32, separator, member->key,
				      member->n);
			separator = ",";
		}
		if (member->type == JSON_TRUE || member->type == JSON_FALSE) {
			(void)fprintf(monitor->cli->out, "%s %s %s", separator, member->key,
				      member->type == JSON_TRUE ? "true" : "false");
			separator = ",";
		}
		if ((member->type != JSON_STRING && member->type != JSON_NUMBER) ||
		    strcmp(member->key, "name") == 0 || strcmp(member->key, "region") == 0)
			continue;
		(void)fprintf(monitor->cli->out, "%s %s ", separator, member->key);
		print_value(monitor, member);
		separator = ",";
	}
}

static void print_problems(const struct monitor *monitor, const struct json_value *object)
{
	_cleanup_(report_clear) struct report problems = REPORT_INIT;

	answer_problems(object, &problems);
	for (size_t i = 0; i < problems.n; i++)
		(void)fprintf(monitor->cli->out, "%s %s", i ? "" : ":",
			      error_message(&problems.errors[i]));
}

/* Volumes and jobs have a state, and what matters of the rest is why. */
static void print_state(struct monitor *monitor, const struct change *change,
			const struct json_value *object)
{
	const char *state = answer_text(object, "state");

	if (!*state || strcmp(state, "ended") == 0)
		return; /* "ended" has a signal of its own */
	begin_line(monitor, change);
	if (change->kind == CHANGE_CAME && strcmp(change->object, "job") == 0)
		(void)fprintf(monitor->cli->out, " (%s)", answer_text(object, "operation"));
	(void)fprintf(monitor->cli->out, " %s", state);
	print_problems(monitor, object);
	(void)fputc('\n', monitor->cli->out);
}

static void print_object(struct monitor *monitor, const struct change *change,
			 const struct json_value *object)
{
	if (strcmp(change->object, "job") == 0 || strcmp(change->object, "volume") == 0) {
		print_state(monitor, change, object);
		return;
	}
	begin_line(monitor, change);
	(void)fprintf(monitor->cli->out, " %s", change_word(change->kind));
	print_values(monitor, change->kind, object, ":");
	(void)fputc('\n', monitor->cli->out);
}

static void fetch_plan(struct monitor *monitor, const char *id)
{
	_cleanup_(report_clear) struct report late = REPORT_INIT;
	_cleanup_(freep) char *text = NULL;

	plan_free(TAKE(monitor->plan));
	if (bus_get_job_plan(monitor->bus, id, &text, &late) == CLI_DONE && *text)
		(void)plan_parse(text, strlen(text), &monitor->plan, &late); /* or no words */
}

static void print_event(struct monitor *monitor, const struct change *change,
			const struct json_value *event)
{
	const char *state = answer_text(event, "state");
	uint64_t step = answer_number(event, "step");
	_cleanup_(freep) char *words = NULL;

	if (strcmp(answer_text(event, "event"), "step") != 0) {
		fetch_plan(monitor, change->id);
		return;
	}
	if (strcmp(state, "started") == 0 || strcmp(state, "progress") == 0)
		return;
	if (!monitor->plan)
		fetch_plan(monitor, change->id);
	if (monitor->plan && step < monitor->plan->n_steps)
		words = planning_step_text(monitor->plan, step);
	begin_line(monitor, change);
	(void)fprintf(monitor->cli->out, " step %s: %s\n", state, words ? words : "");
}

static void print_text(struct monitor *monitor, const struct change *change)
{
	_cleanup_(report_clear) struct report late = REPORT_INIT;
	_cleanup_(json_clear) struct json json = JSON_INIT;

	if (!change->json) {
		begin_line(monitor, change);
		(void)fprintf(monitor->cli->out, " %s\n", change_word(change->kind));
		return;
	}
	if (answer_scan(change->json, &json, &late) != CLI_DONE)
		return;
	switch (change->kind) {
	case CHANGE_CAME:
	case CHANGE_CHANGED:
		print_object(monitor, change, json.values);
		break;
	case CHANGE_EVENT:
		print_event(monitor, change, json.values);
		break;
	case CHANGE_ENDED:
		begin_line(monitor, change);
		(void)fprintf(monitor->cli->out, " ended: %s", answer_text(json.values, "outcome"));
		print_problems(monitor, json.values);
		(void)fputc('\n', monitor->cli->out);
		break;
	case CHANGE_WENT:
		break;
	}
}

static void learn_name(struct monitor *monitor, const struct change *change)
{
	_cleanup_(report_clear) struct report late = REPORT_INIT;
	_cleanup_(json_clear) struct json json = JSON_INIT;

	if (change->kind == CHANGE_CAME && change->json &&
	    answer_scan(change->json, &json, &late) == CLI_DONE)
		keep_name(monitor, change->object, change->id, answer_text(json.values, "name"));
}

static void take_change(void *userdata, const struct change *change)
{
	struct monitor *monitor = userdata;

	learn_name(monitor, change);
	if (monitor->cli->json)
		print_json(monitor, change);
	else
		print_text(monitor, change);
	if (fflush(monitor->cli->out) != 0)
		monitor->gone = true; /* nobody reads it */
}

static enum cli_exit run(struct cli *cli, const void *options, char *args[])
{
	static const char *const objects[] = { "region", "namespace", "device", "volume" };
	_cleanup_(monitor_clear) struct monitor monitor = { .cli = cli };
	_cleanup_(client_clear) struct client client;
	enum interrupt_answer answer;
	enum cli_exit status;
	int r = 0;

	(void)options; /* it has none of its own */
	(void)args;
	cli->json_lines = true;
	client_init(&client, NULL);
	status = client_need_daemon(&client, &cli->problems);
	monitor.bus = client.bus;
	if (status == CLI_DONE)
		status = bus_watch(client.bus, take_change, &monitor, &cli->problems);
	for (size_t i = 0; status == CLI_DONE && i < ARRAY_SIZE(objects); i++)
		status = keep_names(&monitor, objects[i]);
	if (status != CLI_DONE)
		return status;
	while (r == 0 && !monitor.gone)
		r = bus_next(client.bus, BUS_FOREVER, NULL, &answer);
	if (r == 0)
		return CLI_DONE;
	problem_add(&cli->problems, -r, NULL, "The connection to daxd is gone: %s.", strerror(-r));
	return CLI_FAILED;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.help = "Show what daxd sees and does, as it happens",
	.about = "One line for each change: jobs and their steps, volumes of the host's "
		 "configuration, regions, namespaces and devices that come, change and go. "
		 "Ctrl-C ends it.",
	.json = "Print one JSON object a line: time (microseconds since 1970), object (job, "
		"volume, region, namespace, device, manager, daxd), id, name, change (came, changed, went, "
		"event, ended) and data, what the object has or what changed.",
	.run = run,
};
