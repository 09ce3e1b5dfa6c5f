/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "applying.h"
#include "configured.h"
#include "core/config-size.h"
#include "core/json-read.h"
#include "device-hint.h"
#include "device-volume.h"
#include "device-wait.h"
#include "meaning.h"
#include "simulation.h"

#define SECOND_NS UINT64_C(1000000000)
#define ATTEMPTS 4 /* after the first the names are no longer guessed by others */

enum cli_exit device_no_memory(struct cli *cli)
{
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

static void run_clear(struct device_run *run)
{
	volumes_clear(&run->volumes);
	topology_free(run->topology);
	config_free(run->config);
	config_free(run->kept);
	report_clear(&run->notes);
	device_forget_missing(run);
	client_clear(&run->client);
}

enum cli_exit device_look(struct device_run *run, enum client_look look)
{
	struct topology *before = TAKE(run->topology);
	enum cli_exit status = CLI_DONE;

	volumes_clear(&run->volumes);
	if (look != LOOK_QUICK || !client_recall(&run->client, before, &run->topology)) {
		topology_free(before);
		status = client_scan(&run->client, look, &run->topology, &run->cli->problems);
	}
	if (status != CLI_DONE)
		return status;
	return volumes_fill(&run->volumes, run->topology) < 0 ? device_no_memory(run->cli) : CLI_DONE;
}

static struct config *new_config(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		abort(); /* nothing has begun */
	return config;
}

struct volume *device_add_volume(struct config *config)
{
	struct volume *volume = ARRAY_APPEND(config->volumes, config->n_volumes);

