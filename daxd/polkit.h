/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A method call that changes something, from the moment it was understood to the moment it is
 * allowed.  Who calls is asked of the bus, whether they may of polkit, both without waiting.
 * Root may everything, polkit or not.
 */
#ifndef DAXD_POLKIT_H
#define DAXD_POLKIT_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "bus-tree.h"
#include "core/config.h"
#include "job.h"

#define ACTION_APPLY "org.daxd1.apply"
#define ACTION_DESTROY_DATA "org.daxd1.destroy-data"
#define ACTION_CANCEL "org.daxd1.cancel"

struct request {
	struct bus_caller caller;
	const char *actions[3]; /* all must be allowed, in this order; ends with NULL */
	size_t action;
	uid_t owner;		/* who needs no authorisation; 0: root alone */
	/* Everything is allowed: act and reply. Does not free. */
	void (*authorized)(struct request *request);

	enum job_operation operation;
	struct config *config;
	bool host; /* the document is the host's own configuration, */
	struct report mistakes; /* without the files that have these */
	bool allow_data_loss;
	uint64_t job;
};

/* Takes the message as a reference; NULL: no memory. */
struct request *request_new(struct bus *bus, sd_bus_message *message,
			    void (*authorized)(struct request *request));
void request_free(struct request *request);
DEFINE_FREEP(struct request, request)

/* Owns the request, also on failure. 1: the reply comes later, or has come. */
int polkit_check(struct request *request, sd_bus_error *error);

#endif
