/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon knows and wants: the host's configuration, the machine as it was last seen,
 * and the way from the one to the other.  It looks at the machine at start, after jobs and when
 * the kernel says that something came or went; what can be had without loss it has done by a
 * job of its own.  The manager owns everything else.
 */
#ifndef DAXD_MANAGER_H
#define DAXD_MANAGER_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/config.h"
#include "core/plan.h"
#include "core/topology.h"
#include "standing.h"
#include "view.h"

struct bus;
struct job;
struct monitor;
struct queue;
struct scanner;
struct worker_spares;
struct watches;

struct manager_options {
	const char *worker;	    /* path of the program */
	const char *const *folders; /* of the configuration, ends with NULL */
	const char *private_socket;
	unsigned int scan_limit; /* seconds */
};

/* What a configuration that is not there waits for before it is tried (again). */
enum manager_hold {
	HOLD_NONE,
	HOLD_TIME,
	HOLD_CHANGE, /* of the machine, or of the configuration */
};

struct manager {
	sd_event *event;
	struct worker_spares *spares;
	const char *const *folders;
	struct scanner *scanner;
	struct queue *queue;
	struct monitor *monitor;
	struct watches *watches;
	struct bus *bus;
	sd_event_source *timer; /* somebody becomes late, or a job is tried again */
	sd_event_source *starter;
	sd_event_source *patience; /* service.c */
	size_t n_told; /* what the job that runs had told when more time was asked for, */
	unsigned int n_silent; /* and how often it had told nothing since */
	unsigned int n_farewells;
	bool begun; /* udev has given the devices that were there their links and owners */

	struct config *config;
	bool *told;	  /* of each volume: the journal has why it is not there */
	char *stamp;		   /* of the files, before they were read */
	uint64_t check_files;	   /* when they are to be looked at again; 0: not */
	struct report mistakes;	   /* of the configuration's files */
	struct report rivals;	   /* notes; looked for once for each configuration */
	bool rivals_known;
	struct report unread; /* that files have changed since they were read */
	struct report twins; /* notes on windows that cannot be handed out */
	struct topology *topology; /* NULL: not seen yet */
	bool since_job;		   /* what the last job has changed was seen */
	uint64_t since;		   /* when the volumes began to wait */
	struct error blindness;	   /* why the last scan failed */
	struct standings standings;
	struct view view;  /* all of this as objects */
	struct plan *plan; /* what can be had without loss and is not there */
	struct plan *disks; /* the same of disks whose partitions are daxd's; NULL: none is */

	/* Jobs for the configuration that did not do what they should. */
	struct report failures;
	unsigned int n_failures; /* in a row */
	unsigned int n_busy;	 /* in a row: somebody else was at work, or the machine changed */
	uint64_t failed_digest;	 /* what the machine was after the last one; 0: not seen yet */
	enum manager_hold hold;
	uint64_t retry;	     /* HOLD_TIME: until then */
	uint64_t look_again; /* with blindness: when */
	unsigned int n_blind;
	/* A job that was done, and changed nothing: the next waits longer. */
	uint64_t tried_digest, done_digest; /* what the last job found; it was done */
	unsigned int n_vain;
	bool again;
	uint64_t digest;  /* of the machine as it was last seen */
	uint64_t settled; /* when it will have been the same for long enough to be judged */
	bool ready, stopping;
};

int manager_new(sd_event *event, const struct manager_options *options, struct manager **ret,
		struct error *reterr);
void manager_free(struct manager *manager);
/* Read the configuration anew and do what it says. */
void manager_reload(struct manager *manager);
/* End the event loop once what runs has stopped. */
void manager_stop(struct manager *manager);

/* Every volume is there as it is declared, and every file could be read. */
bool manager_is_configured(const struct manager *manager);

/* What was seen last, since the last job has ended; NULL: nothing was. */
const struct topology *manager_memory(const struct manager *manager);

/* For the queue. */
void manager_job_ended(struct manager *manager, struct job *job);
/* The queue is about to begin with a job. */
void manager_job_starts(struct manager *manager);
void manager_idle(struct manager *manager);

#endif