	if (!volume)
		abort(); /* as above */
	device_volume_init(volume);
	volume->index = config->n_volumes++;
	return volume;
}

void device_keep(struct device_run *run, struct volume *volume)
{
	*device_add_volume(run->kept) = *volume;
	*volume = (struct volume){ 0 };
}

void device_refuse(struct device_run *run, const char *name, int code, const char *hint,
		   const char *format, ...)
{
	struct error error = ERROR_INIT;
	va_list args;

	error.code = code;
	va_start(args, format);
	if (vasprintf(&error.message, format, args) < 0)
		error.message = NULL;
	va_end(args);
	error.file = device_text(name);
	error.hint = hint ? device_text(hint) : NULL;
	(void)report_take(&run->cli->problems, &error);
}

bool device_read_size(struct device_run *run, const char *text, struct size_spec *ret)
{
	int r = device_size_parse(text, ret);

	if (r == 0)
		return true;
	problem_add(&run->cli->problems, -r,
		    r == -ERANGE ? NULL : size_hint(text, false).text,
		    r == -ERANGE ? "--size %s is out of range." : "--size %s is not a size.",
		    json_show(text).text);
	return false;
}

bool device_read_align(struct device_run *run, const char *text, uint64_t *ret)
{
	struct size_spec size;

	if (device_size_parse(text, &size) == 0 && size.kind == SIZE_BYTES &&
	    (size.bytes == ALIGN_4K || size.bytes == ALIGN_2M || size.bytes == ALIGN_1G)) {
		*ret = size.bytes;
		return true;
	}
	problem_add(&run->cli->problems, EINVAL, "it is 4K, 2M or 1G",
		    "--align %s is not an alignment.", json_show(text).text);
	return false;
}

static bool is_every_region(const struct device_run *run)
{
	return !run->options->region || strcmp(run->options->region, "all") == 0;
}

static bool is_wanted(const struct device_run *run, const struct volume_view *view,
		      const char *name)
{
	const struct device_options *options = run->options;
	bool all = strcmp(name, "all") == 0;

	if (!meaning_region_is(view->region, options->region))
		return false;
	if (!view->device && (all || !run->verb->namespaces))
		return false;
	if (all && view->ns && run->verb->spare_pmem && is_every_region(run))
		return false;
	return all || volume_is_called(view, name);
}

static void want(struct device_run *run, const struct volume_view *view)
{
	struct volume *volume = device_add_volume(run->config);
	size_t before = run->cli->problems.n;

	if (device_volume_fill(run->topology, view, volume, &run->cli->problems) == 0)
		run->verb->want(run, view, volume);
	if (volume->name && run->cli->problems.n == before)
		return;
	volume_clear(volume); /* refused, or moved to what is kept */
	run->config->n_volumes--;
}

/* A volume of which only the record is left. */
static bool want_record(struct device_run *run, const char *name)
{
	struct volume *volume;

	if (!run->verb->namespaces || !topology_find_record(run->topology, name))
		return false;
	volume = device_add_volume(run->config);
	volume->name = device_text(name);
	volume->absent = true;
	return true;
}

/* "--wait 2" is one word too many. */
static char *hint_unknown(const struct device_run *run, const char *name)
{
	const char *wait = run->options->wait;
	char *hint;

	if (!wait || *wait || !*name || name[strspn(name, "0123456789")])
		return device_text("daxctl-ext list shows those there are.");
	return asprintf(&hint, "--wait=%s waits that long; what stands apart is a device.", name) < 0 ?
		       NULL :
		       hint;
}

static void refuse_unknown(struct device_run *run, const char *name)
{
	_cleanup_(freep) char *hint_none = hint_unknown(run, name);

	for (size_t i = 0; i < run->volumes.n; i++)
		if (!run->volumes.views[i].device && volume_is_called(&run->volumes.views[i], name)) {
			_cleanup_(freep) char *hint =
				device_hint_other(run, &run->volumes.views[i]);

			device_refuse(run, name, ENODEV, hint, "It is no dax device, but %s.",
				      run->volumes.views[i].mode);
			return;
		}
	run->misnamed = true;
	problem_add(&run->cli->problems, ENOENT, hint_none,
		    "There is no dax device or volume \"%s\"%s.", name,
		    run->options->region ? " in that region" : "");
	device_missing(run);
}

static void refuse_all(struct device_run *run)
{
	problem_add(&run->cli->problems, ENOENT, "daxctl-ext list shows those there are.",
		    "There is no dax device%s.", run->options->region ? " in that region" : "");
	device_missing(run);
}

/* A namespace without a dax device, in the region whose devices are all to go. */
static void note_other(struct device_run *run, const struct volume_view *view)
{
	const struct holder *holder = volume_holder(view, 0);
	struct holder_text how = holder ? holder_describe(holder) : (struct holder_text){ "" };
	const char *name = view->ns->blockdev ? view->ns->blockdev : view->ns->name;
	_cleanup_(freep) char *hint = NULL;

	if (asprintf(&hint, "\"daxctl-ext %s -f %s\" is for it alone%s.", run->verb->name, name,
		     holder ? ", once nobody uses it" : "") < 0)
		hint = NULL;
	problem_add(&run->notes, EBUSY, hint, "%s (%s%s%s%s%s) is left alone: it is no dax device.",
		    name, view->mode, holder ? ", " : "", holder ? how.text : "",
		    holder ? " " : "", holder ? holder->name : "");
}

/* What "all" does not mean, of a verb that otherwise takes namespaces. */
static void note_spared(struct device_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->volumes.n; i++) {
		const struct volume_view *view = &run->volumes.views[i];

		if (!view->ns || !meaning_region_is(view->region, run->options->region))
			continue;
		if (!is_every_region(run) && !view->device)
			note_other(run, view);
		n++;
	}
	if (n && is_every_region(run) && run->verb->spare_pmem)
		problem_add(&run->notes, EBUSY, "with --region, \"all\" is all of that region",
			    "%zu namespace%s of persistent memory %s left alone.", n, PLURAL(n),
			    n == 1 ? "is" : "are");
}

void device_fill(struct device_run *run)
{
	_cleanup_(freep) bool *taken = calloc(run->volumes.n + 1, sizeof(*taken));

	if (!taken)
		abort(); /* as above */
	for (size_t a = 0; run->args[a]; a++) {
		bool any = false;

		if (meaning_refuse_several(&run->cli->problems, run->topology, &run->volumes,
					   run->args[a], run->options->region)) {
			run->misnamed = true;
			continue;
		}
		if (run->verb->namespaces && strcmp(run->args[a], "all") == 0)
			note_spared(run);
		for (size_t i = 0; i < run->volumes.n; i++) {
			const struct volume_view *view = &run->volumes.views[i];

			if (!is_wanted(run, view, run->args[a]))
				continue;
			any = true;
			if (!taken[i])
				want(run, view);
			taken[i] = true;
		}
		if (!any && strcmp(run->args[a], "all") == 0)
			refuse_all(run);
		else if (!any && !want_record(run, run->args[a]))
			refuse_unknown(run, run->args[a]);
	}
}

