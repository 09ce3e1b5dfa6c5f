/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd is told: how things stand, and that it must be patient.  It gives up a start or
 * stop that takes longer than the unit says, and to put some terabytes online does; so as long as
 * a job runs then, it is asked for more time, again and again.  Who is idle and ready is not
 * woken up for that.
 */
#ifndef DAXD_SERVICE_H
#define DAXD_SERVICE_H

#include "manager.h"

/* The manager's source for what follows. */
int service_new(struct manager *manager);
void service_tell_status(const struct manager *manager);
/* A job is about to begin. */
void service_job_starts(struct manager *manager);
/* The manager has been told to stop. */
void service_stops(struct manager *manager);
/* End the event loop once those who wait have been told, in two seconds at most. */
void service_leave(struct manager *manager);

#endif
