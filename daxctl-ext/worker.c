/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/macro.h"

#define LINE_MAX_SIZE (256u << 20) /* a topology is one line */
#define ERROR_LINE_MAX 65536

struct worker {
	const char *name;
	pid_t pid; /* 0: it has ended, or is left alone */
	int in; /* its stdin */
	const char *input;
	size_t left;
	struct lines out, err;
	struct interrupt *interrupt; /* NULL: Ctrl-C ends us both */
	char *last;
};

void worker_end_clear(struct worker_end *end)
{
	free(end->last);
	*end = (struct worker_end){ 0 };
}

static void close_ends(struct worker *worker)
{
	closep(&worker->in);
	lines_clear(&worker->out);
	lines_clear(&worker->err);
}

static int wait_for(struct worker *worker, int *status)
{
	pid_t pid = worker->pid;

	worker->pid = 0;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

void worker_free(struct worker *worker)
{
	int status;

	if (!worker)
		return;
	close_ends(worker);
	if (worker->pid > 0) {
		(void)kill(worker->pid, SIGTERM); /* it is ours, and not waited for yet */
		(void)wait_for(worker, &status);  /* how does not matter */
	}
	free(worker->last);
	free(worker);
}

int worker_start(char *const argv[], bool own_group, struct worker **ret, struct error *reterr)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct child child;
	int r;

	if (!worker)
		return error_oom(reterr);
	r = child_start(argv, own_group, &child);
	if (r < 0) {
		free(worker);
		return error_set(reterr, -r, "Cannot run %s: %s.", argv[0], strerror(-r));
	}
	*worker = (struct worker){
		.name = argv[0],
		.pid = child.pid,
		.in = child.in,
		.out = { .fd = child.out, .max = LINE_MAX_SIZE },
		.err = { .fd = child.err, .max = ERROR_LINE_MAX, .take = child_keep_last },
	};
	worker->err.userdata = &worker->last;
	*ret = worker;
	return 0;
}

static int hear(struct lines *lines)
{
	int r = lines_read(lines);

	if (lines->ended)
		lines_clear(lines);
	return r < 0 ? r : 0;
}

/* A worker that stops reading has a reason, which it tells in another way. */
static void feed(struct worker *worker)
{
	ssize_t n = write(worker->in, worker->input, worker->left);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	worker->input += n < 0 ? 0 : n;
	worker->left -= n < 0 ? worker->left : (size_t)n;
}

static int take_interrupt(struct worker *worker, const struct pollfd *fds)
{
	switch (interrupt_answer(worker->interrupt, fds)) {
	case INTERRUPT_NONE:
		return 0;
	case INTERRUPT_CANCEL:
		(void)kill(worker->pid, SIGTERM); /* it is ours, and not waited for yet */
		return 0;
	case INTERRUPT_LEAVE:
		return -EINTR;
	}
	return 0;
}

static int exchange(struct worker *worker)
{
	int r = 0;

	while (r == 0 && (worker->out.fd >= 0 || worker->err.fd >= 0)) {
		struct pollfd fds[] = {
			{ .fd = worker->out.fd, .events = POLLIN },
			{ .fd = worker->err.fd, .events = POLLIN },
			{ .fd = -1, .events = POLLOUT },
			{ 0 }, { 0 }, /* of the interrupt */
		};

		if (worker->left == 0)
			closep(&worker->in);
		fds[2].fd = worker->in; /* poll() passes over -1 */
		interrupt_poll(worker->interrupt, fds + 3);
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (fds[2].revents)
			feed(worker);
		if (fds[0].revents)
			r = hear(&worker->out);
		if (r == 0 && fds[1].revents)
			r = hear(&worker->err);
		if (r == 0 && worker->interrupt)
			r = take_interrupt(worker, fds + 3);
	}
	return r;
}

int worker_talk(struct worker *worker, const char *input, size_t input_length,
		lines_take *callback, void *userdata, struct interrupt *interrupt,
		struct worker_end *ret, struct error *reterr)
{
	int r, waited, status = 0;

	worker->input = input;
	worker->left = input_length;
	worker->out.take = callback;
	worker->out.userdata = userdata;
	worker->interrupt = interrupt;
	r = exchange(worker);
	/* When we give up, its next write fails, so this wait comes to an end. */
	close_ends(worker);
	if (r == -EINTR) {
		worker->pid = 0;
		return error_set(reterr, EINTR, "%s was left alone.", worker->name);
	}
	waited = wait_for(worker, &status);
	if (waited < 0)
		return error_set(reterr, -waited, "Cannot wait for %s: %s.", worker->name,
				 strerror(-waited));
	if (r < 0)
		return error_set(reterr, -r, "Cannot talk to %s: %s.", worker->name, strerror(-r));
	*ret = (struct worker_end){ .status = status, .last = TAKE(worker->last) };
	return 0;
}