size_t device_volume_at(const struct config *config, const char *pointer)
{
	_cleanup_(freep) char *digits = NULL;
	uint64_t n;

	if (!pointer || strncmp(pointer, "/volumes/", 9) != 0)
		return config->n_volumes;
	digits = strndup(pointer + 9, strspn(pointer + 9, "0123456789"));
	return digits && json_parse_u64(digits, &n) == 0 && n < config->n_volumes ?
		       (size_t)n :
		       config->n_volumes;
}

/* Problems of volumes are told by their names, since nobody wrote the document. */
static void take_refusals(struct device_run *run, struct report *report)
{
	struct config *config = run->config;
	size_t kept = 0, n = config->n_volumes;

	for (size_t i = 0; i < report->n; i++) {
		struct error *error = &report->errors[i];
		size_t at = device_volume_at(config, error->pointer);

		run->in_use |= error->code == EBUSY;
		free(TAKE(error->pointer));
		if (at == n)
			continue;
		free(error->file);
		error->file = device_text(config->volumes[at].name);
		config->volumes[at].index = SIZE_MAX; /* refused */
	}
	for (size_t i = 0; i < n; i++) {
		if (config->volumes[i].index == SIZE_MAX) {
			volume_clear(&config->volumes[i]);
			continue;
		}
		config->volumes[kept] = config->volumes[i];
		config->volumes[kept].index = kept;
		kept++;
	}
	config->n_volumes = kept;
	problems_take(&run->cli->problems, report);
}

void device_drop_all(struct config *config)
{
	while (config->n_volumes)
		volume_clear(&config->volumes[--config->n_volumes]);
}

static bool is_named_loss(const struct device_verb *verb, const struct step *step)
{
	return step->volume && !verb->creates &&
	       (!verb->resizes || step->kind == STEP_RESIZE_DEVICE);
}

static void refuse_loss(struct device_run *run, const struct step *step)
{
	static const char hint[] = "if that is what you want, give --allow-data-loss";

	const enum table_kind table = step->kind == STEP_WRITE_TABLE ? step->before_table.kind :
								       TABLE_GPT;

	if (table == TABLE_NONE)
		problem_add(&run->cli->problems, ECANCELED, hint,
			    "%s has no partition table: one would be written over what it holds "
			    "now, and nobody can tell whether that is data.", step->object);
	else if (table == TABLE_DAMAGED)
		problem_add(&run->cli->problems, ECANCELED, hint,
			    "The new partition table of %s would be empty, and where its partitions "
			    "were would be lost.", step->object);
	else
		problem_add(&run->cli->problems, ECANCELED, hint, "%s: %s.", step->object,
			    step->reason);
}

/* Nothing is lost but what the verb names. */
static void check_losses(struct device_run *run, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].destructive && !is_named_loss(run->verb, &plan->steps[i]) &&
		    !run->options->allow_data_loss) {
			refuse_loss(run, &plan->steps[i]);
			device_drop_all(run->config);
			run->loses = true;
			return;
		}
}

static void drop_plan(struct plan **plan)
{
	plan_free(TAKE(*plan));
}

/* --limit-time, into each volume. */
static bool set_limits(struct device_run *run)
{
	const char *text = run->options->limit_time;
	uint64_t seconds = 0;

	if (text && (json_parse_u64(text, &seconds) < 0 || !seconds || seconds > INT32_MAX)) {
		problem_add(&run->cli->problems, EINVAL, "such as --limit-time 30",
			    "--limit-time %s is no number of seconds.", json_show(text).text);
		return false;
	}
	for (size_t i = 0; i < run->config->n_volumes; i++)
		run->config->volumes[i].offline_within = (int)seconds;
	return true;
}

/* A configuration of all that can be had, and its plan. */
static enum cli_exit prepare(struct device_run *run, struct plan **ret)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	config_free(run->config);
	config_free(run->kept);
	run->config = new_config();
	run->kept = new_config();
	run->in_use = run->loses = run->misnamed = run->unreadable = false;
	report_clear(&run->notes);
	run->verb->fill(run);
	configured_refuse(run);
	for (size_t i = 0; i < run->config->n_volumes; i++)
		run->config->volumes[i].index = i;
	for (size_t i = 0; i < run->config->n_volumes; i++)
		run->config->volumes[i].ignore_open =
			run->options->force && (!run->options->wait || run->waited);
	if (!set_limits(run))
		return CLI_INVALID;
	if (config_check(run->config, &report) < 0)
		take_refusals(run, &report);
	if (config_supported(run->config, &report) < 0)
		take_refusals(run, &report);
	if (plan_build_possible(run->config, run->topology, false, ret, &report) < 0)
		return device_no_memory(run->cli);
	device_hint_busy(run, &report);
	take_refusals(run, &report);
	check_losses(run, *ret);
	return CLI_DONE;
}

