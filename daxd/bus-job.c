/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs as objects, and what they tell. */
#include "bus-tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polkit.h"
#include "queue.h"

/* Properties of a job that change. */
#define N_CHANGING 7
#define TELL_DELAY UINT64_C(30000) /* microseconds */

char *bus_job_path(const struct job *job)
{
	char *path;

	return asprintf(&path, BUS_JOBS "/%" PRIu64, job->id) < 0 ? NULL : path;
}

#define GETTER(name, ...)                                                      \
	static int name(sd_bus *connection, const char *path, const char *interface, \
			const char *property, sd_bus_message *reply, void *userdata, \
			sd_bus_error *error)                                   \
	{                                                                      \
		const struct job *job = userdata;                              \
                                                                               \
		(void)connection;                                              \
		(void)path;                                                    \
		(void)interface;                                               \
		(void)property;                                                \
		(void)error;                                                   \
		__VA_ARGS__                                                    \
	}

GETTER(get_operation,
       return sd_bus_message_append(reply, "s", job_operation_word(job->operation));)
GETTER(get_state, return sd_bus_message_append(reply, "s", job_state_word(job->state));)
GETTER(get_outcome, return sd_bus_message_append(reply, "s", job_outcome_word(job->outcome));)
GETTER(get_steps, return sd_bus_message_append(reply, "u", (uint32_t)(job->plan ?
						job->plan->n_steps : 0));)
GETTER(get_steps_done, return sd_bus_message_append(reply, "u", (uint32_t)job->steps_done);)
GETTER(get_uid, return sd_bus_message_append(reply, "u", (uint32_t)job->uid);)
GETTER(get_created, return sd_bus_message_append(reply, "t", job->created);)
GETTER(get_problems, return bus_append_problems(reply, &job->problems);)
GETTER(get_plan,
       _cleanup_(freep) char *text = job->plan ? plan_to_json(job->plan, false) : strdup("");
       return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;)
GETTER(get_current_step,
       _cleanup_(freep) char *text = job_current_step(job);
       return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;)

/* The job may have ended, or gone, while somebody was asked. */
static void cancel_authorized(struct request *request)
{
	struct job *job = queue_find(request->caller.bus->manager->queue, request->job);

	if (job && job->state != JOB_ENDED) {
		job_cancel(job);
		(void)sd_bus_reply_method_return(request->caller.message, "");
		return;
	}
	(void)sd_bus_reply_method_errorf(request->caller.message, BUS_ERROR_ENDED,
					 "Job %" PRIu64 " has ended%s%s.", request->job,
					 job ? ": " : "",
					 job ? job_outcome_word(job->outcome) : "");
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const struct job *job = userdata;
	struct request *request;
	int r;

	r = bus_read_options(message, NULL, 0, error);
	if (r < 0)
		return r;
	request = request_new(job->manager->bus, message, cancel_authorized);
	if (!request)
		return -ENOMEM;
	request->actions[0] = ACTION_CANCEL;
	request->operation = job->operation;
	request->owner = job->uid;
	request->job = job->id;
	return polkit_check(request, error);
}

