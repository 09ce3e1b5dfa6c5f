/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client-bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "client-bus-json.h"
#include "client-bus-library.h"
#include "core/config.h"

#define NAME "org.daxd1"
#define ROOT "/org/daxd1"
#define MANAGER "org.daxd1.Manager"
#define JOB "org.daxd1.Job"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PRIVATE "unix:path=/run/daxd/private"

#define SECOND_US UINT64_C(1000000)
#define ANSWER_US (120 * SECOND_US)	/* a scan may be in it */
#define PASSWORD_US (600 * SECOND_US)	/* and somebody who types a password */

struct bus {
	sd_bus *bus;
	const char *name; /* whom calls go to; NULL: there is only one on the private socket */
	bool ask_password, starts;
	bus_change *callback;
	void *userdata;
};

static void message_unrefp(sd_bus_message **message)
{
	if (*message)
		(void)sd_bus_message_unref(*message); /* NULL when it was the last reference */
}

static void failure_clear(sd_bus_error *error)
{
	sd_bus_error_free(error);
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	(void)sd_bus_flush_close_unref(bus->bus); /* always NULL */
	free(bus);
}

static void job_path(const char *id, char path[64])
{
	(void)snprintf(path, 64, "%s/job/%.40s", ROOT, id);
}

static bool is(const sd_bus_error *error, const char *name)
{
	return sd_bus_error_has_name(error, name);
}

