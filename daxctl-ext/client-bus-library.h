/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libsystemd, loaded when a bus is used: with the libraries it brings along it takes as long to
 * start as the rest of the program.
 */
#ifndef DAXCTL_EXT_CLIENT_BUS_LIBRARY_H
#define DAXCTL_EXT_CLIENT_BUS_LIBRARY_H

#include <systemd/sd-bus.h>

#include "base/error.h"

#define BUS_FUNCTIONS(X) \
	X(sd_bus_add_match) \
	X(sd_bus_call) \
	X(sd_bus_error_free) \
	X(sd_bus_error_get_errno) \
	X(sd_bus_error_has_name) \
	X(sd_bus_flush_close_unref) \
	X(sd_bus_get_events) \
	X(sd_bus_get_fd) \
	X(sd_bus_get_timeout) \
	X(sd_bus_message_appendv) \
	X(sd_bus_message_at_end) \
	X(sd_bus_message_enter_container) \
	X(sd_bus_message_exit_container) \
	X(sd_bus_message_get_path) \
	X(sd_bus_message_is_signal) \
	X(sd_bus_message_new_method_call) \
	X(sd_bus_message_peek_type) \
	X(sd_bus_message_read) \
	X(sd_bus_message_read_basic) \
	X(sd_bus_message_set_allow_interactive_authorization) \
	X(sd_bus_message_set_auto_start) \
	X(sd_bus_message_skip) \
	X(sd_bus_message_unref) \
	X(sd_bus_new) \
	X(sd_bus_open_system_with_description) \
	X(sd_bus_path_decode) \
	X(sd_bus_process) \
	X(sd_bus_set_address) \
	X(sd_bus_start)

#define BUS_MEMBER(name) __typeof__(&name) of_##name;
struct bus_library {
	BUS_FUNCTIONS(BUS_MEMBER)
};
#undef BUS_MEMBER

/* Filled once, by bus_open(): nobody has a bus without. */
extern struct bus_library bus_library;
int bus_library_load(struct error *reterr);

#define sd_bus_add_match (bus_library.of_sd_bus_add_match)
#define sd_bus_call (bus_library.of_sd_bus_call)
#define sd_bus_error_free (bus_library.of_sd_bus_error_free)
#define sd_bus_error_get_errno (bus_library.of_sd_bus_error_get_errno)
#define sd_bus_error_has_name (bus_library.of_sd_bus_error_has_name)
#define sd_bus_flush_close_unref (bus_library.of_sd_bus_flush_close_unref)
#define sd_bus_get_events (bus_library.of_sd_bus_get_events)
#define sd_bus_get_fd (bus_library.of_sd_bus_get_fd)
#define sd_bus_get_timeout (bus_library.of_sd_bus_get_timeout)
#define sd_bus_message_appendv (bus_library.of_sd_bus_message_appendv)
#define sd_bus_message_at_end (bus_library.of_sd_bus_message_at_end)
#define sd_bus_message_enter_container (bus_library.of_sd_bus_message_enter_container)
#define sd_bus_message_exit_container (bus_library.of_sd_bus_message_exit_container)
#define sd_bus_message_get_path (bus_library.of_sd_bus_message_get_path)
#define sd_bus_message_is_signal (bus_library.of_sd_bus_message_is_signal)
#define sd_bus_message_new_method_call (bus_library.of_sd_bus_message_new_method_call)
#define sd_bus_message_peek_type (bus_library.of_sd_bus_message_peek_type)
#define sd_bus_message_read (bus_library.of_sd_bus_message_read)
#define sd_bus_message_read_basic (bus_library.of_sd_bus_message_read_basic)
#define sd_bus_message_set_allow_interactive_authorization (bus_library.of_sd_bus_message_set_allow_interactive_authorization)
#define sd_bus_message_set_auto_start (bus_library.of_sd_bus_message_set_auto_start)
#define sd_bus_message_skip (bus_library.of_sd_bus_message_skip)
#define sd_bus_message_unref (bus_library.of_sd_bus_message_unref)
#define sd_bus_new (bus_library.of_sd_bus_new)
#define sd_bus_open_system_with_description (bus_library.of_sd_bus_open_system_with_description)
#define sd_bus_path_decode (bus_library.of_sd_bus_path_decode)
#define sd_bus_process (bus_library.of_sd_bus_process)
#define sd_bus_set_address (bus_library.of_sd_bus_set_address)
#define sd_bus_start (bus_library.of_sd_bus_start)

#endif
