/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"

#define JOBS_MAX (QUEUE_WAITING_MAX + 1 + QUEUE_ENDED_KEPT + 1)

struct queue {
	struct manager *manager;
	struct job *jobs[JOBS_MAX]; /* by id */
	size_t n;
	uint64_t last_id;
	struct job *running;
	sd_event_source *starter; /* next job: never from inside the one before it */
	bool stopped;
};

static size_t count_waiting(const struct queue *queue, const uid_t *uid)
{
	size_t n = 0;

	for (size_t i = 0; i < queue->n; i++)
		n += queue->jobs[i]->state == JOB_QUEUED && (!uid || queue->jobs[i]->uid == *uid);
	return n;
}

static void remove_job(struct queue *queue, size_t at)
{
	struct job *job = queue->jobs[at];

	bus_job_removed(queue->manager->bus, job);
	ARRAY_REMOVE(queue->jobs, queue->n, &queue->jobs[at]);
	job_free(job);
}

/* The one that has just ended is looked at by its caller still: it is the last to go. */
static void forget_old(struct queue *queue)
{
	size_t ended = 0;

	for (size_t i = queue->n; i-- > 0;)
		if (queue->jobs[i]->state == JOB_ENDED && ended++ >= QUEUE_ENDED_KEPT)
			remove_job(queue, i);
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct queue *queue = userdata;

	(void)source;
	forget_old(queue);
	for (size_t i = 0; !queue->running && i < queue->n; i++)
		if (queue->jobs[i]->state == JOB_QUEUED) {
			queue->running = queue->jobs[i];
			manager_job_starts(queue->manager);
			job_start(queue->running);
			break;
		}
	if (queue_is_idle(queue))
		manager_idle(queue->manager);
	return 0;
}

static void schedule(struct queue *queue)
{
	/* It fails only for a source that is not there. */
	(void)sd_event_source_set_enabled(queue->starter, SD_EVENT_ONESHOT);
}

int queue_add(struct queue *queue, struct job *job)
{
	if (queue->stopped || queue->n == JOBS_MAX ||
	    count_waiting(queue, NULL) >= QUEUE_WAITING_MAX ||
	    count_waiting(queue, &job->uid) >= QUEUE_WAITING_OF_USER_MAX) {
		job_free(job);
		return -ENOBUFS;
	}
	job->id = ++queue->last_id;
	queue->jobs[queue->n++] = job;
	bus_job_added(queue->manager->bus, job);
	schedule(queue);
	return 0;
}

void queue_ended(struct queue *queue, struct job *job)
{
	if (queue->running == job)
		queue->running = NULL;
	manager_job_ended(queue->manager, job);
	bus_job_ended(queue->manager->bus, job);
	log_job(job); /* those who wait come first */
	schedule(queue);
}

struct job *queue_get(const struct queue *queue, size_t n)
{
	return n < queue->n ? queue->jobs[n] : NULL;
}

struct job *queue_find(const struct queue *queue, uint64_t id)
{
	for (size_t i = 0; i < queue->n; i++)
		if (queue->jobs[i]->id == id)
			return queue->jobs[i];
	return NULL;
}

struct job *queue_running(const struct queue *queue)
{
	return queue->running;
}

bool queue_is_idle(const struct queue *queue)
{
	return !queue->running && count_waiting(queue, NULL) == 0;
}

void queue_stop(struct queue *queue)
{
	queue->stopped = true;
	for (size_t i = 0; i < queue->n; i++)
		job_cancel(queue->jobs[i]);
	schedule(queue);
}

int queue_new(struct manager *manager, sd_event *event, struct queue **ret)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	int r;

	if (!queue)
		return -ENOMEM;
	queue->manager = manager;
	r = sd_event_add_defer(event, &queue->starter, on_start, queue);
	if (r >= 0)
		r = sd_event_source_set_enabled(queue->starter, SD_EVENT_OFF);
	if (r < 0) {
		queue_free(queue);
		return r;
	}
	*ret = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	for (size_t i = 0; i < queue->n; i++)
		job_free(queue->jobs[i]);
	(void)sd_event_source_disable_unref(queue->starter);
	free(queue);
}
