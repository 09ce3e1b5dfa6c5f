/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods and properties of org.daxd1.Manager. */
#include "bus-tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/topology-json.h"
#include "host/folders.h"
#include "polkit.h"
#include "queue.h"
#include "scanner.h"

/* A call that is answered once the machine was looked at. */
struct question {
	struct bus_caller caller;
	struct config *config;
	bool host; /* it is the host's own: what cannot be had of it is left out */
	struct report problems;
	int (*answer)(struct question *question, const struct topology *topology);
};

static void question_free(struct question *question)
{
	if (!question)
		return;
	bus_caller_clear(&question->caller);
	config_free(question->config);
	report_clear(&question->problems);
	free(question);
}

static void on_scanned(void *userdata, const struct topology *topology, const struct error *error)
{
	struct question *question = userdata;
	sd_bus_message *message = question->caller.message;
	int r = 0;

	if (topology)
		r = question->answer(question, topology);
	else
		(void)sd_bus_reply_method_errorf(message, SD_BUS_ERROR_FAILED, "%s",
						 error_message(error));
	if (r < 0)
		(void)sd_bus_reply_method_errno(message, r, NULL);
	question_free(question);
}

/* Who uses a device is told by no event, so what was seen a moment ago may be wrong now. */
static void on_caller(struct bus_caller *caller)
{
	bus_caller_look(caller, on_scanned);
}

static void free_caller(struct bus_caller *caller)
{
	scanner_forget(caller->bus->manager->scanner, caller);
	question_free((struct question *)caller);
}

static struct question *question_new(struct bus *bus, sd_bus_message *message,
				     int (*answer)(struct question *question,
						   const struct topology *topology))
{
	struct question *question = calloc(1, sizeof(*question));

	if (question)
		*question = (struct question){
			.caller = {
				.bus = bus,
				.message = sd_bus_message_ref(message),
				.wants = BUS_LOOK,
				.found = on_caller,
				.free = free_caller,
			},
			.answer = answer,
		};
	return question;
}

/* Takes the question, which is NULL when there was no memory. */
static int ask(struct question *question, sd_bus_error *error)
{
	int r;

	if (!question)
		return -ENOMEM;
	r = bus_caller_find(&question->caller, error);
	if (r < 0)
		question_free(question);
	return r < 0 ? r : 1;
}

/*
 * Checking is for anybody, so it must not cost much: what is wrong with a document, each mistake
 * with its sentence and place, can take 400 times its length in memory, a fifth of MemoryMax.
 * Root may use the private socket.
 */
static int check_length(const struct bus *bus, sd_bus_message *message, const char *text,
			sd_bus_error *error)
{
	bool private = bus_is_private(bus, sd_bus_message_get_bus(message));
	unsigned int max = private ? CONFIG_OF_ROOT_MAX : CONFIG_OF_USER_MAX;

	if (strlen(text) <= max)
		return 0;
	return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
				 "The document is longer than %u bytes%s.", max,
				 private ? "" : ", and only root may send more, on the private "
						"socket");
}

static int read_document(const struct bus *bus, sd_bus_message *message, const char **ret,
			 sd_bus_error *error)
{
	int r = sd_bus_message_read(message, "s", ret);

	return r < 0 ? r : check_length(bus, message, *ret, error);
}

static int parse(const char *text, struct config **ret, struct report *problems)
{
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	r = config_parse(text, strlen(text), NULL, &config, problems);
	if (r == 0)
		r = config_check(config, problems);
	if (r == 0)
		*ret = TAKE(config);
	return r;
}

/*
 * "" is the host's own configuration as its files are now: those with mistakes are left out,
 * which are problems, but no failure.
 */
static int load(struct bus *bus, const char *text, struct config **ret, struct report *problems)
{
	if (*text)
		return parse(text, ret, problems);
	if (folders_load(bus->manager->folders, ret, problems) == 0)
		return 0;
	return report_add(problems, NULL, ENOMEM, NULL, "There is no memory left.");
}

