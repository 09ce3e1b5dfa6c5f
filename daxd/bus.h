/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon on D-Bus: the system bus, when there is one, and a socket of its own for root.
 * The rest of the daemon tells what has happened and knows nothing of connections; a bus that
 * is NULL hears nothing.
 */
#ifndef DAXD_BUS_H
#define DAXD_BUS_H

#include "base/error.h"
#include "core/event.h"

struct bus;
struct job;
struct manager;
struct view;

int bus_new(struct manager *manager, const char *private_socket, struct bus **ret,
	    struct error *reterr);
/* It is not waited for who has not read yet what he was told. */
void bus_free(struct bus *bus);
bool bus_has_told_all(const struct bus *bus);

/*
 * Before the manager's view changes: objects that will not be there; after: those that are new,
 * and what has changed in the others.
 */
void bus_objects_leave(struct bus *bus, const struct view *now, const struct view *next);
void bus_objects_enter(struct bus *bus, const struct view *before, const struct view *now);
/* Perhaps; it is told only when it is so. */
void bus_manager_changed(struct bus *bus);

enum bus_job_change {
	BUS_JOB_STATE,
	BUS_JOB_PLAN,
	BUS_JOB_PROGRESS,
	BUS_JOB_PROBLEMS,
};

void bus_job_added(struct bus *bus, const struct job *job);
void bus_job_removed(struct bus *bus, const struct job *job);
/* These two are told a moment later, with what else there is to tell by then. */
void bus_job_changed(struct bus *bus, struct job *job, enum bus_job_change change);
void bus_job_event(struct bus *bus, struct job *job, enum event_kind kind, const char *line);
void bus_job_ended(struct bus *bus, struct job *job);

#endif
