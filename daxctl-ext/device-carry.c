/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second half of a device verb: its configuration is carried out, and what it did is told. */
#include "device-verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applying.h"
#include "base/size.h"
#include "device-hint.h"
#include "device-volume.h"
#include "follow.h"
#include "list-json.h"
#include "planning.h"

/* Of what daxd refuses: nobody but us wrote the document. */
static void name_problems(struct device_run *run)
{
	struct report *problems = &run->cli->problems;

	device_hint_busy(run, problems);
	for (size_t i = 0; i < problems->n; i++) {
		struct error *error = &problems->errors[i];
		size_t at = device_volume_at(run->config, error->pointer);

		if (at == run->config->n_volumes)
			continue;
		free(TAKE(error->pointer));
		free(error->file);
		error->file = device_text(run->config->volumes[at].name);
	}
}

/* Only JSON goes to stdout; what apply would say there goes to stderr. */
enum cli_exit device_carry_out(struct device_run *run, struct plan *plan)
{
	struct cli *cli = run->cli;
	const bool destructive = plan->n_destructive > 0;
	/* Judged is this plan: one that is made since it was stale may lose what nobody gave up. */
	struct applying applying = { .allow_data_loss = destructive, .plan = plan };
	FILE *out = cli->out;
	bool terminal = cli->out_terminal, colour = cli->colour_out, json = cli->json;
	enum cli_exit status;

	cli->quiet = !run->options->verbose;
	cli->json = false;
	cli->out = cli->err;
	cli->out_terminal = isatty(fileno(cli->err));
	cli->colour_out = cli->colour_err;
	if (run->client.bus) {
		plan_free(plan); /* daxd makes its own */
		status = follow_apply(cli, run->client.bus, run->config, destructive,
				      &run->n_steps);
		name_problems(run);
	} else {
		status = applying_run(cli, &run->client, run->config, &applying);
		run->n_steps = applying.n_steps;
	}
	cli->quiet = false;
	cli->json = json;
	cli->out = out;
	cli->out_terminal = terminal;
	cli->colour_out = colour;
	return status;
}

/* After a failure: which volumes are as they were to be?  The others leave the config. */
static enum cli_exit find_done(struct device_run *run)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct config *config = run->config;
	size_t kept = 0;

	for (size_t i = 0; i < config->n_volumes; i++)
		config->volumes[i].fresh = false; /* it may well be there now */
	if (plan_build_possible(config, run->topology, false, &plan, &report) < 0)
		return device_no_memory(run->cli);
	for (size_t i = 0; i < report.n; i++) {
		size_t at = device_volume_at(config, report.errors[i].pointer);

		if (at < config->n_volumes)
			config->volumes[at].index = SIZE_MAX;
	}
	for (size_t i = 0; i < config->n_volumes; i++) {
		struct volume *volume = &config->volumes[i];

		if (volume->index == SIZE_MAX || planning_has_steps(plan, volume->name))
			volume_clear(volume);
		else
			config->volumes[kept++] = *volume;
	}
	config->n_volumes = kept;
	return CLI_DONE;
}

/* Who asked for memory by a size hears how much of it there is. */
static void note_memory(struct device_run *run, const struct dax_device *device)
{
	uint64_t block = run->topology->memory_block_size;
	uint64_t memory = device->n_blocks * block;

	if (device->driver != DRIVER_KMEM || memory >= device->size)
		return;
	problem_add(&run->notes, EDOM, NULL, "%s has %s, and %s of it are memory: the "
		    "rest is in no whole memory block of %s.",
		    device->name, SIZE_STR(device->size), SIZE_STR(memory), SIZE_STR(block));
}

static void add_names(struct device_run *run, const struct config *config,
		      const char **names, size_t *n)
{
	for (size_t i = 0; i < run->volumes.n; i++)
		for (size_t j = 0; j < config->n_volumes; j++)
			if (run->volumes.views[i].device &&
			    device_volume_is(&config->volumes[j], &run->volumes.views[i])) {
				names[(*n)++] = run->volumes.views[i].device->name;
				note_memory(run, run->volumes.views[i].device);
				break;
			}
}

static enum cli_exit print_devices(struct device_run *run)
{
	_cleanup_(freep) const char **names = calloc(2 * run->volumes.n + 1, sizeof(*names));
	_cleanup_(list_answer_clear) struct list_answer answer = { 0 };
	struct list_request request = {
		.only = names,
		.devices = true,
		.human = run->options->human,
	};

	if (!names)
		return device_no_memory(run->cli);
	add_names(run, run->config, names, &request.n_only);
	add_names(run, run->kept, names, &request.n_only);
	if (list_json(run->topology, &request, &answer) < 0)
		return device_no_memory(run->cli);
	if (answer.text)
		(void)fprintf(run->cli->out, "%s\n", answer.text);
	return CLI_DONE;
}

/* daxctl counts what it did, and what was so already. */
static void tell_count(struct device_run *run)
{
	size_t n = run->kept->n_volumes;

	if (!run->verb->past)
		return;
	for (size_t i = 0; i < run->config->n_volumes; i++)
		n += !run->verb->creates || !run->config->volumes[i].absent;
	(void)fflush(run->cli->out); /* it comes after the JSON where both are one file */
	(void)fprintf(run->cli->err, "%s %zu device%s\n", run->verb->past, n, PLURAL(n));
}

enum cli_exit device_conclude(struct device_run *run, enum cli_exit status)
{
	enum cli_exit then = CLI_DONE;

	if (status == CLI_INVALID)
		device_drop_all(run->config); /* refused as a whole */
	if (status != CLI_DONE || ((run->verb->json || run->verb->looks) && run->config->n_volumes))
		then = device_look(run, run->verb->looks ? LOOK_ALL : LOOK_QUICK);
	if (then == CLI_DONE && status != CLI_DONE)
		then = find_done(run);
	if (then == CLI_DONE && run->verb->json)
		then = print_devices(run);
	tell_count(run);
	if (then == CLI_DONE && run->verb->finish && run->config->n_volumes)
		then = run->verb->finish(run);
	return status != CLI_DONE ? status : then;
}