static int method_check(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(report_clear) struct report problems = REPORT_INIT;
	sd_bus_message *reply = NULL;
	const char *text;
	int r;

	r = read_document(userdata, message, &text, error);
	if (r >= 0)
		r = bus_read_options(message, NULL, 0, error);
	if (r < 0)
		return r;
	(void)parse(text, &config, &problems); /* that is the answer */
	r = sd_bus_message_new_method_return(message, &reply);
	if (r >= 0)
		r = bus_append_problems(reply, &problems);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	(void)sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int reply_with(sd_bus_message *message, const char *text, const struct report *problems)
{
	sd_bus_message *reply = NULL;
	int r;

	if (!text)
		return -ENOMEM;
	r = sd_bus_message_new_method_return(message, &reply);
	if (r >= 0)
		r = sd_bus_message_append(reply, "s", text);
	if (r >= 0)
		r = bus_append_problems(reply, problems);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	(void)sd_bus_message_unref(reply);
	return r;
}

static int answer_plan(struct question *question, const struct topology *topology)
{
	struct report *problems = &question->problems;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(freep) char *text = NULL;
	int r = 0;

	if (question->host)
		r = standings_plan(question->config, topology, &plan, problems);
	else if (config_supported(question->config, problems) == 0)
		(void)plan_build(question->config, topology, &plan, problems);
	if (r < 0)
		return r;
	text = plan ? plan_to_json(plan, false) : strdup("");
	return reply_with(question->caller.message, text, problems);
}

static int method_plan(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct question *question;
	struct bus *bus = userdata;
	const char *text;
	int r;

	r = read_document(bus, message, &text, error);
	if (r >= 0)
		r = bus_read_options(message, NULL, 0, error);
	if (r < 0)
		return r;
	question = question_new(bus, message, answer_plan);
	if (!question)
		return -ENOMEM;
	question->host = !*text;
	if (load(bus, text, &question->config, &question->problems) == 0)
		return ask(question, error);
	r = reply_with(message, "", &question->problems);
	question_free(question);
	return r < 0 ? r : 1;
}

static int answer_export(struct question *question, const struct topology *topology)
{
	_cleanup_(report_clear) struct report notes = REPORT_INIT;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(freep) char *text = NULL;
	int r;

	r = export_config(topology, &config, &notes);
	if (r < 0)
		return r;
	text = config_to_json(config);
	return reply_with(question->caller.message, text, &notes);
}

static int method_export(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = bus_read_options(message, NULL, 0, error);

	return r < 0 ? r : ask(question_new(userdata, message, answer_export), error);
}

static int reply_topology(sd_bus_message *message, const struct topology *topology)
{
	_cleanup_(freep) char *text = topology_to_json(topology, false);

	return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

static int answer_topology(struct question *question, const struct topology *topology)
{
	return reply_topology(question->caller.message, topology);
}

static int method_get_topology(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	bool from_memory = false;
	const struct bus_option options[] = { { "from-memory", &from_memory } };
	int r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	const struct topology *topology;
	struct bus *bus = userdata;

	if (r < 0)
		return r;
	topology = from_memory ? manager_memory(bus->manager) : NULL;
	return topology ? reply_topology(message, topology) :
			  ask(question_new(bus, message, answer_topology), error);
}

static void change_authorized(struct request *request)
{
	struct manager *manager = request->caller.bus->manager;
	_cleanup_(freep) char *path = NULL;
	struct job *job;

	/* What is applied is then also what is kept. */
	if (request->host)
		manager_reload(manager);
	job = job_new(manager, request->operation, request->caller.uid, TAKE(request->config),
		      NULL);
	if (!job) {
		(void)sd_bus_reply_method_errno(request->caller.message, -ENOMEM, NULL);
		return;
	}
	job->allow_data_loss = request->allow_data_loss;
	job->host = request->host;
	job->mistakes = request->mistakes;
	request->mistakes = (struct report)REPORT_INIT;
	if (queue_add(manager->queue, job) < 0) {
		(void)sd_bus_reply_method_errorf(request->caller.message, BUS_ERROR_TOO_MANY_JOBS,
						 "Too many jobs wait.");
		return;
	}
	path = bus_job_path(job);
	(void)sd_bus_reply_method_return(request->caller.message, "o", path ? path : "/");
}

static int refuse_invalid(const struct report *problems, sd_bus_error *error)
{
	const struct error *first = &problems->errors[0];
	bool placed = first->pointer && *first->pointer; /* "" is the whole document */

	return sd_bus_error_setf(error, BUS_ERROR_INVALID, "%s%s%s%s", error_message(first),
				 placed ? " At " : "", placed ? first->pointer : "",
				 placed && problems->n > 1 ? ", and there is more." :
				 placed			   ? "." :
				 problems->n > 1	   ? " And there is more." :
							     "");
}

/* From here on all changes go the same way: a document, checked, then allowed, then a job. */
static int change_to(struct bus *bus, sd_bus_message *message, enum job_operation operation,
		     const char *text, bool allow_data_loss, sd_bus_error *error)
{
	struct request *request = request_new(bus, message, change_authorized);
	int r;

	if (!request)
		return -ENOMEM;
	if (load(bus, text, &request->config, &request->mistakes) < 0) {
		r = refuse_invalid(&request->mistakes, error);
		request_free(request);
		return r;
	}
	request->operation = operation;
	request->allow_data_loss = allow_data_loss;
	request->host = !*text;
	request->actions[0] = ACTION_APPLY;
	request->actions[1] = allow_data_loss ? ACTION_DESTROY_DATA : NULL;
	return polkit_check(request, error);
}

static int method_apply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	bool allow_data_loss = false;
	const struct bus_option options[] = { { "allow-data-loss", &allow_data_loss } };
	const char *text;
	int r;

	r = read_document(userdata, message, &text, error);
	if (r >= 0)
		r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	if (r < 0)
		return r;
	return change_to(userdata, message, JOB_APPLY, text, allow_data_loss, error);
}

static void begin_document(struct json_out *out)
{
	json_open(out, NULL, '{');
	json_put_int(out, "daxd", CONFIG_VERSION);
	json_open(out, "volumes", '[');
}

static char *end_document(struct json_out *out)
{
	json_close(out, ']');
	json_close(out, '}');
	return json_out_finish(out);
}

static int method_create_volume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	bool allow_data_loss = false;
	const struct bus_option options[] = { { "allow-data-loss", &allow_data_loss } };
	struct json_out out = { 0 };
	_cleanup_(freep) char *text = NULL;
	int r;

	begin_document(&out);
	r = bus_read_json(message, &out, NULL, error);
	text = end_document(&out);
	if (r >= 0)
		r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	if (r < 0)
		return r;
	if (!text)
		return -ENOMEM;
	r = check_length(userdata, message, text, error);
	if (r < 0)
		return r;
	return change_to(userdata, message, JOB_CREATE_VOLUME, text, allow_data_loss, error);
}

