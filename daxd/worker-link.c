/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker-link.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/macro.h"
#include "core/error-json.h"
#include "worker-spares.h"

#define ERROR_LINE_MAX 65536

struct stream {
	struct worker_link *link;
	sd_event_source *source; /* NULL: at its end */
	struct lines lines;
};

struct worker_link {
	const struct worker_calls *calls;
	void *userdata;
	pid_t pid;
	sd_event_source *process, *feeder;
	int in;
	char *input;
	size_t fed, length;
	struct stream out, err;
	char *last;
	bool exited;
	struct worker_end end;
};

static void stream_close(struct stream *stream)
{
	stream->source = sd_event_source_disable_unref(stream->source);
	lines_clear(&stream->lines);
}

static void close_input(struct worker_link *link)
{
	link->feeder = sd_event_source_disable_unref(link->feeder);
	closep(&link->in);
	free(TAKE(link->input));
}

void worker_link_free(struct worker_link *link)
{
	if (!link)
		return;
	close_input(link);
	stream_close(&link->out);
	stream_close(&link->err);
	/* The source owns the process: what still runs is killed and reaped. */
	(void)sd_event_source_disable_unref(link->process);
	free(link->last);
	free(link);
}
DEFINE_FREEP(struct worker_link, worker_link)

static void give_up(struct worker_link *link, int r)
{
	if (link->end.refused == 0)
		link->end.refused = r;
	if (!link->exited)
		(void)kill(link->pid, SIGKILL); /* not reaped yet, so it is still this process */
	close_input(link);
	stream_close(&link->out);
	stream_close(&link->err);
}

/* 1: there may be more; 0: nothing now, or the end, which closes the stream. */
static int read_stream(struct stream *stream)
{
	int r = lines_read(&stream->lines);

	if (stream->lines.ended)
		stream_close(stream);
	return r;
}

static void finish_if_over(struct worker_link *link)
{
	if (!link->exited || link->out.source || link->err.source)
		return;
	close_input(link);
	link->end.last = link->last;
	link->calls->ended(link->userdata, &link->end);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct stream *stream = userdata;
	struct worker_link *link = stream->link;
	int r;

	(void)source;
	(void)fd;
	(void)events;
	r = read_stream(stream);
	if (r < 0)
		give_up(link, r);
	finish_if_over(link);
	return 0;
}

/* What is in the pipe is read; a descendant that holds it open cannot keep us. */
static void drain(struct stream *stream)
{
	int r = 1;

	while (r > 0 && stream->source)
		r = read_stream(stream);
	if (r < 0)
		give_up(stream->link, r);
	stream_close(stream);
}

static int on_exit_of(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct worker_link *link = userdata;

	(void)source;
	link->exited = true;
	link->end.killed = info->si_code != CLD_EXITED;
	link->end.code = info->si_status;
	drain(&link->out);
	drain(&link->err);
	finish_if_over(link);
	return 0;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct worker_link *link = userdata;
	ssize_t n = write(fd, link->input + link->fed, link->length - link->fed);

	(void)source;
	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	/* A worker that stops reading has a reason, which it tells in another way. */
	if (n < 0 || (link->fed += (size_t)n) == link->length)
		close_input(link);
	return 0;
}

static int watch_stream(sd_event *event, struct stream *stream, struct worker_link *link)
{
	stream->link = link;
	return sd_event_add_io(event, &stream->source, stream->lines.fd, EPOLLIN, on_readable, stream);
}

static int watch(sd_event *event, struct worker_link *link)
{
	int r;

	r = sd_event_add_child(event, &link->process, link->pid, WEXITED, on_exit_of, link);
	if (r < 0) {
		(void)kill(link->pid, SIGKILL);
		(void)waitpid(link->pid, NULL, 0);
		return r;
	}
	r = sd_event_source_set_child_process_own(link->process, true);
	if (r >= 0)
		r = watch_stream(event, &link->out, link);
	if (r >= 0)
		r = watch_stream(event, &link->err, link);
	if (r >= 0 && link->length)
		r = sd_event_add_io(event, &link->feeder, link->in, EPOLLOUT, on_writable, link);
	else if (r >= 0)
		close_input(link);
	return r;
}

int worker_link_start(struct worker_spares *spares, const char *verb, char *input,
		      const struct worker_calls *calls, void *userdata, struct worker_link **ret,
		      struct error *reterr)
{
	_cleanup_(worker_link_freep) struct worker_link *link = calloc(1, sizeof(*link));
	struct child process;
	int r;

	if (!link) {
		free(input);
		return error_oom(reterr);
	}
	*link = (struct worker_link){
		.calls = calls,
		.userdata = userdata,
		.in = -1,
		.input = input,
		.length = input ? strlen(input) : 0,
		.out.lines = { .fd = -1, .max = calls->line_max, .take = calls->line,
			       .userdata = userdata },
		.err.lines = { .fd = -1, .max = ERROR_LINE_MAX, .take = child_keep_last,
			       .userdata = &link->last },
	};
	r = worker_spares_take(spares, verb, &process);
	if (r == 0) {
		link->pid = process.pid;
		link->in = process.in;
		link->out.lines.fd = process.out;
		link->err.lines.fd = process.err;
		r = watch(worker_spares_event(spares), link);
	}
	if (r < 0)
		return error_set(reterr, -r, "Cannot run %s: %s.", worker_spares_program(spares),
				 strerror(-r));
	*ret = TAKE(link);
	return 0;
}

void worker_link_stop(struct worker_link *link)
{
	if (!link->exited)
		(void)kill(link->pid, SIGTERM); /* not reaped yet, so it is still this process */
}

void worker_end_error(const struct worker_end *end, struct error *reterr)
{
	_cleanup_(report_clear) struct report not_json = REPORT_INIT;

	if (end->refused < 0)
		(void)error_set(reterr, -end->refused,
				"The answer of the worker cannot be used: %s.",
				strerror(-end->refused));
	else if (end->last && error_parse(end->last, strlen(end->last), reterr, &not_json) == 0)
		return;
	else if (end->killed)
		(void)error_set(reterr, EIO, "The worker was killed by signal %d (%s).", end->code,
				strsignal(end->code));
	else
		(void)error_set(reterr, EIO, "The worker ended with status %d: %s.", end->code,
				end->last ? end->last : "it said nothing");
}
