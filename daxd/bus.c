/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections: one to the system bus, made anew when it is lost, and those of root's socket. */
#include "bus.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus-tree.h"
#include "log.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define RETRY_USEC UINT64_C(1000000)
#define TIDY_DELAY UINT64_C(1000000)
#define BACKLOG 16

void bus_for_each(struct bus *bus, bus_call *call, const void *argument)
{
	if (bus->system && bus->system_is_up)
		call(bus->system, argument);
	for (size_t i = 0; i < bus->n_peers; i++)
		call(bus->peers[i], argument);
}

bool bus_is_private(const struct bus *bus, const sd_bus *connection)
{
	return connection != bus->system;
}

static int on_tidy(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	(void)userdata;
	(void)malloc_trim(0);
	return 0;
}

/* Documents and answers may be large: once nobody calls any more, their memory is given back. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	uint64_t now = 0;

	(void)message;
	(void)error;
	(void)sd_event_now(bus->manager->event, CLOCK_MONOTONIC, &now); /* the clock is there */
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time(bus->tidy, now + TIDY_DELAY);
	(void)sd_event_source_set_enabled(bus->tidy, SD_EVENT_ONESHOT);
	return 0;
}

static int export_all(struct bus *bus, sd_bus *connection)
{
	int r;

	r = sd_bus_add_filter(connection, NULL, on_message, bus);
	if (r >= 0)
		r = bus_export_manager(bus, connection);
	if (r >= 0)
		r = bus_export_objects(bus, connection);
	if (r >= 0)
		r = bus_export_jobs(bus, connection);
	return r;
}

static void drop(struct bus *bus, sd_bus *connection)
{
	bus_callers_forget(bus, connection);
	(void)sd_bus_detach_event(connection); /* it fails only when it is not attached */
	sd_bus_close(connection);
	(void)sd_bus_unref(connection);
}

static int connect_system(struct bus *bus);

static void retry_later(struct bus *bus)
{
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time_relative(bus->retry, RETRY_USEC);
	(void)sd_event_source_set_enabled(bus->retry, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus *bus = userdata;
	int r;

	(void)source;
	(void)usec;
	r = connect_system(bus);
	if (r < 0) {
		log_line(LOG_WARNING, "Cannot connect to the system bus: %s.", strerror(-r));
		retry_later(bus);
	}
	return 0;
}

static int on_system_lost(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)message;
	(void)error;
	if (bus->system_is_up)
		log_line(LOG_NOTICE, "The system bus is gone; connecting again.");
	bus->system_is_up = false;
	drop(bus, TAKE(bus->system));
	retry_later(bus);
	return 1;
}

static int on_system_up(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)message;
	(void)error;
	bus->system_is_up = true;
	return 1;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *refused = sd_bus_message_get_error(reply);

	(void)userdata;
	(void)error;
	if (refused)
		log_line(LOG_ERR, "Cannot have the name %s on the system bus: %s.", BUS_NAME,
			 refused->message ? refused->message : refused->name);
	return 1;
}

static int match_local(sd_bus *connection, const char *signal, sd_bus_message_handler_t call,
		       struct bus *bus)
{
	return sd_bus_match_signal_async(connection, NULL, "org.freedesktop.DBus.Local", NULL,
					 "org.freedesktop.DBus.Local", signal, call, NULL, bus);
}