static bool begins(const char *text, const char *beginning)
{
	return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool ends_with_stop(const char *text)
{
	return *text && text[strlen(text) - 1] == '.';
}

/* Nobody has the name, and nobody could be started for it. */
static bool is_absence(const sd_bus_error *error)
{
	return is(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       is(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       is(error, SD_BUS_ERROR_DISCONNECTED) || is(error, SD_BUS_ERROR_NO_SERVER) ||
	       begins(error->name, "org.freedesktop.DBus.Error.Spawn.") ||
	       begins(error->name, "org.freedesktop.systemd1.");
}

static bool is_denial(const sd_bus_error *error)
{
	return is(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       is(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) ||
	       begins(error->name, "org.freedesktop.PolicyKit1.Error.");
}

/* daxd's sentence names the action of polkit that was refused; that of a bus knows of none. */
static enum cli_exit add_denial(struct report *problems, const char *said)
{
	static const char beginning[] = "Not authorised for " NAME ".";
	_cleanup_(freep) char *hint = NULL;

	if (begins(said, beginning) &&
	    asprintf(&hint, "run it with sudo, or let polkit allow it (" NAME ".%.*s)",
		     (int)strcspn(said + strlen(beginning), "."), said + strlen(beginning)) < 0)
		hint = NULL;
	problem_add(problems, EACCES, hint ? hint : "run it with sudo",
		    "daxd does not let you do this: %s%s", said, ends_with_stop(said) ? "" : ".");
	return CLI_NOT_PERMITTED;
}

/* A call that failed, for people; *error may be empty when r says why. */
static enum cli_exit add_failure(struct report *problems, const sd_bus_error *error, int r)
{
	const char *said = error->message ? error->message : strerror(r < 0 ? -r : EIO);

	if (is_denial(error))
		return add_denial(problems, said);
	if (is(error, "org.daxd1.Error.TooManyJobs")) {
		problem_add(problems, EBUSY, "\"daxctl-ext jobs\" lists them", "%s", said);
		return CLI_BUSY;
	}
	if (is(error, "org.daxd1.Error.Invalid") || is(error, SD_BUS_ERROR_INVALID_ARGS)) {
		problem_add(problems, EINVAL, NULL, "%s", said);
		return CLI_INVALID;
	}
	if (is_absence(error) || r == -ECONNRESET || r == -ENOTCONN)
		problem_add(problems, ENOTCONN, "systemctl status daxd", "daxd went away.");
	else if (is(error, SD_BUS_ERROR_NO_REPLY) || r == -ETIMEDOUT)
		problem_add(problems, ETIMEDOUT, "systemctl status daxd",
			    "daxd does not answer.");
	else
		problem_add(problems, sd_bus_error_get_errno(error) ?: EIO, NULL,
			    "daxd cannot do this: %s", said);
	return CLI_FAILED;
}

static enum cli_exit add_nonsense(struct report *problems, int r)
{
	problem_add(problems, r == -ENOMEM ? ENOMEM : EPROTO,
		    "daxctl-ext and daxd must be of the same version",
		    "The answer of daxd cannot be understood: %s.", strerror(-r));
	return CLI_FAILED;
}

/* A call with what types and the arguments say; *ret is unreferenced by the caller. */
static int call(struct bus *bus, const char *path, const char *interface, const char *method,
		sd_bus_error *error, sd_bus_message **ret, const char *types, ...)
{
	_cleanup_(message_unrefp) sd_bus_message *message = NULL;
	va_list args;
	int r;

	r = sd_bus_message_new_method_call(bus->bus, &message, bus->name, path, interface, method);
	if (r < 0)
		return r;
	va_start(args, types);
	r = sd_bus_message_appendv(message, types, args);
	va_end(args);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(message,
								       bus->ask_password);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, bus->starts);
	if (r < 0)
		return r;
	return sd_bus_call(bus->bus, message, bus->ask_password ? PASSWORD_US : ANSWER_US, error,
			   ret);
}

/* Is daxd at the other end? */
static int greet(struct bus *bus, sd_bus_error *error)
{
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;

	return call(bus, ROOT, PROPERTIES, "Get", error, &reply, "ss", MANAGER, "Version");
}

static int open_system(struct bus *bus)
{
	bus->name = NAME;
	return sd_bus_open_system_with_description(&bus->bus, "daxctl-ext");
}

static int open_private(struct bus *bus)
{
	int r;

	bus->name = NULL;
	r = sd_bus_new(&bus->bus);
	if (r >= 0)
		r = sd_bus_set_address(bus->bus, PRIVATE);
	if (r >= 0)
		r = sd_bus_start(bus->bus);
	return r;
}

/* CLI_DONE with bus->bus NULL: it is not there. */
static enum cli_exit try_open(struct bus *bus, int (*open)(struct bus *), struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = open(bus);

	if (r >= 0)
		r = greet(bus, &error);
	if (r >= 0)
		return CLI_DONE;
	bus->bus = sd_bus_flush_close_unref(bus->bus);
	if (!error.name || is_absence(&error) || (is_denial(&error) && geteuid() == 0))
		return CLI_DONE;
	return add_failure(problems, &error, r);
}

enum cli_exit bus_make_room(struct bus *bus, size_t length, struct report *problems)
{
	enum cli_exit status;

	if (length <= CONFIG_OF_USER_MAX || !bus->name)
		return CLI_DONE;
	if (geteuid() != 0) {
		problem_add(problems, EFBIG,
			    "divide it, or run it with sudo: root may give daxd 4 MiB",
			    "The configuration is %zu KiB of JSON, and daxd takes %u KiB of users.",
			    length / 1024 + 1, CONFIG_OF_USER_MAX / 1024);
		return CLI_NOT_PERMITTED;
	}
	bus->bus = sd_bus_flush_close_unref(bus->bus);
	bus->callback = NULL; /* nobody watches the new one */
	status = try_open(bus, open_private, problems);
	if (status != CLI_DONE || bus->bus)
		return status;
	problem_add(problems, ENOTCONN, "systemctl status daxd",
		    "daxd does not answer on its own socket, which a configuration of this length "
		    "needs.");
	return CLI_FAILED;
}

enum cli_exit bus_open(bool ask_password, bool shortest, struct bus **ret,
		       struct report *problems)
{
	_cleanup_(bus_freep) struct bus *bus = calloc(1, sizeof(*bus));
	struct error error = ERROR_INIT;
	bool root = geteuid() == 0;
	enum cli_exit status;

	if (!bus)
		abort(); /* nothing has begun */
	if (bus_library_load(&error) < 0) {
		(void)report_take(problems, &error);
		return CLI_FAILED;
	}
	bus->ask_password = ask_password;
	bus->starts = !shortest;
	status = root && shortest ? try_open(bus, open_private, problems) : CLI_DONE;
	if (status == CLI_DONE && !bus->bus)
		status = try_open(bus, open_system, problems);
	if (status == CLI_DONE && !bus->bus && root && !shortest)
		status = try_open(bus, open_private, problems);
	if (status == CLI_DONE)
		*ret = bus->bus ? TAKE(bus) : NULL;
	return status;
}

static enum cli_exit take_copy(struct report *problems, const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? CLI_DONE : add_nonsense(problems, -ENOMEM);
}

enum cli_exit bus_get_topology(struct bus *bus, bool from_memory, char **ret,
			       struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	const char *text;
	int r;

	r = call(bus, ROOT, MANAGER, "GetTopology", &error, &reply, "a{sv}", 1,
		 "from-memory", "b", from_memory);
	if (r < 0)
		return add_failure(problems, &error, r);
	r = sd_bus_message_read(reply, "s", &text);
	return r < 0 ? add_nonsense(problems, r) : take_copy(problems, text, ret);
}

enum cli_exit bus_plan(struct bus *bus, const char *document, char **ret_plan,
		       char **ret_problems, struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(freep) char *list = NULL;
	struct json_out out = { 0 };
	const char *plan;
	int r;

	r = call(bus, ROOT, MANAGER, "Plan", &error, &reply, "sa{sv}", document, 0);
	if (r < 0)
		return add_failure(problems, &error, r);
	r = sd_bus_message_read(reply, "s", &plan);
	json_open(&out, NULL, '{');
	if (r >= 0)
		r = bus_json_value(reply, &out, "problems");
	json_close(&out, '}');
	list = json_out_finish(&out);
	if (r < 0 || !list)
		return add_nonsense(problems, r < 0 ? r : -ENOMEM);
	if (take_copy(problems, plan, ret_plan) != CLI_DONE)
		return CLI_FAILED;
	*ret_problems = TAKE(list);
	return CLI_DONE;
}

static const char *last_word(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

enum cli_exit bus_apply(struct bus *bus, const char *document, bool allow_data_loss,
			char **ret_id, struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(agent_stop) struct agent agent = { 0 };
	const char *path;
	int r;

	if (bus->ask_password)
		agent_start(&agent);
	if (allow_data_loss)
		r = call(bus, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}", document, 1,
			 "allow-data-loss", "b", 1);
	else
		r = call(bus, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}", document, 0);
	if (r < 0)
		return add_failure(problems, &error, r);
	r = sd_bus_message_read(reply, "o", &path);
	return r < 0 ? add_nonsense(problems, r) : take_copy(problems, last_word(path), ret_id);
}

enum cli_exit bus_cancel(struct bus *bus, const char *id, struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(agent_stop) struct agent agent = { 0 };
	char path[64];
	int r;

	job_path(id, path);
	if (bus->ask_password)
		agent_start(&agent);
	r = call(bus, path, JOB, "Cancel", &error, &reply, "a{sv}", 0);
	if (r >= 0)
		return CLI_DONE;
	if (is(&error, NAME ".Error.Ended")) {
		problem_add(problems, ESRCH, NULL, "%s", error.message);
		return CLI_INVALID;
	}
	if (!is(&error, SD_BUS_ERROR_UNKNOWN_OBJECT) && !is(&error, SD_BUS_ERROR_UNKNOWN_METHOD))
		return add_failure(problems, &error, r);
	problem_add(problems, ENOENT, "\"daxctl-ext jobs\" lists the jobs",
		    "There is no job %s.", id);
	return CLI_INVALID;
}

enum cli_exit bus_get_job_text(struct bus *bus, const char *id, const char *property, char **ret,
			       struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	const char *text;
	char path[64];
	int r;

	job_path(id, path);
	r = call(bus, path, PROPERTIES, "Get", &error, &reply, "ss", JOB, property);
	if (r < 0)
		return add_failure(problems, &error, r);
	r = sd_bus_message_read(reply, "v", "s", &text);
	return r < 0 ? add_nonsense(problems, r) : take_copy(problems, text, ret);
}

enum cli_exit bus_get_job_plan(struct bus *bus, const char *id, char **ret,
			       struct report *problems)
{
	return bus_get_job_text(bus, id, "Plan", ret, problems);
}

/* "/org/daxd1/job/3": kind "job", id "3" (decoded). False for the manager and strangers. */
static bool split_path(const char *path, char kind[16], char **ret_id)
{
	const char *rest = path + strlen(ROOT "/"), *slash;
	_cleanup_(freep) char *prefix = NULL;

	if (!begins(path, ROOT "/"))
		return false;
	slash = strchr(rest, '/');
	if (!slash || slash - rest >= 16)
		return false;
	memcpy(kind, rest, (size_t)(slash - rest));
	kind[slash - rest] = 0;
	prefix = strndup(path, (size_t)(slash - path));
	return prefix && sd_bus_path_decode(path, prefix, ret_id) > 0;
}

/* It is not among the properties that are told unasked.  A job may have gone meanwhile. */
static void put_plan(struct bus *bus, const char *id, struct json_out *out)
{
	_cleanup_(report_clear) struct report ignored = REPORT_INIT;
	_cleanup_(freep) char *plan = NULL;

	if (bus_get_job_plan(bus, id, &plan, &ignored) == CLI_DONE)
		json_put_json(out, "plan", plan);
}

static int list_object(struct bus *bus, sd_bus_message *message, const char *kind,
		       struct json_out *out)
{
	_cleanup_(freep) char *id = NULL;
	char its_kind[16] = "";
	const char *path;
	int r;

	r = sd_bus_message_read_basic(message, SD_BUS_TYPE_OBJECT_PATH, &path);
	if (r < 0)
		return r;
	if (!split_path(path, its_kind, &id) || strcmp(kind, its_kind) != 0)
		return sd_bus_message_skip(message, "a{sa{sv}}");
	json_open(out, NULL, '{');
	json_put_text(out, "id", id);
	r = bus_json_interfaces(message, out);
	if (r >= 0 && strcmp(kind, "job") == 0)
		put_plan(bus, id, out);
	json_close(out, '}');
	return r;
}

enum cli_exit bus_list(struct bus *bus, const char *kind, char **ret, struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(freep) char *list = NULL;
	struct json_out out = { 0 };
	int r;

	r = call(bus, ROOT, OBJECT_MANAGER, "GetManagedObjects", &error, &reply, "");
	if (r < 0)
		return add_failure(problems, &error, r);
	json_open(&out, NULL, '[');
	r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{oa{sa{sv}}}");
	while (r >= 0 && (r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY,
							     "oa{sa{sv}}")) > 0) {
		r = list_object(bus, reply, kind, &out);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	json_close(&out, ']');
	list = json_out_finish(&out);
	if (r < 0 || !list)
		return add_nonsense(problems, r < 0 ? r : -ENOMEM);
	*ret = TAKE(list);
	return CLI_DONE;
}

enum cli_exit bus_get_manager(struct bus *bus, char **ret, struct report *problems)
{
	_cleanup_(failure_clear) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
	struct json_out out = { 0 };
	char *json;
	int r;

	r = call(bus, ROOT, PROPERTIES, "GetAll", &error, &reply, "s", MANAGER);
	if (r < 0)
		return add_failure(problems, &error, r);
	json_open(&out, NULL, '{');
	r = bus_json_members(reply, &out);
	json_close(&out, '}');
	json = json_out_finish(&out);
	if (r >= 0 && json) {
		*ret = json;
		return CLI_DONE;
	}
	free(json);
	return add_nonsense(problems, r < 0 ? r : -ENOMEM);
}

/* The members of one signal as JSON; *id and kind say of which object. */
static int read_added(sd_bus_message *message, char kind[16], char **id, struct json_out *out)
{
	const char *path;
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_OBJECT_PATH, &path);

	if (r < 0 || !split_path(path, kind, id))
		return r < 0 ? r : -ENOENT;
	return bus_json_interfaces(message, out);
}

static int read_removed(sd_bus_message *message, char kind[16], char **id)
{
	const char *path;
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_OBJECT_PATH, &path);

	if (r < 0 || !split_path(path, kind, id))
		return r < 0 ? r : -ENOENT;
	return 0;
}

/* What is only said to have changed is asked for. */
static int read_invalidated(struct bus *bus, const char *path, const char *interface,
			    sd_bus_message *message, struct json_out *out)
{
	const char *property;
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");

	while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &property)) > 0) {
		_cleanup_(message_unrefp) sd_bus_message *reply = NULL;
		char name[64];

		/* The plan is long, and whoever wants it asks. */
		if (strcmp(property, "Plan") == 0 ||
		    call(bus, path, PROPERTIES, "Get", NULL, &reply, "ss", interface,
			 property) < 0)
			continue;
		bus_json_name(property, name, sizeof(name));
		r = bus_json_value(reply, out, name);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_changed(struct bus *bus, sd_bus_message *message, struct json_out *out)
{
	const char *path = sd_bus_message_get_path(message), *interface;
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &interface);

	if (r < 0 || !begins(interface, NAME "."))
		return r < 0 ? r : -ENOENT;
	r = bus_json_members(message, out);
	return r < 0 ? r : read_invalidated(bus, path, interface, message, out);
}

