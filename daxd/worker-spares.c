/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker-spares.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define VERBS_MAX 4
#define DELAY UINT64_C(200000) /* microseconds: most jobs have ended by then */
#define ACCURACY UINT64_C(50000)

struct spare {
	const char *verb;
	struct child process; /* pid 0: there is none */
};

struct worker_spares {
	sd_event *event;
	const char *program;
	sd_event_source *filler;
	struct spare spares[VERBS_MAX];
	size_t n;
};

static void process_close(struct child *process)
{
	closep(&process->in);
	closep(&process->out);
	closep(&process->err);
	process->pid = 0;
}

static int start(const struct worker_spares *spares, const char *verb, struct child *ret)
{
	const char *words[] = { spares->program, verb, "--spare", NULL };
	char *argv[ARRAY_SIZE(words)];

	/* posix_spawn() takes char *const[] and changes nothing. */
	memcpy(argv, words, sizeof(words));
	return child_start(argv, false, ret);
}

/* It may have been killed while it waited. */
static bool is_alive(const struct child *process)
{
	return process->pid && waitpid(process->pid, NULL, WNOHANG) == 0;
}

/* Not while the last one is at work; without one, the next is started when it is needed. */
static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct worker_spares *spares = userdata;

	(void)source;
	(void)usec;
	for (size_t i = 0; i < spares->n; i++)
		if (!spares->spares[i].process.pid)
			(void)start(spares, spares->spares[i].verb, &spares->spares[i].process);
	return 0;
}

static struct spare *find(struct worker_spares *spares, const char *verb)
{
	for (size_t i = 0; i < spares->n; i++)
		if (strcmp(spares->spares[i].verb, verb) == 0)
			return &spares->spares[i];
	if (spares->n == VERBS_MAX)
		return NULL;
	spares->spares[spares->n] = (struct spare){ .verb = verb };
	return &spares->spares[spares->n++];
}

int worker_spares_take(struct worker_spares *spares, const char *verb, struct child *ret)
{
	struct spare *spare = find(spares, verb);

	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time_relative(spares->filler, DELAY);
	(void)sd_event_source_set_enabled(spares->filler, SD_EVENT_ONESHOT);
	if (!spare || !spare->process.pid)
		return start(spares, verb, ret);
	if (is_alive(&spare->process)) {
		*ret = spare->process;
		spare->process = (struct child){ 0 };
		return 0;
	}
	process_close(&spare->process);
	return start(spares, verb, ret);
}

const char *worker_spares_program(const struct worker_spares *spares)
{
	return spares->program;
}

sd_event *worker_spares_event(const struct worker_spares *spares)
{
	return spares->event;
}

int worker_spares_new(sd_event *event, const char *program, struct worker_spares **ret)
{
	struct worker_spares *spares = calloc(1, sizeof(*spares));
	int r;

	if (!spares)
		return -ENOMEM;
	*spares = (struct worker_spares){ .event = event, .program = program };
	r = sd_event_add_time(event, &spares->filler, CLOCK_MONOTONIC, 0, ACCURACY, on_time, spares);
	if (r >= 0)
		r = sd_event_source_set_enabled(spares->filler, SD_EVENT_OFF);
	if (r < 0) {
		worker_spares_free(spares);
		return r;
	}
	*ret = spares;
	return 0;
}

/* Killed before its stdin ends, which would tell it to begin. */
void worker_spares_free(struct worker_spares *spares)
{
	if (!spares)
		return;
	(void)sd_event_source_disable_unref(spares->filler);
	for (size_t i = 0; i < spares->n; i++) {
		struct child *process = &spares->spares[i].process;

		if (!process->pid)
			continue;
		if (is_alive(process)) {
			(void)kill(process->pid, SIGKILL);
			(void)waitpid(process->pid, NULL, 0);
		}
		process_close(process);
	}
	free(spares);
}
