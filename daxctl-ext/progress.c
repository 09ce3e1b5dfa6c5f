/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "table.h"

#define BAR_WIDTH 24
#define REDRAW_NS 50000000 /* more often nobody can read it */

struct progress {
	const struct cli *cli;
	const struct plan *plan;
	size_t ended; /* steps that are done, failed or skipped */
	uint64_t drawn_ns;
	bool drawn, held;
};

struct progress *progress_new(const struct cli *cli, const struct plan *plan)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (!progress)
		return NULL;
	progress->cli = cli;
	progress->plan = plan;
	return progress;
}

static void erase(struct progress *progress)
{
	if (progress->drawn)
		(void)fputs("\r\033[K", progress->cli->out);
	progress->drawn = false;
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	erase(progress);
	(void)fflush(progress->cli->out); /* cli_finish() reports what went wrong with out */
	free(progress);
}

static uint64_t now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Bytes of text that fit in columns, never breaking a character. */
static int fit(const char *text, size_t columns)
{
	size_t i = 0;

	while (text[i]) {
		size_t next = i + 1;

		while (((unsigned char)text[next] & 0xc0) == 0x80)
			next++;
		if (columns-- == 0)
			break;
		i = next;
	}
	return (int)i;
}

/* What runs, in few words: the plan above says it in full. */
static char *describe(const struct step *step, const struct event *event)
{
	char *text;

	if (asprintf(&text, "%s%s%s", step_kind_word(step->kind), step->volume ? " " : "",
		     step->volume ? step->volume : "") < 0)
		return NULL;
	if (event->state == STEP_PROGRESS) {
		_cleanup_(freep) char *shorter = text;

		if (asprintf(&text, "%s, %" PRIu64 " of %" PRIu64, shorter, event->done,
			     event->total) < 0)
			return NULL;
	}
	return text;
}

static void draw(struct progress *progress, const struct event *event)
{
	const struct cli *cli = progress->cli;
	size_t n = progress->plan->n_steps, full = progress->ended * BAR_WIDTH / n;
	_cleanup_(freep) char *what = NULL;
	_cleanup_(freep) char *line = NULL;
	uint64_t now = now_ns();
	char bar[BAR_WIDTH + 1] = "";

	/* What begins may take long, and is to be seen while it does. */
	if (progress->drawn && event->state != STEP_STARTED &&
	    now - progress->drawn_ns < REDRAW_NS)
		return;
	what = describe(&progress->plan->steps[event->step], event);
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', full < BAR_WIDTH ? full : BAR_WIDTH);
	if (asprintf(&line, "[%s] %zu/%zu %s", bar, progress->ended, n, what ? what : "") < 0) {
		line = NULL; /* a bar that is not drawn is no loss */
		return;
	}
	/* The last column stays free: writing there can move the line up. */
	(void)fprintf(cli->out, "\r\033[K%.*s", fit(line, cli->width ? cli->width - 1 : 79), line);
	(void)fflush(cli->out);
	progress->drawn = true;
	progress->drawn_ns = now;
}

static const char *end_word(enum step_state state)
{
	switch (state) {
	case STEP_DONE:
		return "done";
	case STEP_FAILED:
		return "FAILED";
	case STEP_SKIPPED:
		return "skipped";
	case STEP_UNDONE:
		return "undone";
	case STEP_STARTED:
	case STEP_PROGRESS:
		return NULL;
	}
	return NULL;
}

void progress_hold(struct progress *progress, bool hold)
{
	if (progress)
		progress->held = hold;
}

void progress_event(struct progress *progress, const struct event *event)
{
	const char *word;

	if (!progress || event->kind != EVENT_STEP || event->step >= progress->plan->n_steps)
		return;
	word = end_word(event->state);
	if (word && event->state != STEP_UNDONE)
		progress->ended++;
	if (progress->cli->out_terminal && progress->held)
		return;
	if (progress->cli->out_terminal) {
		draw(progress, event);
	} else if (word) {
		_cleanup_(freep) char *what =
			step_describe(&progress->plan->steps[event->step]);

		(void)fprintf(progress->cli->out, "%-7s %zu/%zu %s\n", word, event->step + 1,
			      progress->plan->n_steps, what ? what : "");
		(void)fflush(progress->cli->out); /* a log is read while it grows */
	}
}