/* What the host's configuration has would be made anew at once, empty. */
static int check_unconfigured(const struct manager *manager, const char *name,
			      sd_bus_error *error)
{
	const struct config *config = manager->config;

	for (size_t i = 0; config && i < config->n_volumes; i++)
		if (!config->volumes[i].absent && strcmp(config->volumes[i].name, name) == 0)
			return sd_bus_error_setf(error, BUS_ERROR_INVALID,
						 "Volume \"%s\" is configured in %s: say \"ensure\": "
						 "\"absent\" there, or remove it from there first.",
						 name, config->volumes[i].file);
	return 0;
}

static int method_remove_volume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	bool allow_data_loss = false;
	const struct bus_option options[] = { { "allow-data-loss", &allow_data_loss } };
	struct json_out out = { 0 };
	_cleanup_(freep) char *text = NULL;
	const char *name;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r >= 0)
		r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	if (r >= 0 && strlen(name) > VOLUME_NAME_MAX)
		r = sd_bus_error_setf(error, BUS_ERROR_INVALID,
				      "The name has %zu characters; %d is the most.",
				      strlen(name), VOLUME_NAME_MAX);
	if (r >= 0)
		r = check_unconfigured(((struct bus *)userdata)->manager, name, error);
	if (r < 0)
		return r;
	begin_document(&out);
	json_open(&out, NULL, '{');
	json_put_text(&out, "name", name);
	json_put_text(&out, "ensure", "absent");
	json_close(&out, '}');
	text = end_document(&out);
	if (!text)
		return -ENOMEM;
	return change_to(userdata, message, JOB_REMOVE_VOLUME, text, allow_data_loss, error);
}

static int get_version(sd_bus *connection, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply, void *userdata,
		       sd_bus_error *error)
{
	(void)connection;
	(void)path;
	(void)interface;
	(void)property;
	(void)userdata;
	(void)error;
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

static int get_configured(sd_bus *connection, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	const struct bus *bus = userdata;

	(void)connection;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "b", manager_is_configured(bus->manager));
}

