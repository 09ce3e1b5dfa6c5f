/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "standing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = { "present", "differs", "waiting", "late", "refused" };

const char *volume_state_word(enum volume_state state)
{
	return words[state];
}

void standings_clear(struct standings *standings)
{
	for (size_t i = 0; i < standings->n; i++)
		report_clear(&standings->standings[i].problems);
	free(standings->standings);
	*standings = (struct standings){ 0 };
}

static bool same_file(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* "/volumes/3/size" is about the fourth volume; rest is what follows. */
static bool points_into(const struct error *error, const struct volume *volume, const char **rest)
{
	static const char volumes[] = "/volumes/";
	const char *digits;
	char *end;

	if (!error->pointer || strncmp(error->pointer, volumes, strlen(volumes)) != 0)
		return false;
	digits = error->pointer + strlen(volumes);
	*rest = NULL;
	if (strtoull(digits, &end, 10) != volume->index || end == digits)
		return false;
	*rest = end;
	return same_file(error->file, volume->file);
}

/*
 * The volume that an error is about, or n_volumes.  Errors come in the order of volumes mostly:
 * the search begins where the last one ended.
 */
static size_t find_volume(const struct config *config, const struct error *error, size_t *from,
			  const char **rest)
{
	for (size_t i = 0; i < config->n_volumes; i++) {
		size_t at = (*from + i) % config->n_volumes;

		if (points_into(error, &config->volumes[at], rest))
			return *from = at;
	}
	return config->n_volumes;
}

/* The volume's region is not there: nobody's mistake, it may come. */
static bool is_missing_region(const struct error *error, const char *rest)
{
	return error->code == ENOENT && strcmp(rest, "/region") == 0;
}

static enum volume_state state_of(const struct volume *volume, const struct error *error,
				  const char *rest, uint64_t elapsed)
{
	if (is_missing_region(error, rest))
		return elapsed < (uint64_t)volume->wait ? VOLUME_WAITING : VOLUME_LATE;
	/* It could be had, at the price of data. */
	return error->code == ECANCELED ? VOLUME_DIFFERS : VOLUME_REFUSED;
}

/* Hand the problems to the volumes they are about; -ENOMEM when one is about none. */
static int give_out(const struct config *config, struct standings *standings,
		    struct report *report, uint64_t elapsed)
{
	size_t from = 0;

	for (size_t i = 0; i < report->n; i++) {
		struct error *error = &report->errors[i];
		const char *rest;
		size_t at = find_volume(config, error, &from, &rest);
		struct standing *standing;

		if (at == config->n_volumes)
			return -ENOMEM;
		standing = &standings->standings[at];
		if (standing->state != VOLUME_REFUSED)
			standing->state = state_of(&config->volumes[at], error, rest, elapsed);
		(void)report_take(&standing->problems, error);
	}
	free(TAKE(report->errors));
	report->n = 0;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sorted names of the volumes that have steps. */
static const char **names_in(const struct plan *plan, size_t *n)
{
	const char **names = calloc(plan->n_steps + 1, sizeof(*names));

	*n = 0;
	if (!names)
		return NULL;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].volume)
			names[(*n)++] = plan->steps[i].volume;
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

static bool is_in(const char *const names[], size_t n, const char *name)
{
	return bsearch(&name, names, n, sizeof(*names), by_name) != NULL;
}

static int mark_differing(const struct config *config, struct standings *standings,
			  const struct plan *plan)
{
	size_t n;
	_cleanup_(freep) const char **names = names_in(plan, &n);

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_volumes; i++)
		if (standings->standings[i].state == VOLUME_PRESENT &&
		    is_in(names, n, config->volumes[i].name))
			standings->standings[i].state = VOLUME_DIFFERS;
	return 0;
}

/* The volumes that nothing speaks against so far; they stay the config's own. */
static int left_over(const struct config *config, const struct standings *standings,
		     struct config *ret)
{
	ret->volumes = calloc(config->n_volumes + 1, sizeof(*ret->volumes));
	if (!ret->volumes)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_volumes; i++)
		if (standings->standings[i].state == VOLUME_PRESENT)
			ret->volumes[ret->n_volumes++] = config->volumes[i];
	return 0;
}

