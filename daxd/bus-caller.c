/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls, and how much of him waits. */
#include "bus-tree.h"

#include <errno.h>
#include <string.h>

/*
 * The bus answers at once, so these are no limits for anybody but who sends calls without an end.
 * Messages that wait take memory.
 */
#define NAMELESS_MAX 1024
#define NAMELESS_OF_SENDER_MAX 16
/* Once it is known who they are. */
static const size_t limits[] = {
	[BUS_LOOK] = 16,
	[BUS_CHANGE] = 8,
};

static bool same_sender(const struct bus_caller *a, const struct bus_caller *b)
{
	const char *x = sd_bus_message_get_sender(a->message);
	const char *y = sd_bus_message_get_sender(b->message);

	return x && y && strcmp(x, y) == 0;
}

static bool too_many_nameless(const struct bus_caller *caller)
{
	size_t n = 0, of_sender = 0;

	for (const struct bus_caller *other = caller->bus->callers; other; other = other->next) {
		n += !other->known;
		of_sender += !other->known && same_sender(caller, other);
	}
	return n >= NAMELESS_MAX || of_sender >= NAMELESS_OF_SENDER_MAX;
}

bool bus_caller_is_one_too_many(const struct bus_caller *caller)
{
	size_t n = 0;

	for (const struct bus_caller *other = caller->bus->callers; other; other = other->next)
		n += other->known && other->wants == caller->wants && other->uid == caller->uid;
	return caller->uid != 0 && n > limits[caller->wants];
}

void bus_caller_look(struct bus_caller *caller, scan_done *done)
{
	if (bus_caller_is_one_too_many(caller))
		(void)sd_bus_reply_method_errorf(caller->message, SD_BUS_ERROR_LIMITS_EXCEEDED,
						 "Too many of your calls wait for a look.");
	else if (scanner_request(caller->bus->manager->scanner, done, caller) < 0)
		(void)sd_bus_reply_method_errno(caller->message, -ENOMEM, NULL);
	else
		return;
	caller->free(caller);
}

static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct bus_caller *caller = userdata;
	uint32_t uid;
	int r;

	(void)error;
	caller->slot = sd_bus_slot_unref(caller->slot);
	r = sd_bus_message_is_method_error(reply, NULL) ? -EACCES :
							  sd_bus_message_read(reply, "u", &uid);
	if (r < 0) {
		(void)sd_bus_reply_method_errorf(caller->message, SD_BUS_ERROR_ACCESS_DENIED,
						 "The bus does not say who you are.");
		caller->free(caller);
		return 1;
	}
	caller->uid = uid;
	caller->known = true;
	caller->found(caller);
	return 1;
}

int bus_caller_find(struct bus_caller *caller, sd_bus_error *error)
{
	sd_bus *connection = sd_bus_message_get_bus(caller->message);

	if (bus_is_private(caller->bus, connection)) {
		caller->uid = 0; /* it was seen to be root when it was accepted */
		caller->known = true;
	} else if (too_many_nameless(caller)) {
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					"Too many calls at once.");
	}
	caller->next = caller->bus->callers;
	caller->bus->callers = caller;
	if (caller->known) {
		caller->found(caller);
		return 1;
	}
	return sd_bus_call_method_async(connection, &caller->slot, "org.freedesktop.DBus",
					"/org/freedesktop/DBus", "org.freedesktop.DBus",
					"GetConnectionUnixUser", on_uid, caller, "s",
					sd_bus_message_get_sender(caller->message));
}

void bus_caller_clear(struct bus_caller *caller)
{
	for (struct bus_caller **at = &caller->bus->callers; *at; at = &(*at)->next)
		if (*at == caller) {
			*at = caller->next;
			break;
		}
	(void)sd_bus_slot_unref(caller->slot);
	(void)sd_bus_message_unref(caller->message);
}

void bus_callers_forget(struct bus *bus, const sd_bus *connection)
{
	struct bus_caller *next;

	for (struct bus_caller *caller = bus->callers; caller; caller = next) {
		next = caller->next;
		if (!connection || sd_bus_message_get_bus(caller->message) == connection)
			caller->free(caller);
	}
}
