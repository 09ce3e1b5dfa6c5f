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
	struct bus_caller caller;
	const char *name; /* in the message */
	bool read_only;
};

static void opening_free(struct opening *opening)
{
	bus_caller_clear(&opening->caller);
	free(opening);
}

static int hand_out(const struct opening *opening, const struct window *window)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = window_open(window, opening->read_only, &error);
	int r = fd;

	fd = fd < 0 ? -1 : fd;
	if (r < 0)
		return sd_bus_reply_method_errorf(opening->caller.message, SD_BUS_ERROR_FAILED,
						  "%s", error_message(&error));
	return sd_bus_reply_method_return(opening->caller.message, "htt", fd,
					  window->entry->extent.start, window->entry->extent.size);
}

static int answer(const struct opening *opening, const struct topology *topology)
{
	_cleanup_(windows_clear) struct windows windows = { 0 };
	const struct config *config = opening->caller.bus->manager->config;
	const struct window *window;
	int r = windows_find(topology, &windows, NULL, NULL);

	if (r < 0)
		return r;
	window = windows_by_name(&windows, opening->name);
	if (!window)
		return sd_bus_reply_method_errorf(opening->caller.message, BUS_ERROR_NO_WINDOW,
						  "This host has no window \"%s\".", opening->name);
	if (!window_admits(window, config, opening->caller.uid, opening->read_only))
		return sd_bus_reply_method_errorf(opening->caller.message,
						  SD_BUS_ERROR_ACCESS_DENIED,
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
		(void)sd_bus_reply_method_errorf(opening->caller.message, SD_BUS_ERROR_FAILED, "%s",
						 error_message(error));
	if (r < 0)
		(void)sd_bus_reply_method_errno(opening->caller.message, r, NULL);
	opening_free(opening);
}

static void on_caller(struct bus_caller *caller)
{
	bus_caller_look(caller, on_scanned);
}

static void free_caller(struct bus_caller *caller)
{
	scanner_forget(caller->bus->manager->scanner, caller);
	opening_free((struct opening *)caller);
}

int bus_method_open_window(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	bool read_only = false;
	const struct bus_option options[] = { { "read-only", &read_only } };
	struct opening *opening;
	const char *name;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r >= 0)
		r = bus_read_options(message, options, ARRAY_SIZE(options), error);
	if (r < 0)
		return r;
	if (!window_name_is_valid(name))
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
					"That is no name of a window.");
	opening = calloc(1, sizeof(*opening));
	if (!opening)
		return -ENOMEM;
	*opening = (struct opening){
		.caller = {
			.bus = bus,
			.message = sd_bus_message_ref(message),
			.wants = BUS_LOOK,
			.found = on_caller,
			.free = free_caller,
		},
		.name = name,
		.read_only = read_only,
	};
	r = bus_caller_find(&opening->caller, error);
	if (r < 0)
		opening_free(opening);
	return r < 0 ? r : 1;
}
