/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scanner.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "core/topology-json.h"
#include "worker-link.h"

#define TOPOLOGY_LINE_MAX (128u << 20)

struct waiter {
	scan_done *done;
	void *userdata;
};

struct waiters {
	struct waiter *waiters;
	size_t n;
};

struct scanner {
	sd_event *event;
	struct worker_spares *spares;
	scan_sink *sink;
	void *userdata;
	struct worker_link *link; /* NULL: none runs */
	struct topology *topology;
	struct error error;
	struct waiters now, next; /* of the scan that runs, of the one after it */
	bool again, late;	  /* late: the one that runs was given up */
	bool recent;		  /* the one that runs began after what scanner_expire() told */
	uint64_t limit;		  /* microseconds that a look may take */
	sd_event_source *starter, *limiter;
};

static int take_line(void *userdata, char *line, size_t length)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	struct scanner *scanner = userdata;

	topology_free(TAKE(scanner->topology)); /* a second line replaces the first */
	return topology_parse(line, length, &scanner->topology, &report);
}

static void start(struct scanner *scanner);

/* Whoever is told may ask again at once, so the list that is walked is not the one that grows. */
static void tell(struct scanner *scanner, const struct topology *topology,
		 const struct error *error)
{
	while (scanner->now.n) {
		struct waiter waiter = scanner->now.waiters[--scanner->now.n];

		if (waiter.done)
			waiter.done(waiter.userdata, topology, error);
	}
	free(TAKE(scanner->now.waiters));
	if (scanner->again)
		(void)sd_event_source_set_enabled(scanner->starter, SD_EVENT_ONESHOT);
}

static void finish(struct scanner *scanner, struct error *error)
{
	struct topology *topology = TAKE(scanner->topology);

	worker_link_free(TAKE(scanner->link));
	(void)sd_event_source_set_enabled(scanner->limiter, SD_EVENT_OFF); /* it is there */
	if (error->code)
		topology_free(TAKE(topology));
	if (topology && !scanner->recent) {
		/* Half of it may be from before what has happened since: only who asked hears. */
		scanner->again = true;
		tell(scanner, topology, error);
		topology_free(topology);
	} else {
		scanner->sink(scanner->userdata, topology, error);
		tell(scanner, topology, error);
	}
	error_clear(error);
	(void)malloc_trim(0); /* the text of a topology is large, and we are idle for long */
}

/* Nobody waits for it any more: what it is not done with has been said. */
static void end_late(struct scanner *scanner)
{
	worker_link_free(TAKE(scanner->link));
	topology_free(TAKE(scanner->topology));
	scanner->late = false;
	(void)sd_event_source_set_enabled(scanner->limiter, SD_EVENT_OFF);
	if (scanner->again)
		(void)sd_event_source_set_enabled(scanner->starter, SD_EVENT_ONESHOT);
}

static void arm_limiter(struct scanner *scanner)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time(scanner->limiter,
				       (uint64_t)now.tv_sec * UINT64_C(1000000) +
					       (uint64_t)now.tv_nsec / 1000 + scanner->limit);
	(void)sd_event_source_set_enabled(scanner->limiter, SD_EVENT_ONESHOT);
}

/*
 * A worker that hangs in the kernel may not even die.  There is never a second one beside it,
 * but who waits is told, and who asks later too, each time the limit has passed again.
 */
static int on_limit(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct scanner *scanner = userdata;
	struct error error = ERROR_INIT;

	(void)source;
	(void)usec;
	if (!scanner->link)
		return 0;
	worker_link_stop(scanner->link);
	(void)error_set(&error, ETIMEDOUT,
			"The machine could not be looked at within %" PRIu64 " seconds.",
			scanner->limit / UINT64_C(1000000));
	(void)error_hint(&error, "something hangs in the kernel: see its messages in the journal");
	if (scanner->late) {
		free(scanner->now.waiters);
		scanner->now = scanner->next;
		scanner->next = (struct waiters){ 0 };
	}
	scanner->late = true;
	arm_limiter(scanner);
	scanner->sink(scanner->userdata, NULL, &error);
	tell(scanner, NULL, &error);
	error_clear(&error);
	return 0;
}

