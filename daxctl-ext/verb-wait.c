/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "client.h"
#include "core/error-json.h"
#include "core/json-read.h"
#include "suggest.h"
#include "verb.h"

#define HOW_READ                                                                            \
	"Files in " SYSCONFDIR "/daxd are read by \"daxctl-ext apply\" or \"systemctl reload daxd\"."
#define TIMEOUT_MAX UINT64_C(1000000000)

struct wait_options {
	const char *timeout;
};

struct wait {
	struct cli *cli;
	struct bus *bus;
	char *const *names; /* none: all */
	struct json volumes, manager;
	bool changed;
};

static void wait_clear(struct wait *wait)
{
	json_clear(&wait->volumes);
	json_clear(&wait->manager);
}

static void take_change(void *userdata, const struct change *change)
{
	struct wait *wait = userdata;

	/* When daxd goes systemd starts it again, and then there is news. */
	if (strcmp(change->object, "volume") == 0 || strcmp(change->object, "manager") == 0 ||
	    (strcmp(change->object, "daxd") == 0 && change->kind == CHANGE_CAME))
		wait->changed = true;
}

static enum cli_exit load(struct wait *wait)
{
	struct report *problems = &wait->cli->problems;
	_cleanup_(freep) char *manager = NULL;
	_cleanup_(freep) char *list = NULL;
	enum cli_exit status;

	status = bus_list(wait->bus, "volume", &list, problems);
	if (status == CLI_DONE)
		status = bus_get_manager(wait->bus, &manager, problems);
	if (status != CLI_DONE)
		return status;
	wait_clear(wait);
	wait->changed = false;
	wait->volumes = wait->manager = (struct json)JSON_INIT;
	status = answer_scan(list, &wait->volumes, problems);
	return status == CLI_DONE ? answer_scan(manager, &wait->manager, problems) : status;
}

static bool is_configured(const struct wait *wait)
{
	const struct json_value *value = answer_member(wait->manager.values, "configured");

	return value && value->type == JSON_TRUE;
}

static const struct json_value *find(const struct wait *wait, const char *name)
{
	const struct json_value *list = wait->volumes.values, *volume = json_first(list);

	for (uint32_t i = 0; i < list->n; i++, volume = json_next(volume))
		if (strcmp(answer_text(volume, "name"), name) == 0)
			return volume;
	return NULL;
}

static bool is_wanted(const struct wait *wait, const struct json_value *volume)
{
	const char *name = answer_text(volume, "name");

	for (size_t i = 0; wait->names[i]; i++)
		if (strcmp(wait->names[i], name) == 0)
			return true;
	return !wait->names[0];
}

static void add_unknown(struct wait *wait, const char *name)
{
	const struct json_value *list = wait->volumes.values, *volume = json_first(list);
	_cleanup_(freep) const char **names = calloc(list->n + 1, sizeof(*names));
	struct error error = ERROR_INIT;
	const char *near = NULL;

	for (uint32_t i = 0; names && i < list->n; i++, volume = json_next(volume))
		names[i] = answer_text(volume, "name");
	if (names)
		near = suggest(name, names, list->n);
	(void)error_set(&error, ENOENT, "The host's configuration has no volume \"%s\".", name);
	if (near)
		(void)error_hint(&error, "did you mean \"%s\"? " HOW_READ, near);
	else
		(void)error_hint(&error, "%s", HOW_READ);
	(void)report_take(&wait->cli->problems, &error);
}

static enum cli_exit check_names(struct wait *wait)
{
	enum cli_exit status = CLI_DONE;

	/* A daxd that has just begun knows of none. */
	if (wait->volumes.values->n == 0 && !is_configured(wait))
		return CLI_DONE;
	for (size_t i = 0; wait->names[i]; i++) {
		if (find(wait, wait->names[i]))
			continue;
		add_unknown(wait, wait->names[i]);
		status = CLI_INVALID;
	}
	if (status != CLI_DONE) /* it may be in a file that is left out */
		answer_problems(wait->manager.values, &wait->cli->problems);
	return status;
}

/* What is wrong with more than single volumes: files that cannot be read, or no machine. */
static bool has_problems(const struct wait *wait)
{
	const struct json_value *problems = answer_member(wait->manager.values, "problems");

	return problems && problems->n > 0;
}

