/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenWindow: a descriptor of the device that a window lies in, for who may have it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus-tree.h"
#include "scanner.h"
#include "windows.h"

/* A call that waits until the machine was looked at. */
struct opening {
	struct bus *bus;
	sd_bus_message *message;
	const char *name; /* in the message */
	uid_t uid;
	bool read_only;
};

static void opening_free(struct opening *opening)
{
	(void)sd_bus_message_unref(opening->message);
	free(opening);
}

static int hand_out(const struct opening *opening, const struct window *window)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = window_open(window, opening->read_only, &error);
	int r = fd;

	fd = fd < 0 ? -1 : fd;
	if (r < 0)
		return sd_bus_reply_method_errorf(opening->message, SD_BUS_ERROR_FAILED, "%s",
						  error_message(&error));
	return sd_bus_reply_method_return(opening->message, "htt", fd, window->entry->extent.start,
					  window->entry->extent.size);
}

static int answer(const struct opening *opening, const struct topology *topology)
{
	_cleanup_(windows_clear) struct windows windows = { 0 };
	const struct config *config = opening->bus->manager->config;
	const struct window *window;
	int r = windows_find(topology, &windows, NULL, NULL);

	if (r < 0)
		return r;
	window = windows_by_name(&windows, opening->name);
	if (!window)
		return sd_bus_reply_method_errorf(opening->message, BUS_ERROR_NO_WINDOW,
						  "This host has no window \"%s\".", opening->name);
	if (!window_admits(window, config, opening->uid, opening->read_only))
		return sd_bus_reply_method_errorf(opening->message, SD_BUS_ERROR_ACCESS_DENIED,
						  "The window \"%s\" is not for you.",
						  opening->name);
	return hand_out(opening, window);
}

static void on_scanned(void *userdata, const struct topology *topology, const struct error *error)
{
	struct opening *opening = userdata;
	int r = 0;

	if (topology)
		r = answer(opening, topology);
	else
		(void)sd_bus_reply_method_errorf(opening->message, SD_BUS_ERROR_FAILED, "%s",
						 error_message(error));
	if (r < 0)
		(void)sd_bus_reply_method_errno(opening->message, r, NULL);
	opening_free(opening);
}

static int find_caller(const struct bus *bus, sd_bus_message *message, uid_t *ret)
{
	sd_bus_creds *creds = NULL;
	int r;

	if (bus_is_private(bus, sd_bus_message_get_bus(message))) {
		*ret = 0;
		return 0;
	}
	r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);
	if (r >= 0)
		r = sd_bus_creds_get_euid(creds, ret);
	(void)sd_bus_creds_unref(creds);
	return r;
}

int bus_method_open_window(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	bool read_only = false;
	const struct bus_option options[] = { { "read-only", &read_only } };
	struct opening *opening;
	const char *name;
	uid_t uid;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r >= 0)
		r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	if (r >= 0)
		r = find_caller(bus, message, &uid);
	if (r < 0)
		return r;
	if (!window_name_is_valid(name))
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
					"That is no name of a window.");
	opening = calloc(1, sizeof(*opening));
	if (!opening)
		return -ENOMEM;
	*opening = (struct opening){ bus, sd_bus_message_ref(message), name, uid, read_only };
	if (scanner_request(bus->manager->scanner, on_scanned, opening) >= 0)
		return 1;
	opening_free(opening);
	return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many ask.");
}