static void on_ended(void *userdata, const struct worker_end *end)
{
	struct scanner *scanner = userdata;
	struct error error = ERROR_INIT;

	if (scanner->late) {
		end_late(scanner);
		return;
	}
	if (!scanner->topology || end->refused || end->killed || end->code != 0)
		worker_end_error(end, &error);
	finish(scanner, &error);
}

static const struct worker_calls calls = {
	.line = take_line,
	.ended = on_ended,
	.line_max = TOPOLOGY_LINE_MAX,
};

static void start(struct scanner *scanner)
{
	struct error error = ERROR_INIT;

	scanner->again = false;
	scanner->recent = true;
	free(scanner->now.waiters);
	scanner->now = scanner->next;
	scanner->next = (struct waiters){ 0 };
	if (worker_link_start(scanner->spares, "scan", NULL, &calls, scanner,
			      &scanner->link, &error) < 0)
		finish(scanner, &error);
	else
		arm_limiter(scanner);
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct scanner *scanner = userdata;

	(void)source;
	if (!scanner->link && scanner->again)
		start(scanner);
	return 0;
}

static int ask(struct scanner *scanner)
{
	scanner->again = true;
	if (!scanner->link)
		return sd_event_source_set_enabled(scanner->starter, SD_EVENT_ONESHOT);
	return 0;
}

static int add_waiter(struct waiters *waiters, scan_done *done, void *userdata)
{
	struct waiter *waiter;

	waiter = ARRAY_APPEND(waiters->waiters, waiters->n);
	if (!waiter)
		return -ENOMEM;
	waiters->n++;
	*waiter = (struct waiter){ done, userdata };
	return 0;
}

int scanner_request(struct scanner *scanner, scan_done *done, void *userdata)
{
	int r = done ? add_waiter(&scanner->next, done, userdata) : 0;

	return r < 0 ? r : ask(scanner);
}

void scanner_expire(struct scanner *scanner)
{
	scanner->recent = false;
}

static void forget(struct waiters *waiters, const void *userdata)
{
	for (size_t i = 0; i < waiters->n; i++)
		if (waiters->waiters[i].userdata == userdata)
			waiters->waiters[i].done = NULL;
}

void scanner_forget(struct scanner *scanner, const void *userdata)
{
	forget(&scanner->now, userdata);
	forget(&scanner->next, userdata);
}

bool scanner_is_busy(const struct scanner *scanner)
{
	return scanner->link || scanner->again;
}

static int add_sources(struct scanner *scanner)
{
	int r = sd_event_add_defer(scanner->event, &scanner->starter, on_start, scanner);

	if (r >= 0)
		r = sd_event_source_set_enabled(scanner->starter, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(scanner->event, &scanner->limiter, CLOCK_MONOTONIC,
				      UINT64_MAX, 0, on_limit, scanner);
	if (r >= 0)
		r = sd_event_source_set_enabled(scanner->limiter, SD_EVENT_OFF);
	return r;
}

int scanner_new(sd_event *event, struct worker_spares *spares, unsigned int limit,
		scan_sink *sink, void *userdata, struct scanner **ret)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));
	int r;

	if (!scanner)
		return -ENOMEM;
	*scanner = (struct scanner){
		.event = event, .spares = spares, .sink = sink, .userdata = userdata,
		.limit = limit * UINT64_C(1000000),
	};
	r = add_sources(scanner);
	if (r < 0) {
		scanner_free(scanner);
		return r;
	}
	*ret = scanner;
	return 0;
}

void scanner_free(struct scanner *scanner)
{
	if (!scanner)
		return;
	worker_link_free(scanner->link);
	topology_free(scanner->topology);
	free(scanner->now.waiters);
	free(scanner->next.waiters);
	(void)sd_event_source_disable_unref(scanner->starter);
	(void)sd_event_source_disable_unref(scanner->limiter);
	free(scanner);
}