/* It may be there later, or never: nothing here waits for it. */
static int set_up_system(struct bus *bus, sd_bus *connection)
{
	int r;

	r = sd_bus_set_address(connection, SYSTEM_BUS);
	if (r >= 0)
		r = sd_bus_set_bus_client(connection, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(connection, true);
	if (r >= 0)
		r = sd_bus_set_connected_signal(connection, true);
	if (r >= 0)
		r = export_all(bus, connection);
	if (r >= 0)
		r = match_local(connection, "Connected", on_system_up, bus);
	if (r >= 0)
		r = match_local(connection, "Disconnected", on_system_lost, bus);
	if (r >= 0)
		r = sd_bus_start(connection);
	if (r >= 0)
		r = sd_bus_request_name_async(connection, NULL, BUS_NAME, 0, on_name, bus);
	if (r >= 0)
		r = sd_bus_attach_event(connection, bus->manager->event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

static int connect_system(struct bus *bus)
{
	sd_bus *connection = NULL;
	int r;

	r = sd_bus_new(&connection);
	if (r < 0)
		return r;
	r = set_up_system(bus, connection);
	if (r < 0) {
		drop(bus, connection);
		return r;
	}
	bus->system = connection;
	return 0;
}

static int on_peer_lost(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	sd_bus *connection = sd_bus_message_get_bus(message);
	struct bus *bus = userdata;

	(void)error;
	for (size_t i = 0; i < bus->n_peers; i++)
		if (bus->peers[i] == connection) {
			bus->peers[i] = bus->peers[--bus->n_peers];
			drop(bus, connection);
			break;
		}
	return 1;
}

/*
 * A peer may send its first call right behind the end of the authentication.  sd-bus has then
 * read it already, and would look at it only when something else comes (seen with 252).
 */
static int on_peer_up(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)message;
	(void)error;
	return sd_event_source_set_enabled(bus->nudge, SD_EVENT_ONESHOT);
}

static int on_nudge(sd_event_source *source, void *userdata)
{
	struct bus *bus = userdata;
	size_t n = bus->n_peers;

	(void)source;
	/* Backwards, because a peer that goes is replaced by the last one. */
	for (size_t i = n; i-- > 0;) {
		sd_bus *connection = i < bus->n_peers ? sd_bus_ref(bus->peers[i]) : NULL;

		while (connection && sd_bus_is_ready(connection) > 0 &&
		       sd_bus_process(connection, NULL) > 0)
			;
		(void)sd_bus_unref(connection);
	}
	return 0;
}

/* Takes the descriptor. */
static int set_up_peer(struct bus *bus, sd_bus *connection, int fd)
{
	sd_id128_t id;
	int r;

	r = sd_bus_set_fd(connection, fd, fd);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_set_server(connection, true, id);
	if (r >= 0)
		r = sd_bus_set_anonymous(connection, false);
	if (r >= 0)
		r = export_all(bus, connection);
	if (r >= 0)
		r = sd_bus_set_connected_signal(connection, true);
	if (r >= 0)
		r = match_local(connection, "Connected", on_peer_up, bus);
	if (r >= 0)
		r = match_local(connection, "Disconnected", on_peer_lost, bus);
	if (r >= 0)
		r = sd_bus_start(connection);
	if (r >= 0)
		r = sd_bus_attach_event(connection, bus->manager->event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

static int add_peer(struct bus *bus, int fd)
{
	sd_bus *connection = NULL;
	int r;

	r = sd_bus_new(&connection);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	r = set_up_peer(bus, connection, fd);
	if (r < 0) {
		drop(bus, connection);
		return r;
	}
	bus->peers[bus->n_peers++] = connection;
	return 0;
}

/* The mode of the socket says the same; but a descriptor can be handed on. */
static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == 0;
}

static int on_connection(sd_event_source *source, int listener, uint32_t events, void *userdata)
{
	struct bus *bus = userdata;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

	(void)source;
	(void)events;
	if (fd < 0)
		return 0; /* it has gone again */
	if (bus->n_peers == BUS_PEERS_MAX || !is_root(fd)) {
		closep(&fd);
		return 0;
	}
	r = add_peer(bus, fd);
	if (r < 0)
		log_line(LOG_WARNING, "Cannot serve a connection: %s.", strerror(-r));
	return 0;
}

static int bind_listener(struct bus *bus, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	(void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	bus->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bus->listener < 0)
		return -errno;
	(void)unlink(path); /* of one that died; what else is in the way, bind() tells */
	/* The umask is the service's; this must not depend on it. */
	if (fchmod(bus->listener, 0600) < 0 ||
	    bind(bus->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, 0600) < 0 || listen(bus->listener, BACKLOG) < 0)
		return -errno;
	return sd_event_add_io(bus->manager->event, &bus->accept, bus->listener, EPOLLIN,
			       on_connection, bus);
}

static int set_up_sources(struct bus *bus)
{
	int r;

	r = sd_event_add_time(bus->manager->event, &bus->tidy, CLOCK_MONOTONIC, UINT64_MAX, 0,
			      on_tidy, bus);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->tidy, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = sd_event_add_time(bus->manager->event, &bus->retry, CLOCK_MONOTONIC, UINT64_MAX, 0,
			      on_retry, bus);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_defer(bus->manager->event, &bus->nudge, on_nudge, bus);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->nudge, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(bus->manager->event, &bus->teller, CLOCK_MONOTONIC, 0,
				      BUS_TELL_ACCURACY, bus_tell_jobs, bus);
	return r < 0 ? r : sd_event_source_set_enabled(bus->teller, SD_EVENT_OFF);
}

int bus_new(struct manager *manager, const char *private_socket, struct bus **ret,
	    struct error *reterr)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return error_oom(reterr);
	*bus = (struct bus){ .manager = manager, .listener = -1 };
	bus->socket = strdup(private_socket);
	r = bus->socket ? bind_listener(bus, private_socket) : -ENOMEM;
	if (r >= 0)
		r = set_up_sources(bus);
	if (r < 0) {
		bus_free(bus);
		return error_set(reterr, -r, "Cannot listen on %s: %s.", private_socket,
				 strerror(-r));
	}
	if (connect_system(bus) < 0)
		retry_later(bus);
	*ret = bus;
	return 0;
}

static bool has_told(sd_bus *connection)
{
	uint64_t n;

	return sd_bus_get_n_queued_write(connection, &n) < 0 || n == 0;
}

/* Of those that listen: on a bus that is not there yet, all would be waiting. */
bool bus_has_told_all(const struct bus *bus)
{
	bool told = !bus->system || !bus->system_is_up || has_told(bus->system);

	for (size_t i = 0; told && i < bus->n_peers; i++)
		told = sd_bus_is_ready(bus->peers[i]) <= 0 || has_told(bus->peers[i]);
	return told;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	bus_callers_forget(bus, NULL);
	if (bus->system)
		drop(bus, bus->system);
	for (size_t i = 0; i < bus->n_peers; i++)
		drop(bus, bus->peers[i]);
	(void)sd_event_source_disable_unref(bus->accept);
	(void)sd_event_source_disable_unref(bus->retry);
	(void)sd_event_source_disable_unref(bus->nudge);
	(void)sd_event_source_disable_unref(bus->teller);
	(void)sd_event_source_disable_unref(bus->tidy);
	closep(&bus->listener);
	if (bus->socket)
		(void)unlink(bus->socket); /* only a path that nobody serves any more */
	free(bus->socket);
	free(bus);
}
