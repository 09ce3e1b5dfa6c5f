/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define READ_SIZE 65536
#define LINE_MAX_SIZE (256u << 20) /* a topology is one line */

/* Bytes that were read and are no whole line yet. */
struct stream {
	int fd;
	char *text;
	size_t used, room;
};

struct worker {
	pid_t pid;
	int in; /* its stdin */
	const char *input;
	size_t left;
	struct stream out, err;
	worker_line *callback;
	void *userdata;
	struct interrupt *interrupt; /* NULL: Ctrl-C ends us both */
	char *last;
};

void worker_end_clear(struct worker_end *end)
{
	free(end->last);
	*end = (struct worker_end){ 0 };
}

static void close_fd(int *fd)
{
	closep(fd);
	*fd = -1;
}

static void worker_clear(struct worker *worker)
{
	close_fd(&worker->in);
	close_fd(&worker->out.fd);
	close_fd(&worker->err.fd);
	free(worker->out.text);
	free(worker->err.text);
	free(worker->last);
}

/* Descriptors 0 to 2 of the child are ends of pipes; it inherits nothing else of ours. */
static int spawn(char *const argv[], const int fds[3], bool own_group, pid_t *ret)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t restore, none;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail here */
		return -r;
	}
	(void)sigemptyset(&restore);
	(void)sigaddset(&restore, SIGPIPE); /* neither fails with a signal that exists */
	(void)sigemptyset(&none); /* what interrupt.c blocks is for us alone */
	r = posix_spawnattr_setsigdefault(&attributes, &restore);
	if (r == 0)
		r = posix_spawnattr_setsigmask(&attributes, &none);
	if (own_group)
		flags |= POSIX_SPAWN_SETPGROUP; /* group 0, as it is unless set: its own */
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes, flags);
	for (int i = 0; r == 0 && i < 3; i++)
		r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (r == 0)
		r = posix_spawn(ret, argv[0], &actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions); /* as above */
	return -r;
}

static int start(struct worker *worker, char *const argv[], struct error *reterr)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, r = 0;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		r = spawn(argv, (const int[]){ in[0], out[1], err[1] }, worker->interrupt,
			  &worker->pid);
	closep(&in[0]);
	closep(&out[1]);
	closep(&err[1]);
	worker->in = in[1];
	worker->out.fd = out[0];
	worker->err.fd = err[0];
	if (r < 0)
		return error_set(reterr, -r, "Cannot run %s: %s.", argv[0], strerror(-r));
	/* Only our side must not block: the child's pipe end is another open file. */
	if (fcntl(worker->in, F_SETFL, O_NONBLOCK) < 0)
		worker->left = 0;
	return 0;
}

static int make_room(struct stream *stream)
{
	size_t room = stream->room ? stream->room * 2 : 2 * READ_SIZE;
	char *grown;

	if (stream->room - stream->used > READ_SIZE)
		return 0;
	if (room > 2 * LINE_MAX_SIZE)
		return -EFBIG;
	grown = realloc(stream->text, room);
	if (!grown)
		return -ENOMEM;
	stream->text = grown;
	stream->room = room;
	return 0;
}

/* Hand out the whole lines; old is how much was known to hold no newline. */
static int take_lines(struct stream *stream, size_t old, worker_line *callback, void *userdata)
{
	char *line = stream->text, *end = stream->text + stream->used, *newline;
	char *search = stream->text + old;
	int r = 0;

	while (r == 0 && (newline = memchr(search, '\n', (size_t)(end - search)))) {
		*newline = 0;
		r = callback(userdata, line, (size_t)(newline - line));
		line = search = newline + 1;
	}
	stream->used = (size_t)(end - line);
	(void)memmove(stream->text, line, stream->used);
	return r;
}

/* Returns 0 and closes the stream at its end. */
static int read_stream(struct stream *stream, worker_line *callback, void *userdata)
{
	size_t old = stream->used;
	ssize_t n;
	int r;

	r = make_room(stream);
	if (r < 0)
		return r;
	n = read(stream->fd, stream->text + stream->used, READ_SIZE);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		close_fd(&stream->fd);
		if (!stream->used)
			return 0;
		stream->text[stream->used++] = '\n'; /* a last line without its newline */
	}
	stream->used += (size_t)n;
	return take_lines(stream, old, callback, userdata);
}

static int keep_last(void *userdata, char *line, size_t length)
{
	struct worker *worker = userdata;
	char *copy;

	if (length == 0)
		return 0;
	copy = strdup(line);
	if (!copy)
		return -ENOMEM;
	free(worker->last);
	worker->last = copy;
	return 0;
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
			close_fd(&worker->in);
		fds[2].fd = worker->in; /* poll() passes over -1 */
		interrupt_poll(worker->interrupt, fds + 3);
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (fds[2].revents)
			feed(worker);
		if (fds[0].revents)
			r = read_stream(&worker->out, worker->callback, worker->userdata);
		if (r == 0 && fds[1].revents)
			r = read_stream(&worker->err, keep_last, worker);
		if (r == 0 && worker->interrupt)
			r = take_interrupt(worker, fds + 3);
	}
	return r;
}

int worker_run(char *const argv[], const char *input, size_t input_length, worker_line *callback,
	       void *userdata, struct interrupt *interrupt, struct worker_end *ret,
	       struct error *reterr)
{
	_cleanup_(worker_clear) struct worker worker = {
		.in = -1,
		.input = input,
		.left = input_length,
		.out.fd = -1,
		.err.fd = -1,
		.callback = callback,
		.userdata = userdata,
		.interrupt = interrupt,
	};
	int r, status = 0;

	r = start(&worker, argv, reterr);
	if (r < 0)
		return r;
	r = talk(&worker);
	/* When we give up, its next write fails, so this wait comes to an end. */
	close_fd(&worker.in);
	close_fd(&worker.out.fd);
	close_fd(&worker.err.fd);
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
