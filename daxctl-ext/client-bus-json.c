/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client-bus-json.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "client-bus-library.h"

#define NAME_MAX_SIZE 64

void bus_json_name(const char *property, char *name, size_t size)
{
	size_t n = 0;

	for (const char *c = property; *c && n + 2 < size; c++) {
		bool begins = isupper((unsigned char)*c) && c > property &&
			      (islower((unsigned char)c[-1]) || islower((unsigned char)c[1]));

		if (begins)
			name[n++] = '_';
		name[n++] = (char)(*c == '-' ? '_' : tolower((unsigned char)*c));
	}
	name[n] = 0;
}

static int put_basic(sd_bus_message *message, char type, struct json_out *out, const char *key)
{
	union {
		const char *text;
		int boolean;
		uint8_t y;
		uint16_t q;
		uint32_t u;
		uint64_t t;
		int32_t i;
	} value = { 0 };
	int r = sd_bus_message_read_basic(message, type, &value);

	if (r < 0)
		return r;
	switch (type) {
	case SD_BUS_TYPE_STRING:
	case SD_BUS_TYPE_OBJECT_PATH:
	case SD_BUS_TYPE_SIGNATURE:
		json_put_text(out, key, value.text);
		return 0;
	case SD_BUS_TYPE_BOOLEAN:
		json_put_bool(out, key, value.boolean != 0);
		return 0;
	case SD_BUS_TYPE_BYTE:
		json_put_u64(out, key, value.y);
		return 0;
	case SD_BUS_TYPE_UINT16:
		json_put_u64(out, key, value.q);
		return 0;
	case SD_BUS_TYPE_UINT32:
		json_put_u64(out, key, value.u);
		return 0;
	case SD_BUS_TYPE_UINT64:
		json_put_u64(out, key, value.t);
		return 0;
	case SD_BUS_TYPE_INT32:
		json_put_int(out, key, value.i);
		return 0;
	default:
		return -EPROTO; /* the interface has no others */
	}
}

/* (tt) is a range everywhere in the interface. */
static int put_range(sd_bus_message *message, struct json_out *out)
{
	uint64_t start, size;
	int r = sd_bus_message_read(message, "(tt)", &start, &size);

	if (r < 0)
		return r;
	json_open(out, NULL, '{');
	json_put_u64(out, "start", start);
	json_put_u64(out, "size", size);
	json_close(out, '}');
	return 0;
}

static int put_array(sd_bus_message *message, const char *contents, struct json_out *out,
		     const char *key)
{
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, contents);

	if (r < 0)
		return r;
	json_open(out, key, '[');
	while ((r = sd_bus_message_at_end(message, 0)) == 0) {
		r = bus_json_value(message, out, NULL);
		if (r < 0)
			return r;
	}
	json_close(out, ']');
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int bus_json_value(sd_bus_message *message, struct json_out *out, const char *key)
{
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(message, &type, &contents);

	if (r <= 0)
		return r < 0 ? r : -EPROTO;
	if (type == SD_BUS_TYPE_VARIANT) {
		r = sd_bus_message_enter_container(message, type, contents);
		if (r >= 0)
			r = bus_json_value(message, out, key);
		return r < 0 ? r : sd_bus_message_exit_container(message);
	}
	if (type == SD_BUS_TYPE_STRUCT && strcmp(contents, "tt") == 0)
		return put_range(message, out);
	if (type == SD_BUS_TYPE_ARRAY && strcmp(contents, "{sv}") == 0) {
		json_open(out, key, '{');
		r = bus_json_members(message, out);
		json_close(out, '}');
		return r;
	}
	if (type == SD_BUS_TYPE_ARRAY)
		return put_array(message, contents, out, key);
	return put_basic(message, type, out, key);
}

static int put_member(sd_bus_message *message, struct json_out *out)
{
	char name[NAME_MAX_SIZE];
	const char *property, *plan;
	int r;

	r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &property);
	if (r < 0)
		return r;
	bus_json_name(property, name, sizeof(name));
	if (strcmp(property, "Plan") != 0)
		return bus_json_value(message, out, name);
	/* A document in a string is a document again. */
	r = sd_bus_message_read(message, "v", "s", &plan);
	if (r >= 0)
		json_put_json(out, name, plan);
	return r;
}

int bus_json_members(sd_bus_message *message, struct json_out *out)
{
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY,
							     "sv")) > 0) {
		r = put_member(message, out);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int put_interface(sd_bus_message *message, struct json_out *out)
{
	const char *interface;
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &interface);

	if (r < 0)
		return r;
	if (strncmp(interface, "org.daxd1.", strlen("org.daxd1.")) == 0)
		return bus_json_members(message, out);
	return sd_bus_message_skip(message, "a{sv}");
}

int bus_json_interfaces(sd_bus_message *message, struct json_out *out)
{
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sa{sv}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY,
							     "sa{sv}")) > 0) {
		r = put_interface(message, out);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}
