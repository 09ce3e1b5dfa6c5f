/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daxd as the command line sees it: the only place where D-Bus is spoken.  What comes back is
 * JSON text, made from D-Bus values one to one, with the names of properties in lower case
 * ("StartedByUID" is "started_by_uid"); whoever wants one member reads it as any document.
 *
 * Objects are told by their kind (job, volume, region, namespace, device), and their id, the
 * last word of their path; the manager has none.
 */
#ifndef DAXCTL_EXT_CLIENT_BUS_H
#define DAXCTL_EXT_CLIENT_BUS_H

#include "base/macro.h"
#include "cli.h"
#include "interrupt.h"

struct bus;

/*
 * Over the system bus, which starts daxd where it can; else, for root, over daxd's own socket.
 * *ret is NULL when daxd is not there, which is no error.  shortest: the socket first, which
 * ends with the daemon, and nobody is started: daxd would do what its files say, and who only
 * looks has not asked for that.
 */
enum cli_exit bus_open(bool ask_password, bool shortest, struct bus **ret,
		       struct report *problems);
void bus_free(struct bus *bus);
DEFINE_FREEP(struct bus, bus)

/*
 * A document of this length is to be sent: one that is too long for the system bus goes over
 * daxd's own socket, for root.  Before bus_watch(), which does not outlast it.
 */
enum cli_exit bus_make_room(struct bus *bus, size_t length, struct report *problems);

/*
 * Each adds to the problems unless it returns CLI_DONE; texts are freed by the caller.
 * from_memory: what was seen last is good enough, when that was since the last job had ended.
 */
enum cli_exit bus_get_topology(struct bus *bus, bool from_memory, char **ret,
			       struct report *problems);
/* *ret_plan is "" when it cannot be had; *ret_problems is an object with "problems". */
enum cli_exit bus_plan(struct bus *bus, const char *document, char **ret_plan,
		       char **ret_problems, struct report *problems);
enum cli_exit bus_apply(struct bus *bus, const char *document, bool allow_data_loss,
			char **ret_id, struct report *problems);
enum cli_exit bus_cancel(struct bus *bus, const char *id, struct report *problems);
/* An array of the objects of a kind. */
enum cli_exit bus_list(struct bus *bus, const char *kind, char **ret, struct report *problems);
/* What is true of all: version, configured, problems. */
enum cli_exit bus_get_manager(struct bus *bus, char **ret, struct report *problems);
/* "" before it is made. */
enum cli_exit bus_get_job_plan(struct bus *bus, const char *id, char **ret,
			       struct report *problems);
/* "State" and the like; what is no text is an error. */
enum cli_exit bus_get_job_text(struct bus *bus, const char *id, const char *property, char **ret,
			       struct report *problems);

enum change_kind {
	CHANGE_CAME,	/* an object; json: all it has */
	CHANGE_WENT,	/* an object; of kind "daxd": the daemon itself */
	CHANGE_CHANGED, /* json: what changed */
	CHANGE_EVENT,	/* of a job; json: the event */
	CHANGE_ENDED,	/* of a job; json: outcome and problems */
};

struct change {
	enum change_kind kind;
	const char *object, *id; /* "job", "3" */
	const char *json;	 /* NULL: there is none */
};

typedef void bus_change(void *userdata, const struct change *change);

/*
 * From now on each change is kept until bus_next() hands it out.  Who calls it once more gets
 * them instead of who did before.
 */
enum cli_exit bus_watch(struct bus *bus, bus_change *callback, void *userdata,
			struct report *problems);

#define BUS_FOREVER UINT64_MAX

/*
 * Wait for something and hand it out, one thing at a time.  deadline is in nanoseconds of
 * CLOCK_MONOTONIC.  -ETIMEDOUT, or what the connection died of.
 */
int bus_next(struct bus *bus, uint64_t deadline, struct interrupt *interrupt,
	     enum interrupt_answer *ret);
uint64_t bus_now(void);

#endif