static int plan_possible(const struct config *config, const struct topology *topology,
			 uint64_t elapsed, bool lossless, struct standings *standings,
			 struct plan **ret)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct config left = { 0 };
	int r;

	(void)config_supported(config, &report); /* what it adds, the report holds */
	r = give_out(config, standings, &report, elapsed);
	if (r == 0)
		r = left_over(config, standings, &left);
	if (r == 0)
		r = plan_build_possible(&left, topology, lossless, &plan, &report);
	free(left.volumes);
	if (r == 0)
		r = give_out(config, standings, &report, elapsed);
	if (r == 0)
		r = mark_differing(config, standings, plan);
	if (r == 0)
		*ret = TAKE(plan);
	return r;
}

static int judge(const struct config *config, const struct topology *topology, uint64_t elapsed,
		 bool lossless, struct standings *ret, struct plan **ret_plan)
{
	struct standings standings = { .n = config->n_volumes };
	int r = 0;

	standings.standings = calloc(standings.n + 1, sizeof(*standings.standings));
	if (!standings.standings)
		return -ENOMEM;
	for (size_t i = 0; !topology && i < standings.n; i++)
		standings.standings[i].state = VOLUME_WAITING;
	*ret_plan = NULL;
	if (topology)
		r = plan_possible(config, topology, elapsed, lossless, &standings, ret_plan);
	if (r < 0)
		standings_clear(&standings);
	else
		*ret = standings;
	return r;
}

int standings_judge(const struct config *config, const struct topology *topology,
		    uint64_t elapsed, struct standings *ret, struct plan **ret_plan)
{
	return judge(config, topology, elapsed, true, ret, ret_plan);
}

static int name_left_out(const struct volume *volume, const struct error *problem,
			 struct report *left_out)
{
	struct error error = ERROR_INIT;
	char *message;

	if (error_copy(&error, problem) < 0)
		return -ENOMEM;
	if (asprintf(&message, "Volume \"%s\" is left out: %s", volume->name,
		     error_message(problem)) < 0) {
		error_clear(&error);
		return -ENOMEM;
	}
	free(error.message);
	error.message = message;
	(void)report_take(left_out, &error);
	return 0;
}

int standings_plan(const struct config *config, const struct topology *topology,
		   struct plan **ret, struct report *left_out)
{
	_cleanup_(standings_clear) struct standings standings = { 0 };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	int r = judge(config, topology, UINT64_MAX, false, &standings, &plan);

	for (size_t i = 0; r == 0 && i < standings.n; i++) {
		const struct report *problems = &standings.standings[i].problems;

		for (size_t j = 0; r == 0 && j < problems->n; j++)
			r = name_left_out(&config->volumes[i], &problems->errors[j], left_out);
	}
	if (r == 0)
		*ret = TAKE(plan);
	return r;
}

void standings_add_failures(struct standings *standings, const struct config *config,
			    const struct report *failures)
{
	size_t from = 0;

	for (size_t i = 0; i < failures->n; i++) {
		const char *rest;
		size_t at = find_volume(config, &failures->errors[i], &from, &rest);
		struct error copy = ERROR_INIT;

		/* Without memory for it, it is in the journal at least. */
		if (at < config->n_volumes &&
		    standings->standings[at].state == VOLUME_DIFFERS &&
		    error_copy(&copy, &failures->errors[i]) == 0)
			(void)report_take(&standings->standings[at].problems, &copy);
	}
}

size_t standings_count(const struct standings *standings, enum volume_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < standings->n; i++)
		n += standings->standings[i].state == state;
	return n;
}

bool standings_all_present(const struct standings *standings)
{
	for (size_t i = 0; i < standings->n; i++)
		if (standings->standings[i].state != VOLUME_PRESENT)
			return false;
	return true;
}

uint64_t standings_next_late(const struct standings *standings, const struct config *config)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < standings->n; i++)
		if (standings->standings[i].state == VOLUME_WAITING &&
		    (uint64_t)config->volumes[i].wait < next)
			next = (uint64_t)config->volumes[i].wait;
	return next;
}