static int read_ended(sd_bus_message *message, struct json_out *out)
{
	const char *outcome;
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &outcome);

	if (r < 0)
		return r;
	json_put_text(out, "outcome", outcome);
	return bus_json_value(message, out, "problems");
}

static int hand_out(struct bus *bus, enum change_kind kind, const char *object, const char *id,
		    const char *json)
{
	const struct change change = { kind, object, id, json };

	bus->callback(bus->userdata, &change);
	return 0;
}

static int hand_out_events(struct bus *bus, sd_bus_message *message, const char *id)
{
	const char *line;
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");

	while (r >= 0 && (r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &line)) > 0)
		(void)hand_out(bus, CHANGE_EVENT, "job", id, line); /* always 0 */
	return 0;
}

/* Any signal of daxd. What is none of ours is passed over; nonsense, too: it names no object. */
static int take_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	const char *path = sd_bus_message_get_path(message);
	enum change_kind kind = CHANGE_CHANGED;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *json = NULL;
	struct json_out out = { 0 };
	char object[16] = "manager";
	bool of_object;
	int r;

	(void)error; /* signals are not answered */
	of_object = split_path(path, object, &id);
	if (sd_bus_message_is_signal(message, OBJECT_MANAGER, "InterfacesRemoved"))
		return read_removed(message, object, &id) < 0 ?
			       0 :
			       hand_out(bus, CHANGE_WENT, object, id, NULL);
	if (sd_bus_message_is_signal(message, JOB, "Events"))
		return of_object ? hand_out_events(bus, message, id) : 0;
	json_open(&out, NULL, '{');
	if (sd_bus_message_is_signal(message, OBJECT_MANAGER, "InterfacesAdded")) {
		kind = CHANGE_CAME;
		r = read_added(message, object, &id, &out);
	} else if (!of_object && strcmp(path, ROOT) != 0) {
		r = -ENOENT;
	} else if (sd_bus_message_is_signal(message, JOB, "Ended")) {
		kind = CHANGE_ENDED;
		r = read_ended(message, &out);
	} else if (sd_bus_message_is_signal(message, PROPERTIES, "PropertiesChanged")) {
		r = read_changed(bus, message, &out);
	} else {
		r = -ENOENT;
	}
	json_close(&out, '}');
	json = json_out_finish(&out);
	return r < 0 || !json ? 0 : hand_out(bus, kind, object, id ? id : "", json);
}