/* All there is to complain of: called back for each until it says no. */
static int each_problem(const struct manager *manager,
			int (*call)(const struct error *problem, void *userdata), void *userdata)
{
	int r = 0;

	if (manager->blindness.code)
		r = call(&manager->blindness, userdata);
	for (size_t i = 0; r >= 0 && i < manager->mistakes.n; i++)
		r = call(&manager->mistakes.errors[i], userdata);
	for (size_t i = 0; r >= 0 && i < manager->rivals.n; i++)
		r = call(&manager->rivals.errors[i], userdata);
	for (size_t i = 0; r >= 0 && i < manager->unread.n; i++)
		r = call(&manager->unread.errors[i], userdata);
	for (size_t i = 0; r >= 0 && i < manager->twins.n; i++)
		r = call(&manager->twins.errors[i], userdata);
	for (size_t i = 0; r >= 0 && i < manager->standings.n; i++) {
		const struct standing *standing = &manager->standings.standings[i];

		/* Who still waits has no problem yet. */
		for (size_t j = 0; standing->state != VOLUME_WAITING && r >= 0 &&
				   j < standing->problems.n; j++)
			r = call(&standing->problems.errors[j], userdata);
	}
	return r;
}

struct appending {
	sd_bus_message *message;
	unsigned int n;
};

static int append_one(const struct error *problem, void *userdata)
{
	struct appending *appending = userdata;

	if (appending->n++ >= BUS_PROBLEMS_MAX)
		return 0;
	return bus_append_problem(appending->message, problem);
}

static int get_problems(sd_bus *connection, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	const struct bus *bus = userdata;
	struct appending appending = { .message = reply };
	int r;

	(void)connection;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	if (r >= 0)
		r = each_problem(bus->manager, append_one, &appending);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define OPTIONS "a{sv}", options

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("s", document, OPTIONS),
				SD_BUS_RESULT("aa{sv}", problems), method_check,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("s", document, OPTIONS),
				SD_BUS_RESULT("s", plan, "aa{sv}", problems), method_plan,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("s", document, OPTIONS),
				SD_BUS_RESULT("o", job), method_apply, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CreateVolume", SD_BUS_ARGS("a{sv}", volume, OPTIONS),
				SD_BUS_RESULT("o", job), method_create_volume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("RemoveVolume", SD_BUS_ARGS("s", name, OPTIONS),
				SD_BUS_RESULT("o", job), method_remove_volume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS(OPTIONS),
				SD_BUS_RESULT("s", document, "aa{sv}", notes), method_export,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetTopology", SD_BUS_ARGS(OPTIONS),
				SD_BUS_RESULT("s", topology), method_get_topology,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("OpenWindow", SD_BUS_ARGS("s", name, OPTIONS),
				SD_BUS_RESULT("h", device, "t", offset, "t", size),
				bus_method_open_window, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Configured", "b", get_configured, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Problems", "aa{sv}", get_problems, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};

int bus_export_manager(struct bus *bus, sd_bus *connection)
{
	int r;

	r = sd_bus_add_object_manager(connection, NULL, BUS_ROOT);
	if (r < 0)
		return r;
	return sd_bus_add_object_vtable(connection, NULL, BUS_ROOT, BUS_MANAGER_INTERFACE,
					manager_vtable, bus);
}

/* FNV-1a: so that a change is seen without keeping what was. */
static void add_text(uint64_t *digest, const char *text)
{
	for (const char *c = text ? text : ""; *c; c++)
		*digest = (*digest ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	*digest = (*digest ^ '\n') * UINT64_C(0x100000001b3);
}

static int add_to_digest(const struct error *problem, void *userdata)
{
	uint64_t *digest = userdata;

	add_text(digest, error_message(problem));
	add_text(digest, problem->file);
	add_text(digest, problem->pointer);
	add_text(digest, problem->hint);
	*digest = (*digest ^ (unsigned int)problem->code) * UINT64_C(0x100000001b3);
	return 0;
}

static void emit_configured(sd_bus *connection, const void *argument)
{
	(void)argument;
	(void)sd_bus_emit_properties_changed(connection, BUS_ROOT, BUS_MANAGER_INTERFACE,
					     "Configured", NULL);
}

static void emit_problems(sd_bus *connection, const void *argument)
{
	(void)argument;
	(void)sd_bus_emit_properties_changed(connection, BUS_ROOT, BUS_MANAGER_INTERFACE,
					     "Problems", NULL);
}

void bus_manager_changed(struct bus *bus)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	bool configured;

	if (!bus)
		return;
	configured = manager_is_configured(bus->manager);
	(void)each_problem(bus->manager, add_to_digest, &digest); /* it never says no */
	if (configured != bus->configured)
		bus_for_each(bus, emit_configured, NULL);
	if (digest != bus->problems)
		bus_for_each(bus, emit_problems, NULL);
	bus->configured = configured;
	bus->problems = digest;
}
