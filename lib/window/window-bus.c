/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window-bus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/library.h"
#include "base/macro.h"

#define BUS_FUNCTIONS(X) \
	X(sd_bus_call_method) \
	X(sd_bus_error_free) \
	X(sd_bus_error_get_errno) \
	X(sd_bus_error_has_name) \
	X(sd_bus_flush_close_unref) \
	X(sd_bus_message_read) \
	X(sd_bus_message_unref) \
	X(sd_bus_open_system)

#define MEMBER(name) __typeof__(&name) name;
struct bus_library {
	BUS_FUNCTIONS(MEMBER)
};
#undef MEMBER

static int load(struct bus_library *bus, struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct bus_library, name) },
	static const struct library_function functions[] = { BUS_FUNCTIONS(ENTRY) };
#undef ENTRY
	void *library = NULL; /* each thread asks for itself */

	return library_load(&library, "libsystemd.so.0", "libsystemd0", functions,
			    ARRAY_SIZE(functions), bus, reterr);
}

static int refuse(const struct bus_library *bus, const sd_bus_error *error, int r,
		  const char *name, struct error *reterr)
{
	const char *said = error->message ?: strerror(-r);
	int code = error->name ? bus->sd_bus_error_get_errno(error) : -r;

	if (bus->sd_bus_error_has_name(error, "org.daxd1.Error.NoSuchWindow"))
		code = ENOENT;
	return error_set(reterr, code > 0 ? code : EIO,
			 "daxd does not hand out the window \"%s\": %s", name, said);
}

/* The message owns the descriptor that is in it. */
static int read_answer(const struct bus_library *bus, sd_bus_message *reply,
		       struct window_answer *ret, struct error *reterr)
{
	struct window_answer answer;
	int r = bus->sd_bus_message_read(reply, "htt", &answer.fd, &answer.offset, &answer.size);

	if (r < 0)
		return error_set(reterr, EPROTO, "The answer of daxd cannot be understood: %s.",
				 strerror(-r));
	answer.fd = fcntl(answer.fd, F_DUPFD_CLOEXEC, 3);
	if (answer.fd < 0)
		return error_set(reterr, errno, "Cannot keep the descriptor: %s.",
				 strerror(errno));
	*ret = answer;
	return 0;
}

static int call(const struct bus_library *bus, sd_bus *connection, const char *name,
		bool read_only, struct window_answer *ret, struct error *reterr)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	r = bus->sd_bus_call_method(connection, "org.daxd1", "/org/daxd1", "org.daxd1.Manager",
				    "OpenWindow", &error, &reply, "sa{sv}", name, 1, "read-only",
				    "b", (int)read_only);
	if (r < 0)
		r = refuse(bus, &error, r, name, reterr);
	else
		r = read_answer(bus, reply, ret, reterr);
	bus->sd_bus_error_free(&error);
	if (reply)
		(void)bus->sd_bus_message_unref(reply); /* NULL: it was the last reference */
	return r;
}

int window_ask(const char *name, bool read_only, struct window_answer *ret, struct error *reterr)
{
	struct bus_library bus;
	sd_bus *connection = NULL;
	int r;

	r = load(&bus, reterr);
	if (r < 0)
		return r;
	r = bus.sd_bus_open_system(&connection);
	if (r < 0)
		return error_set(reterr, -r, "Cannot ask daxd for the window \"%s\": %s.", name,
				 strerror(-r));
	r = call(&bus, connection, name, read_only, ret, reterr);
	(void)bus.sd_bus_flush_close_unref(connection); /* always NULL */
	return r;
}
