/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs: one runs, some wait, the last that have ended are kept to be looked at.  The queue
 * owns them all.
 */
#ifndef DAXD_QUEUE_H
#define DAXD_QUEUE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "job.h"

#define QUEUE_WAITING_MAX 64
#define QUEUE_WAITING_OF_USER_MAX 16
#define QUEUE_ENDED_KEPT 32

struct queue;

int queue_new(struct manager *manager, sd_event *event, struct queue **ret);
void queue_free(struct queue *queue);
/* Takes the job, also when it does not: -ENOBUFS, when too many wait. */
int queue_add(struct queue *queue, struct job *job);
/* Job n in order of their numbers, or NULL behind the last. */
struct job *queue_get(const struct queue *queue, size_t n);
struct job *queue_find(const struct queue *queue, uint64_t id);
struct job *queue_running(const struct queue *queue);
bool queue_is_idle(const struct queue *queue);
/* No new jobs, cancel what waits, ask what runs to stop. */
void queue_stop(struct queue *queue);

/* For jobs: this one has just ended. */
void queue_ended(struct queue *queue, struct job *job);

#endif