static int wait_deadline(struct device_run *run, uint64_t *ret)
{
	uint64_t seconds;

	*ret = UINT64_MAX;
	if (!run->options->wait || !*run->options->wait)
		return 0;
	if (json_parse_u64(run->options->wait, &seconds) < 0 || seconds > UINT32_MAX) {
		problem_add(&run->cli->problems, EINVAL, "such as --wait=30",
			    "--wait=%s is no number of seconds.",
			    json_show(run->options->wait).text);
		return -EINVAL;
	}
	*ret = waiter_now() + seconds * SECOND_NS;
	return 0;
}

bool device_is_meant(const struct device_run *run, const struct volume_view *view)
{
	for (size_t a = 0; run->args[a]; a++)
		if (is_wanted(run, view, run->args[a]))
			return true;
	return false;
}

static bool watch_all(struct device_run *run, struct waiter *waiter)
{
	bool any = false;

	for (size_t i = 0; i < run->volumes.n; i++)
		if (device_is_meant(run, &run->volumes.views[i]))
			any |= waiter_watch(waiter, &run->volumes.views[i]);
	return any;
}

static void forget_problems(struct device_run *run)
{
	report_clear(&run->cli->problems);
	run->cli->problems = (struct report)REPORT_INIT;
	device_forget_missing(run);
}

/*
 * Until what is asked for is in use by nobody, or time is up: then the refusals stand, but for
 * those that --force was given for.
 */
static enum cli_exit prepare_waiting(struct device_run *run, uint64_t deadline,
				     struct plan **ret)
{
	_cleanup_(waiter_freep) struct waiter *waiter = NULL;
	enum cli_exit status = prepare(run, ret);
	bool told = false, looked = false;

	while (status == CLI_DONE && run->in_use && run->options->wait && !run->waited &&
	       !run->misnamed) {
		bool fresh;

		if (!waiter && waiter_new(&waiter) < 0)
			return device_no_memory(run->cli);
		/* Who was not watched may have left meanwhile: look again, but not for ever. */
		fresh = watch_all(run, waiter) && !looked;
		looked = fresh;
		if (!told && waiter_now() < deadline)
			device_tell_users(run);
		told = true;
		client_leave_queue(&run->client);
		if (waiter_now() >= deadline ||
		    (!fresh && waiter_wait(waiter, deadline) == -ETIMEDOUT))
			run->waited = true;
		client_queue(&run->client);
		status = device_look(run, LOOK_ALL);
		if (status != CLI_DONE)
			break;
		forget_problems(run);
		drop_plan(ret);
		status = prepare(run, ret);
	}
	return status;
}

/* What was refused is told; the rest is done. */
static enum cli_exit end_status(const struct device_run *run, enum cli_exit status)
{
	if (status != CLI_DONE || !run->cli->problems.n)
		return status;
	if (run->unreadable)
		return CLI_FAILED;
	return run->loses ? CLI_REFUSED : CLI_INVALID;
}

static enum cli_exit show_config(struct device_run *run)
{
	_cleanup_(freep) char *json = config_to_json(run->config);

	if (!json)
		return device_no_memory(run->cli);
	(void)fprintf(run->cli->err, "%s\n", json);
	(void)fflush(run->cli->err); /* the plan comes after it where both are one file */
	return CLI_DONE;
}

static enum cli_exit dry_run(struct device_run *run, struct plan *plan)
{
	struct applying applying = { .allow_data_loss = true, .dry_run = true, .plan = plan };
	enum cli_exit status = CLI_DONE;

	if (run->options->verbose)
		status = show_config(run);
	if (status != CLI_DONE ||
	    (run->cli->problems.n && !run->config->n_volumes && !plan->n_steps && !plan->n_drifts))
		plan_free(plan); /* of what was refused there is none to show */
	else
		status = applying_run(run->cli, &run->client, run->config, &applying);
	return end_status(run, status);
}

