/* SPDX-License-Identifier: GPL-2.0-or-later */
/* D-Bus values as JSON; part of the door that client-bus.h describes. */
#ifndef DAXCTL_EXT_CLIENT_BUS_JSON_H
#define DAXCTL_EXT_CLIENT_BUS_JSON_H

#include <systemd/sd-bus.h>

#include "core/json-write.h"

/* The value that the message stands at. Negative errno when it is not what was promised. */
int bus_json_value(sd_bus_message *message, struct json_out *out, const char *key);
/* a{sv} as members of the object that is open. */
int bus_json_members(sd_bus_message *message, struct json_out *out);
/* a{sa{sv}}, what objects are told as: the members of our own interfaces. */
int bus_json_interfaces(sd_bus_message *message, struct json_out *out);
/* "StartedByUID" as "started_by_uid". */
void bus_json_name(const char *property, char *name, size_t size);

#endif