/* How many are missing, and whether waiting for them is of no use. */
static size_t count_missing(const struct wait *wait, bool *refused)
{
	const struct json_value *list = wait->volumes.values, *volume = json_first(list);
	size_t n = 0;

	*refused = true;
	for (uint32_t i = 0; i < list->n; i++, volume = json_next(volume)) {
		const char *state = answer_text(volume, "state");

		if (!is_wanted(wait, volume) || strcmp(state, "present") == 0)
			continue;
		n++;
		*refused = *refused && strcmp(state, "refused") == 0;
	}
	if (n)
		return n;
	if (wait->names[0]) {
		*refused = false;
		for (size_t i = 0; wait->names[i]; i++)
			n += !find(wait, wait->names[i]);
		return n;
	}
	*refused = has_problems(wait);
	return !is_configured(wait);
}

static void add_missing(struct wait *wait)
{
	const struct json_value *list = wait->volumes.values, *volume = json_first(list);
	size_t before = wait->cli->problems.n;

	for (uint32_t i = 0; i < list->n; i++, volume = json_next(volume)) {
		_cleanup_(report_clear) struct report why = REPORT_INIT;
		const char *state = answer_text(volume, "state");

		if (!is_wanted(wait, volume) || strcmp(state, "present") == 0)
			continue;
		answer_problems(volume, &why);
		problem_add(&wait->cli->problems, why.n ? why.errors[0].code : ETIMEDOUT,
			    why.n ? why.errors[0].hint : NULL,
			    "Volume \"%s\" is not present (%s)%s%s", answer_text(volume, "name"),
			    state, why.n ? ": " : ".",
			    why.n ? error_message(&why.errors[0]) : "");
	}
	if (!wait->names[0] || wait->cli->problems.n == before)
		answer_problems(wait->manager.values, &wait->cli->problems);
	if (wait->cli->problems.n == before)
		problem_add(&wait->cli->problems, ETIMEDOUT, "systemctl status daxd",
			    "daxd has not looked at the machine yet.");
}

static enum cli_exit lose(struct wait *wait, int r)
{
	add_missing(wait);
	problem_add(&wait->cli->problems, -r, "systemctl status daxd",
		    "daxd went away.");
	return CLI_FAILED;
}

static enum cli_exit wait_for(struct wait *wait, uint64_t deadline)
{
	enum interrupt_answer answer;
	enum cli_exit status;
	bool refused;
	int r;

	status = load(wait);
	if (status == CLI_DONE)
		status = check_names(wait);
	while (status == CLI_DONE && count_missing(wait, &refused) > 0) {
		r = refused ? -ETIMEDOUT : bus_next(wait->bus, deadline, NULL, &answer);
		if (r == -ETIMEDOUT) {
			add_missing(wait);
			return CLI_FAILED;
		}
		if (r < 0)
			return lose(wait, r);
		if (wait->changed)
			status = load(wait);
	}
	return status;
}

static enum cli_exit read_deadline(struct cli *cli, const char *text, uint64_t *ret)
{
	uint64_t seconds;

	*ret = BUS_FOREVER;
	if (!text)
		return CLI_DONE;
	if (json_parse_u64(text, &seconds) < 0 || seconds > TIMEOUT_MAX) {
		problem_add(&cli->problems, EINVAL, "write whole seconds, as in --timeout 30",
			    "\"%s\" is not a number of seconds.", text);
		return CLI_INVALID;
	}
	*ret = bus_now() + seconds * 1000000000;
	return CLI_DONE;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct wait_options *options = userdata;
	_cleanup_(wait_clear) struct wait wait = { .cli = cli, .names = args };
	_cleanup_(client_clear) struct client client;
	enum cli_exit status;
	uint64_t deadline;

	client_init(&client, NULL);
	status = read_deadline(cli, options->timeout, &deadline);
	if (status == CLI_DONE)
		status = client_need_daemon(&client, &cli->problems);
	wait.bus = client.bus;
	if (status == CLI_DONE)
		status = bus_watch(client.bus, take_change, &wait, &cli->problems);
	if (status == CLI_DONE)
		status = wait_for(&wait, deadline);
	if (status == CLI_DONE && cli->json)
		return cli_print_json(cli, report_to_json(&cli->problems));
	return status;
}

static const struct verb_option options[] = {
	{
		.name = "timeout", .letter = 't', .value = "SECONDS",
		.offset = offsetof(struct wait_options, timeout),
		.help = "Give up after so many seconds; 0 only looks. Without it there is no end.",
	},
};

const struct verb verb_wait = {
	.name = "wait",
	.args = "[VOLUME...]",
	.max_args = ANY_NUMBER,
	.help = "Wait until volumes of the host's configuration are present",
	.about = "Without VOLUME it waits for all of them. "
		 "The exit status is 1 when the time is over, or when each that is missing was "
		 "refused, so that waiting is of no use; who is missing is said, and why.",
	.json = "Print {\"errors\":[...]}, which is empty when all are present.",
	VERB_OPTIONS(struct wait_options, options),
	.run = run,
};
