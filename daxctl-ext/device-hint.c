/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-hint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/plan.h"

#define USERS_SHOWN 4
#define OF_APPLY "stop what uses it, then apply again."

static void ignore_open(struct config *config, bool ignore)
{
	for (size_t i = 0; i < config->n_volumes; i++)
		config->volumes[i].ignore_open = ignore;
}

/* What would still be in use with --force. */
static void plan_forced(struct device_run *run, struct report *ret)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;

	ignore_open(run->config, true);
	if (plan_build_possible(run->config, run->topology, false, &plan, ret) < 0)
		report_clear(ret); /* a hint is not worth it */
	ignore_open(run->config, false);
}

static bool is_busy(const struct report *report, const struct config *config, size_t volume)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->errors[i].code == EBUSY &&
		    device_volume_at(config, report->errors[i].pointer) == volume)
			return true;
	return false;
}

static bool is_planners(const struct error *error)
{
	return error->code == EBUSY && error->hint && strcmp(error->hint, OF_APPLY) == 0;
}

void device_hint_busy(struct device_run *run, struct report *report)
{
	_cleanup_(report_clear) struct report forced = REPORT_INIT;
	bool may_force = run->verb->patient && !run->options->force;

	if (may_force && report->n)
		plan_forced(run, &forced);
	for (size_t i = 0; i < report->n; i++) {
		struct error *error = &report->errors[i];
		size_t at = device_volume_at(run->config, error->pointer);

		if (!is_planners(error))
			continue;
		if (run->waited)
			(void)error_hint(error, "so it was all the time of --wait=%s; stop what "
						"uses it, or wait longer.", run->options->wait);
		else if (run->misnamed && run->options->wait)
			(void)error_hint(error, "nobody is waited for while a name is wrong.");
		else if (!run->verb->patient)
			(void)error_hint(error, "stop what uses it, then try again.");
		else if (may_force && at < run->config->n_volumes && !is_busy(&forced, run->config, at))
			(void)error_hint(error, "stop what uses it, or wait for that with --wait, or "
						"take it away with --force.");
		else
			(void)error_hint(error, "stop what uses it, or wait for that with --wait.");
	}
}

static void add_user(struct text *text, const struct holder *holder, bool first)
{
	const char *separator = first ? "" : ", ";

	if (holder->kind == HOLDER_PROCESS)
		text_add(text, "%s%s (%s)", separator, holder->name, holder_describe(holder).text);
	else
		text_add(text, "%s%s %s%s%s%s", separator, holder_kind_word(holder->kind),
			 holder->name, holder->mapping ? " (" : "",
			 holder->mapping ? holder->mapping : "", holder->mapping ? ")" : "");
}

void device_tell_users(const struct device_run *run)
{
	_cleanup_(freep) char *who = NULL;
	struct text text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < run->volumes.n; i++) {
		const struct volume_view *view = &run->volumes.views[i];
		const struct holder *holder;

		if (!volume_holder(view, 0) || !device_is_meant(run, view) || n++ >= USERS_SHOWN)
			continue;
		text_add(&text, "%s%s by ", n > 1 ? "; " : "", view->title);
		for (size_t j = 0; (holder = volume_holder(view, j)) && j < USERS_SHOWN; j++)
			add_user(&text, holder, j == 0);
		if (holder)
			text_add(&text, " and others");
	}
	who = text_finish(&text);
	(void)fprintf(run->cli->err, "Waiting for those who use it: %s%s.\n",
		      who ? who : "somebody", n > USERS_SHOWN ? "; and others" : "");
	(void)fflush(run->cli->err); /* what cannot be told is not */
}

char *device_hint_other(const struct device_run *run, const struct volume_view *view)
{
	const char *name = view->ns->blockdev ? view->ns->blockdev : view->ns->name;
	char *hint;
	int r;

	if (run->verb->ndctl)
		r = asprintf(&hint, "\"ndctl %s %s\" does that to it.", run->verb->ndctl, view->ns->name);
	else
		r = asprintf(&hint, "\"daxctl-ext destroy-device -f %s\" removes it, and "
				    "create-device makes another; what it holds is lost.", name);
	return r < 0 ? NULL : hint;
}