static int take_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *after;

	(void)error; /* as above */
	if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0)
		return 0;
	return hand_out(userdata, *after ? CHANGE_CAME : CHANGE_WENT, "daxd", "", NULL);
}

enum cli_exit bus_watch(struct bus *bus, bus_change *callback, void *userdata,
			struct report *problems)
{
	bool watched = bus->callback;
	int r;

	bus->callback = callback;
	bus->userdata = userdata;
	if (watched)
		return CLI_DONE; /* each match more would hand out each signal once more */
	r = sd_bus_add_match(bus->bus, NULL,
			     bus->name ? "type='signal',sender='" NAME "',"
					 "path_namespace='" ROOT "'" :
					 "type='signal',path_namespace='" ROOT "'",
			     take_signal, bus);
	if (r >= 0 && bus->name)
		r = sd_bus_add_match(bus->bus, NULL,
				     "type='signal',sender='org.freedesktop.DBus',"
				     "interface='org.freedesktop.DBus',"
				     "member='NameOwnerChanged',arg0='" NAME "'",
				     take_owner, bus);
	if (r >= 0)
		return CLI_DONE;
	problem_add(problems, -r, NULL, "Cannot listen to daxd: %s.", strerror(-r));
	return CLI_FAILED;
}

uint64_t bus_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The sooner of our deadline and the library's own, as ppoll() wants it; NULL: neither is. */
static const struct timespec *time_left(struct bus *bus, uint64_t deadline, struct timespec *left)
{
	uint64_t now = bus_now(), until = deadline, own_us;

	if (sd_bus_get_timeout(bus->bus, &own_us) > 0 && own_us < UINT64_MAX / 1000 &&
	    own_us * 1000 < until)
		until = own_us * 1000;
	if (until == BUS_FOREVER)
		return NULL;
	now = until > now ? until - now : 0;
	left->tv_sec = (time_t)(now / 1000000000);
	left->tv_nsec = (long)(now % 1000000000);
	return left;
}

int bus_next(struct bus *bus, uint64_t deadline, struct interrupt *interrupt,
	     enum interrupt_answer *ret)
{
	*ret = INTERRUPT_NONE;
	for (;;) {
		struct pollfd fds[1 + INTERRUPT_FDS];
		struct timespec left;
		int r, events;

		r = sd_bus_process(bus->bus, NULL);
		if (r != 0)
			return r < 0 ? r : 0;
		if (bus_now() >= deadline)
			return -ETIMEDOUT;
		events = sd_bus_get_events(bus->bus);
		if (events < 0)
			return events;
		fds[0] = (struct pollfd){ .fd = sd_bus_get_fd(bus->bus), .events = (short)events };
		interrupt_poll(interrupt, fds + 1);
		if (ppoll(fds, ARRAY_SIZE(fds), time_left(bus, deadline, &left), NULL) < 0 &&
		    errno != EINTR)
			return -errno;
		if (interrupt)
			*ret = interrupt_answer(interrupt, fds + 1);
		if (*ret != INTERRUPT_NONE)
			return 0;
	}
}
