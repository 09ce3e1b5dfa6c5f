/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "bus.h"
#include "job.h"
#include "queue.h"

#define SECOND UINT64_C(1000000)
#define MORE_TIME (120 * SECOND)
#define ASK_AGAIN (60 * SECOND)
#define SILENT_MAX 10 /* times */
#define FAREWELL_TICKS 40 /* for who does not read what he is told */
#define FAREWELL_TICK (SECOND / 20)

static void tell_counts(const struct manager *manager)
{
	size_t present = standings_count(&manager->standings, VOLUME_PRESENT);
	size_t waiting = standings_count(&manager->standings, VOLUME_WAITING);
	size_t n = manager->standings.n, mistakes = manager->mistakes.n;

	(void)sd_notifyf(0,
			 "STATUS=%zu of %zu volume%s as configured, %zu wait%s for %s region; "
			 "%zu problem%s with the files.",
			 present, n, n == 1 ? " is" : "s are", waiting, waiting == 1 ? "s" : "",
			 waiting == 1 ? "its" : "their", mistakes, mistakes == 1 ? "" : "s");
}

void service_tell_status(const struct manager *manager)
{
	const struct job *job = queue_running(manager->queue);

	if (job)
		(void)sd_notifyf(0, "STATUS=Job %" PRIu64 " (%s) is under way.", job->id,
				 job_operation_word(job->operation));
	else if (manager->blindness.code)
		(void)sd_notifyf(0, "STATUS=%s", error_message(&manager->blindness));
	else
		tell_counts(manager);
}

static void wake_up_in(struct manager *manager, uint64_t delay)
{
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time_relative(manager->patience, delay);
	(void)sd_event_source_set_enabled(manager->patience, SD_EVENT_ONESHOT);
}

/* A step that tells nothing for long may never end; what then becomes of it is systemd's to say. */
static bool is_silent(struct manager *manager, const struct job *job)
{
	if (job->n_events != manager->n_told)
		manager->n_silent = 0;
	manager->n_told = job->n_events;
	return manager->n_silent++ == SILENT_MAX;
}

static void ask_for_time(struct manager *manager)
{
	const struct job *job = queue_running(manager->queue);

	if ((manager->ready && !manager->stopping) || (job && is_silent(manager, job)))
		return;
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, MORE_TIME);
	wake_up_in(manager, ASK_AGAIN);
}

void service_job_starts(struct manager *manager)
{
	manager->n_silent = 0;
	ask_for_time(manager);
}

void service_stops(struct manager *manager)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Waiting for the step that runs.");
	if (queue_running(manager->queue))
		ask_for_time(manager);
}

void service_leave(struct manager *manager)
{
	if (bus_has_told_all(manager->bus) || manager->n_farewells++ == FAREWELL_TICKS)
		(void)sd_event_exit(manager->event, 0); /* it fails only when it is exiting */
	else
		wake_up_in(manager, FAREWELL_TICK);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	if (queue_running(manager->queue))
		ask_for_time(manager);
	else if (manager->stopping && queue_is_idle(manager->queue))
		service_leave(manager);
	return 0;
}

int service_new(struct manager *manager)
{
	int r = sd_event_add_time(manager->event, &manager->patience, CLOCK_MONOTONIC, UINT64_MAX,
				  0, on_patience, manager);

	return r < 0 ? r : sd_event_source_set_enabled(manager->patience, SD_EVENT_OFF);
}
