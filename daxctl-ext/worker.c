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
	pid_t pid;
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

static void worker_clear(struct worker *worker)
{
	closep(&worker->in);
	lines_clear(&worker->out);
	lines_clear(&worker->err);
	free(worker->last);
}

static int start(struct worker *worker, char *const argv[], struct error *reterr)
{
	struct child child;
	int r = child_start(argv, worker->interrupt, &child);

	if (r < 0)
		return error_set(reterr, -r, "Cannot run %s: %s.", argv[0], strerror(-r));
	worker->pid = child.pid;
	worker->in = child.in;
	worker->out.fd = child.out;
	worker->err.fd = child.err;
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

static int talk(struct worker *worker)
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

int worker_run(char *const argv[], const char *input, size_t input_length, lines_take *callback,
	       void *userdata, struct interrupt *interrupt, struct worker_end *ret,
	       struct error *reterr)
{
	_cleanup_(worker_clear) struct worker worker = {
		.in = -1,
		.input = input,
		.left = input_length,
		.out = { .fd = -1, .max = LINE_MAX_SIZE, .take = callback, .userdata = userdata },
		.err = { .fd = -1, .max = ERROR_LINE_MAX, .take = child_keep_last,
			 .userdata = &worker.last },
		.interrupt = interrupt,
	};
	int r, status = 0;

	r = start(&worker, argv, reterr);
	if (r < 0)
		return r;
	r = talk(&worker);
	/* When we give up, its next write fails, so this wait comes to an end. */
	closep(&worker.in);
	lines_clear(&worker.out);
	lines_clear(&worker.err);
	if (r == -EINTR)
		return error_set(reterr, EINTR, "%s was left alone.", argv[0]);
	while (waitpid(worker.pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set(reterr, errno, "Cannot wait for %s: %s.", argv[0],
					 strerror(errno));
	if (r < 0)
		return error_set(reterr, -r, "Cannot talk to %s: %s.", argv[0], strerror(-r));
	*ret = (struct worker_end){ .status = status, .last = TAKE(worker.last) };
	return 0;
}
