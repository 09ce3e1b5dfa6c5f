/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the bus share, and nobody else: the connections, the vtables each of them
 * gets, and the values that D-Bus has and C has not.
 */
#ifndef DAXD_BUS_TREE_H
#define DAXD_BUS_TREE_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "bus.h"
#include "core/json-write.h"
#include "job.h"
#include "manager.h"
#include "scanner.h"
#include "view.h"

#define BUS_NAME "org.daxd1"
#define BUS_ROOT "/org/daxd1"
#define BUS_JOBS BUS_ROOT "/job"
#define BUS_MANAGER_INTERFACE BUS_NAME ".Manager"
#define BUS_JOB_INTERFACE BUS_NAME ".Job"
#define BUS_ERROR_INVALID BUS_NAME ".Error.Invalid"
#define BUS_ERROR_ENDED BUS_NAME ".Error.Ended"
#define BUS_ERROR_NO_WINDOW BUS_NAME ".Error.NoSuchWindow"
#define BUS_ERROR_TOO_MANY_JOBS BUS_NAME ".Error.TooManyJobs"

#define BUS_PEERS_MAX 64 /* on the private socket */
#define BUS_PROBLEMS_MAX 1000 /* in one answer: enough for a person */

/* What a call waits for. */
enum bus_wish {
	BUS_LOOK,   /* at the machine */
	BUS_CHANGE, /* to be allowed */
};

/*
 * A call that is not answered at once: the first member of whatever else is to be known of it.
 * Who calls is asked of the bus, without waiting; on the private socket it is root.  How many
 * calls of one user wait is limited, so that nobody is kept out by another, and root never is.
 */
struct bus_caller {
	struct bus_caller *next; /* in the bus's list */
	struct bus *bus;
	sd_bus_message *message;
	enum bus_wish wants;
	/* It is known who calls. */
	void (*found)(struct bus_caller *caller);
	/* Of what it is the first member: it was answered, or its connection is gone. */
	void (*free)(struct bus_caller *caller);
	sd_bus_slot *slot; /* of the question that is open */
	bool known;
	uid_t uid;
};

/* What a fallback vtable needs to find its object. */
struct bus_kind {
	struct bus *bus;
	enum object_kind kind;
};

struct bus {
	struct manager *manager;
	sd_bus *system;	 /* NULL: waiting to try again */
	bool system_is_up; /* connected, so it makes sense to tell it things */
	sd_bus *peers[BUS_PEERS_MAX];
	size_t n_peers;
	int listener;
	char *socket; /* its path */
	sd_event_source *accept, *retry, *nudge, *tidy, *teller;
	struct bus_kind kinds[N_OBJECT_KINDS];
	struct bus_caller *callers; /* who wait for an answer */
	bool configured;	  /* as it was last told */
	uint64_t problems;	  /* digest of what was last told */
};

/* Call back for each connection that listens. */
typedef void bus_call(sd_bus *connection, const void *argument);
void bus_for_each(struct bus *bus, bus_call *call, const void *argument);
/* Is it a connection to the private socket, and so root's? */
bool bus_is_private(const struct bus *bus, const sd_bus *connection);

/* Put the vtables on a new connection. */
int bus_export_manager(struct bus *bus, sd_bus *connection);
int bus_export_objects(struct bus *bus, sd_bus *connection);
int bus_export_jobs(struct bus *bus, sd_bus *connection);

/*
 * bus-caller.c: bus, message (a reference that it takes), wants, found and free are set.  1: the
 * reply comes later, or has come; else the owner frees it, also what has not been begun with.
 */
int bus_caller_find(struct bus_caller *caller, sd_bus_error *error);
void bus_caller_clear(struct bus_caller *caller);
/* It is known who it is, not root, and as many of his wait as may. */
bool bus_caller_is_one_too_many(const struct bus_caller *caller);
/* Look at the machine for him, unless he asks for too much: done gets the caller. */
void bus_caller_look(struct bus_caller *caller, scan_done *done);
/* The connection is gone (NULL: every one), and so are those who asked. */
void bus_callers_forget(struct bus *bus, const sd_bus *connection);

/* bus-window.c */
int bus_method_open_window(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-values.c */
int bus_append_problems(sd_bus_message *message, const struct report *problems);
/* The same in pieces, for several reports in one array. */
int bus_append_problem(sd_bus_message *message, const struct error *problem);

/* bus-disk.c: what a namespace says of the partitions of its disk, each aa{sv}. */
enum bus_part {
	BUS_PARTITIONS, /* of the table */
	BUS_NATIVES,
	BUS_MAPS,
	BUS_PENDING,
};
int bus_append_part(sd_bus_message *message, enum bus_part part, const struct object *object);
bool bus_same_part(enum bus_part part, const struct object *a, const struct object *b);

struct bus_option {
	const char *name;
	bool *value;
};
/* Read the a{sv} every method ends in; what is not in the list is refused. */
int bus_read_options(sd_bus_message *message, const struct bus_option *options, size_t n,
		     sd_bus_error *error);
/* The a{sv} that comes next, as the members of a JSON object. */
int bus_read_json(sd_bus_message *message, struct json_out *out, const char *key,
		  sd_bus_error *error);

/* What is to be told of jobs. */
int bus_tell_jobs(sd_event_source *source, uint64_t usec, void *userdata);
/* What sd-event does by itself is a quarter second. */
#define BUS_TELL_ACCURACY UINT64_C(1000)
/* The caller frees; NULL: no memory. */
char *bus_job_path(const struct job *job);

#endif