static const sd_bus_vtable job_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
				method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Operation", "s", get_operation, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Outcome", "s", get_outcome, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	/* It is long: who wants it asks for it, and who asks for all objects does not get it. */
	SD_BUS_PROPERTY("Plan", "s", get_plan, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION |
				SD_BUS_VTABLE_PROPERTY_EXPLICIT),
	SD_BUS_PROPERTY("Steps", "u", get_steps, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("StepsDone", "u", get_steps_done, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("CurrentStep", "s", get_current_step, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("StartedByUID", "u", get_uid, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Created", "t", get_created, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Problems", "aa{sv}", get_problems, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_SIGNAL_WITH_ARGS("Events", SD_BUS_ARGS("as", events), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Ended", SD_BUS_ARGS("s", outcome, "aa{sv}", problems), 0),
	SD_BUS_VTABLE_END,
};

static int find(sd_bus *connection, const char *path, const char *interface, void *userdata,
		void **ret, sd_bus_error *error)
{
	const struct bus *bus = userdata;
	const char *digits = path + strlen(BUS_JOBS) + 1;
	struct job *job;
	char *end;
	uint64_t id;

	(void)connection;
	(void)interface;
	(void)error;
	if (strlen(path) <= strlen(BUS_JOBS) + 1 || *digits < '1' || *digits > '9')
		return 0;
	errno = 0;
	id = strtoull(digits, &end, 10);
	if (*end || errno)
		return 0;
	job = queue_find(bus->manager->queue, id);
	if (!job)
		return 0;
	*ret = job;
	return 1;
}

static int enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret,
		     sd_bus_error *error)
{
	const struct bus *bus = userdata;
	const struct job *job;
	char **paths;
	size_t n = 0;

	(void)connection;
	(void)prefix;
	(void)error;
	while (queue_get(bus->manager->queue, n))
		n++;
	paths = calloc(n + 1, sizeof(*paths)); /* freed by sd-bus, each string too */
	if (!paths)
		return -ENOMEM;
	for (n = 0; (job = queue_get(bus->manager->queue, n)); n++)
		if (!(paths[n] = bus_job_path(job)))
			break; /* the list ends early; memory is gone anyway */
	*ret = paths;
	return 0;
}

int bus_export_jobs(struct bus *bus, sd_bus *connection)
{
	int r;

	r = sd_bus_add_fallback_vtable(connection, NULL, BUS_JOBS, BUS_JOB_INTERFACE, job_vtable,
				       find, bus);
	return r < 0 ? r : sd_bus_add_node_enumerator(connection, NULL, BUS_JOBS, enumerate, bus);
}

/* What is to be told of a job. */
struct news {
	const struct job *job;
	char *path;
	char **names;
};

/* What a connection that cannot be told misses, it can ask for; so failures do not count. */
static void emit_added(sd_bus *connection, const void *argument)
{
	(void)sd_bus_emit_object_added(connection, ((const struct news *)argument)->path);
}

static void emit_removed(sd_bus *connection, const void *argument)
{
	(void)sd_bus_emit_object_removed(connection, ((const struct news *)argument)->path);
}

static void emit_changed(sd_bus *connection, const void *argument)
{
	const struct news *news = argument;

	(void)sd_bus_emit_properties_changed_strv(connection, news->path, BUS_JOB_INTERFACE,
						  news->names);
}

static void emit_events(sd_bus *connection, const void *argument)
{
	const struct news *news = argument;
	sd_bus_message *signal = NULL;
	int r;

	r = sd_bus_message_new_signal(connection, &signal, news->path, BUS_JOB_INTERFACE, "Events");
	if (r >= 0)
		r = sd_bus_message_append_strv(signal, news->job->lines);
	if (r >= 0)
		(void)sd_bus_send(connection, signal, NULL);
	(void)sd_bus_message_unref(signal);
}

static void emit_ended(sd_bus *connection, const void *argument)
{
	const struct news *news = argument;
	sd_bus_message *signal = NULL;
	int r;

	r = sd_bus_message_new_signal(connection, &signal, news->path, BUS_JOB_INTERFACE, "Ended");
	if (r >= 0)
		r = sd_bus_message_append(signal, "s", job_outcome_word(news->job->outcome));
	if (r >= 0)
		r = bus_append_problems(signal, &news->job->problems);
	if (r >= 0)
		(void)sd_bus_send(connection, signal, NULL);
	(void)sd_bus_message_unref(signal);
}

static void tell(struct bus *bus, const struct job *job, bus_call *call, struct news *news)
{
	_cleanup_(freep) char *path = bus ? bus_job_path(job) : NULL;

	news->job = job;
	news->path = path;
	if (path)
		bus_for_each(bus, call, news);
}

void bus_job_added(struct bus *bus, const struct job *job)
{
	tell(bus, job, emit_added, &(struct news){ 0 });
}

void bus_job_removed(struct bus *bus, const struct job *job)
{
	tell(bus, job, emit_removed, &(struct news){ 0 });
}

static void tell_within(struct bus *bus, uint64_t delay)
{
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time_relative(bus->teller, delay);
	(void)sd_event_source_set_enabled(bus->teller, SD_EVENT_ONESHOT);
}

/*
 * What is told wakes up the bus and all who listen, who take the processors from the job: a short
 * one has ended before.
 */
static void tell_later(struct bus *bus)
{
	if (bus && sd_event_source_get_enabled(bus->teller, NULL) == 0)
		tell_within(bus, TELL_DELAY); /* else it will be told with the rest */
}

/* A line that there is no memory for can be asked for: it is in the state of the job. */
void bus_job_event(struct bus *bus, struct job *job, enum event_kind kind, const char *line)
{
	char **slot = bus ? ARRAY_APPEND(job->lines, job->n_lines) : NULL;

	if (slot && (*slot = strdup(line)))
		job->n_lines++;
	/* Who follows the job asks for its plan then, while that runs; and the end is near. */
	if (bus && kind != EVENT_STEP)
		tell_within(bus, kind == EVENT_BEGIN ? 0 : TELL_DELAY);
	else
		tell_later(bus);
}

void bus_job_changed(struct bus *bus, struct job *job, enum bus_job_change change)
{
	job->changed |= 1u << change;
	tell_later(bus);
}

/* The list of names ends with NULL. */
static void name_changes(const struct job *job, char *names[N_CHANGING + 1])
{
	static char state[] = "State", outcome[] = "Outcome", problems[] = "Problems",
		    plan[] = "Plan", steps[] = "Steps", done[] = "StepsDone",
		    step[] = "CurrentStep";
	bool ended = job->state == JOB_ENDED;
	size_t n = 0;

	if (job->changed & 1u << BUS_JOB_STATE) {
		names[n++] = state;
		if (ended)
			names[n++] = outcome;
	}
	if (job->changed & 1u << BUS_JOB_PROBLEMS)
		names[n++] = problems;
	if (job->changed & 1u << BUS_JOB_PLAN) {
		names[n++] = plan;
		names[n++] = steps;
	}
	if (job->changed & 1u << BUS_JOB_PROGRESS)
		names[n++] = done;
	if (job->changed & (1u << BUS_JOB_PROGRESS | 1u << BUS_JOB_STATE))
		names[n++] = step;
	names[n] = NULL;
}

static void tell_rest(struct bus *bus, struct job *job)
{
	char *names[N_CHANGING + 1];
	char **end;

	if (job->n_lines && (end = ARRAY_APPEND(job->lines, job->n_lines))) {
		*end = NULL;
		tell(bus, job, emit_events, &(struct news){ 0 });
		while (job->n_lines)
			free(job->lines[--job->n_lines]);
	}
	if (job->changed) {
		name_changes(job, names);
		tell(bus, job, emit_changed, &(struct news){ .names = names });
		job->changed = 0;
	}
}

int bus_tell_jobs(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus *bus = userdata;
	struct job *job;

	(void)source;
	(void)usec;
	for (size_t i = 0; (job = queue_get(bus->manager->queue, i)); i++)
		tell_rest(bus, job);
	return 0;
}

void bus_job_ended(struct bus *bus, struct job *job)
{
	tell_rest(bus, job);
	tell(bus, job, emit_ended, &(struct news){ 0 });
}
