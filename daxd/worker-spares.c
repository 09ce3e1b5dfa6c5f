/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker-spares.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define VERBS_MAX 4

struct spare {
	const char *verb;
	struct worker_process process; /* pid 0: there is none */
};

struct worker_spares {
	sd_event *event;
	const char *program;
	sd_event_source *filler;
	struct spare spares[VERBS_MAX];
	size_t n;
};

static void process_close(struct worker_process *process)
{
	closep(&process->in);
	closep(&process->out);
	closep(&process->err);
	*process = (struct worker_process){ .in = -1, .out = -1, .err = -1 };
}

/* The child inherits descriptors 0 to 2, no blocked signals, and nothing else of ours. */
static int spawn(char *const argv[], const int fds[3], pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail here */
		return -r;
	}
	(void)sigemptyset(&set);
	r = posix_spawnattr_setsigmask(&attributes, &set);
	(void)sigaddset(&set, SIGPIPE); /* it exists, so this does not fail */
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&attributes, &set);
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes,
					     POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	for (int i = 0; r == 0 && i < 3; i++)
		r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (r == 0)
		r = posix_spawn(ret, argv[0], &actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions); /* as above */
	return -r;
}

static int open_pipes(int in[2], int out[2], int err[2])
{
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return -errno;
	/* Only our ends: those of the child are other open files. */
	if (fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static int start(const struct worker_spares *spares, const char *verb,
		 struct worker_process *ret)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, r;
	const char *words[] = { spares->program, verb, "--spare", NULL };
	char *argv[ARRAY_SIZE(words)];

	/* posix_spawn() takes char *const[] and changes nothing. */
	memcpy(argv, words, sizeof(words));
	*ret = (struct worker_process){ 0 };
	r = open_pipes(in, out, err);
	if (r == 0)
		r = spawn(argv, (const int[]){ in[0], out[1], err[1] }, &ret->pid);
	closep(&in[0]);
	closep(&out[1]);
	closep(&err[1]);
	ret->in = in[1];
	ret->out = out[0];
	ret->err = err[0];
	if (r < 0)
		process_close(ret);
	return r;
}

/* It may have been killed while it waited. */
static bool is_alive(const struct worker_process *process)
{
	return process->pid && waitpid(process->pid, NULL, WNOHANG) == 0;
}

/* When there is nothing else to do; without one, the next is started when it is needed. */
static int on_idle(sd_event_source *source, void *userdata)
{
	struct worker_spares *spares = userdata;

	(void)source;
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

int worker_spares_take(struct worker_spares *spares, const char *verb,
		       struct worker_process *ret)
{
	struct spare *spare = find(spares, verb);

	/* It fails only for a source that is not there. */
	(void)sd_event_source_set_enabled(spares->filler, SD_EVENT_ONESHOT);
	if (!spare || !spare->process.pid)
		return start(spares, verb, ret);
	if (is_alive(&spare->process)) {
		*ret = spare->process;
		spare->process = (struct worker_process){ 0 };
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
	r = sd_event_add_defer(event, &spares->filler, on_idle, spares);
	if (r >= 0)
		r = sd_event_source_set_priority(spares->filler, SD_EVENT_PRIORITY_IDLE);
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
		struct worker_process *process = &spares->spares[i].process;

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
