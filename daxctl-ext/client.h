/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the command line reaches what knows and touches the machine: daxd over D-Bus
 * (client-bus.h); where there is none, for root, a separate program, daxd-worker, that is run
 * for one scan or one apply.  Scans of root are by it even where daxd runs: that is sooner.  With
 * a file as the machine nothing is asked or run for a scan, and apply changes that file.
 */
#ifndef DAXCTL_EXT_CLIENT_H
#define DAXCTL_EXT_CLIENT_H

#include "cli.h"
#include "client-bus.h"
#include "core/event.h"
#include "core/plan.h"
#include "core/scope.h"
#include "core/topology.h"
#include "interrupt.h"
#include "worker.h"

/* How much of the machine a scan is to see. */
enum client_look {
	LOOK_ALL,
	LOOK_LIST,  /* what a list of dax devices needs */
	LOOK_QUICK, /* what daxd saw last; without it all but who holds what */
};

struct client {
	const char *worker;	/* path of the program that is to be run, and daxd not asked;
				   NULL: as said above */
	const char *simulation; /* topology file that is the machine; NULL: this machine */
	bool applies;		/* what is looked at is to be changed then: where that is for a
				   worker of our own, it is started beside the one that looks */
	struct worker *spare;	/* this one; NULL: none */
	bool recalls;		/* a worker of our own is to look when it has applied: */
	struct topology *after; /* what it saw then, */
	struct scope scope;	/* of this alone */
	bool ask_password;	/* polkit may */
	struct bus *bus;	/* daxd; NULL: not asked for yet, or there is none */
	int queue;		/* the turn of client_queue(), or -1 */
};

/* topology NULL: this machine. */
void client_init(struct client *client, const char *topology);
void client_clear(struct client *client);

/* Has the kernel been told daxd=off? Then no daxd runs until the next boot. */
bool client_is_switched_off(void);
/*
 * Look for daxd.  Without it root goes on, with client->bus NULL; others get a problem.  Called
 * by client_scan() where need be, which is not for root.
 */
enum cli_exit client_connect(struct client *client, struct report *problems);
/* The same for what only daxd can do: it must be there. */
enum cli_exit client_need_daemon(struct client *client, struct report *problems);

/*
 * Where daxd is not, wait for those before us, so that what is looked at is what is changed.
 * Without a place in the queue nothing is wrong: a plan that comes too late is made anew.
 */
void client_queue(struct client *client);
void client_leave_queue(struct client *client);

/* Problems are added; only CLI_DONE fills *ret. */
enum cli_exit client_scan(struct client *client, enum client_look look, struct topology **ret,
			  struct report *problems);
/*
 * What a worker of our own has told when it had applied, which it does with client->recalls; what
 * it did not look at is taken from before, which was seen before that and is freed then.  Once:
 * false the next time.
 */
bool client_recall(struct client *client, struct topology *before, struct topology **ret);

/* Told of each event as it comes; line is its JSON without the newline. */
typedef void client_event(void *userdata, const struct event *event, const char *line);

/*
 * Run the plan by a worker of our own until its end event, which the callback gets too.
 * CLI_DONE says only that there was one: *ret is what it says.
 */
enum cli_exit client_apply(struct client *client, const struct plan *plan,
			   client_event *callback, void *userdata, struct interrupt *interrupt,
			   enum outcome *ret, struct report *problems);

#endif
