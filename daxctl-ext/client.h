/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the command line reaches what touches the machine: a separate program, daxd-worker, that
 * is run for one scan or one apply.  Nothing else here knows how that is done.  With a file as
 * the machine nothing is run for a scan, and apply changes that file.
 */
#ifndef DAXCTL_EXT_CLIENT_H
#define DAXCTL_EXT_CLIENT_H

#include "cli.h"
#include "core/event.h"
#include "core/plan.h"
#include "core/topology.h"

struct client {
	const char *worker;	/* path of the program; NULL: the installed one */
	const char *simulation; /* topology file that is the machine; NULL: this machine */
};

/* Problems are added; only CLI_DONE fills *ret. */
enum cli_exit client_scan(const struct client *client, struct topology **ret,
			  struct report *problems);

/* Told of each event as it comes; line is its JSON without the newline. */
typedef void client_event(void *userdata, const struct event *event, const char *line);

/*
 * Run the plan until its end event, which the callback gets too.  CLI_DONE says only that there
 * was one: *ret is what it says.
 */
enum cli_exit client_apply(const struct client *client, const struct plan *plan,
			   client_event *callback, void *userdata, enum outcome *ret,
			   struct report *problems);

#endif