/* Somebody else may have made what has the same name meanwhile. */
static bool was_outrun(const struct device_run *run)
{
	bool outrun = false;

	for (size_t i = 0; i < run->cli->problems.n; i++)
		outrun |= run->cli->problems.errors[i].code == EEXIST;
	return outrun && run->verb->creates && run->config->n_volumes == 1 &&
	       device_is_unnamed(run->config->volumes[0].name);
}

static enum cli_exit carry_out(struct device_run *run, struct plan **plan)
{
	enum cli_exit status = device_carry_out(run, TAKE(*plan));

	while (was_outrun(run) && ++run->attempt < ATTEMPTS) {
		forget_problems(run);
		status = device_look(run, LOOK_ALL);
		if (status == CLI_DONE)
			status = prepare(run, plan);
		if (status != CLI_DONE || !run->config->n_volumes)
			return status;
		status = device_carry_out(run, TAKE(*plan));
	}
	return status;
}

/*
 * What was seen a moment ago says what is to be done, or not for sure: then the machine is looked
 * at.  That it was true is checked before anything begins.
 */
static enum cli_exit prepare_quickly(struct device_run *run, struct plan **ret, bool *sure)
{
	enum cli_exit status = device_look(run, LOOK_QUICK);

	if (status == CLI_DONE)
		status = prepare(run, ret);
	*sure = status == CLI_DONE && !run->cli->problems.n && !run->notes.n &&
		!run->kept->n_volumes && (*ret)->n_steps;
	return status;
}

static enum cli_exit run_quickly(struct device_run *run, bool *sure)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	enum cli_exit status = prepare_quickly(run, &plan, sure);

	if (*sure)
		status = carry_out(run, &plan);
	/* Refused as a whole, or there was nothing to do: what was seen was not true. */
	if (status == CLI_INVALID || status == CLI_REFUSED ||
	    (status == CLI_DONE && !run->n_steps))
		*sure = false;
	return status;
}

static enum cli_exit run_surely(struct device_run *run, uint64_t deadline)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	enum cli_exit status = device_look(run, LOOK_ALL);

	if (status == CLI_DONE)
		status = prepare_waiting(run, deadline, &plan);
	if (status != CLI_DONE)
		return status;
	if (run->options->dry_run)
		return dry_run(run, TAKE(plan));
	if (plan && run->config->n_volumes && plan->n_steps)
		status = carry_out(run, &plan);
	return device_conclude(run, status);
}

static enum cli_exit run_on(struct device_run *run)
{
	enum cli_exit status;
	uint64_t deadline;
	bool sure = false;

	if (wait_deadline(run, &deadline) < 0)
		return CLI_INVALID;
	status = run->options->dry_run ? CLI_DONE :
					 client_connect(&run->client, &run->cli->problems);
	if (status != CLI_DONE)
		return status;
	if (!run->options->dry_run)
		client_queue(&run->client);
	/* Who waits, or asks what would be done, wants to know who uses what. */
	if (!run->options->dry_run && !run->options->wait)
		status = run_quickly(run, &sure);
	if (sure) {
		status = device_conclude(run, status);
	} else {
		forget_problems(run);
		status = run_surely(run, deadline);
	}
	return end_status(run, status);
}

static enum cli_exit run_simulated(struct device_run *run)
{
	_cleanup_(simulation_close) struct simulation simulation = { 0 };
	struct error error = ERROR_INIT;

	if (simulation_open(&simulation, run->options->topology, &error) < 0) {
		(void)report_take(&run->cli->problems, &error);
		return CLI_FAILED;
	}
	run->client.simulation = simulation.file;
	return run_on(run);
}

enum cli_exit device_verb_run(struct cli *cli, const struct device_verb *verb,
			      const struct device_options *options, char *args[])
{
	_cleanup_(run_clear) struct device_run run = {
		.cli = cli,
		.verb = verb,
		.options = options,
		.args = args,
	};
	enum cli_exit status;

	client_init(&run.client, NULL);
	run.client.recalls = true;
	run.client.applies = !options->dry_run && !options->wait;
	run.client.ask_password = !options->no_ask_password;
	status = options->topology ? run_simulated(&run) : run_on(&run);
	(void)fflush(cli->out); /* notes come after what they are about */
	problems_print_notes(&run.notes, cli->err, cli->colour_err);
	if (options->compat)
		device_set_compat_exit(&run, status);
	return status;
}
