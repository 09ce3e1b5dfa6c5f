/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus-tree.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define DEPTH_MAX 8

static int append_text(sd_bus_message *message, const char *key, const char *text)
{
	return text ? sd_bus_message_append(message, "{sv}", key, "s", text) : 0;
}

int bus_append_problem(sd_bus_message *message, const struct error *problem)
{
	int r;

	r = sd_bus_message_open_container(message, 'a', "{sv}");
	if (r >= 0)
		r = append_text(message, "message", error_message(problem));
	if (r >= 0)
		r = sd_bus_message_append(message, "{sv}", "code", "i", problem->code);
	if (r >= 0)
		r = append_text(message, "file", problem->file);
	if (r >= 0)
		r = append_text(message, "pointer", problem->pointer);
	if (r >= 0)
		r = append_text(message, "hint", problem->hint);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int bus_append_problems(sd_bus_message *message, const struct report *problems)
{
	int r;

	r = sd_bus_message_open_container(message, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < problems->n && i < BUS_PROBLEMS_MAX; i++)
		r = bus_append_problem(message, &problems->errors[i]);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Each once: the same one without an end would be a way to send a message without an end. */
static int read_option(sd_bus_message *message, const char *name, const struct bus_option *options,
		       size_t n, uint64_t *given, sd_bus_error *error)
{
	for (size_t i = 0; i < n; i++) {
		int value, r;

		if (strcmp(options[i].name, name) != 0)
			continue;
		if (*given & UINT64_C(1) << i)
			return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
						 "Option %s is given twice.", name);
		*given |= UINT64_C(1) << i;
		r = sd_bus_message_read(message, "v", "b", &value);
		if (r < 0)
			return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
						 "Option %s must be a boolean.", name);
		*options[i].value = value;
		return 0;
	}
	return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
				 "There is no option \"%.64s\" here.", name);
}

int bus_read_options(sd_bus_message *message, const struct bus_option *options, size_t n,
		     sd_bus_error *error)
{
	uint64_t given = 0;
	const char *name;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r >= 0)
			r = read_option(message, name, options, n, &given, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/*
 * A message may be a hundred times as long as a document, and a text becomes six times as long in
 * it.  Who may send how much is looked at when it is whole; more than this nobody may.
 */
static int check_room(const struct json_out *out, const char *text, sd_bus_error *error)
{
	if (out->length + strlen(text) <= CONFIG_OF_ROOT_MAX)
		return 0;
	return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
				"The description of the volume is too long.");
}

static int read_value(sd_bus_message *message, struct json_out *out, const char *key,
		      unsigned int depth, sd_bus_error *error);

static int read_members(sd_bus_message *message, struct json_out *out, const char *key,
			unsigned int depth, sd_bus_error *error)
{
	const char *name;
	int r;

	json_open(out, key, '{');
	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r >= 0)
			r = check_room(out, name, error);
		if (r >= 0)
			r = read_value(message, out, name, depth + 1, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	json_close(out, '}');
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_elements(sd_bus_message *message, struct json_out *out, const char *key,
			 const char *contents, unsigned int depth, sd_bus_error *error)
{
	int r;

	json_open(out, key, '[');
	r = sd_bus_message_enter_container(message, 'a', contents);
	while (r >= 0 && (r = sd_bus_message_at_end(message, false)) == 0)
		r = read_value(message, out, NULL, depth + 1, error);
	json_close(out, ']');
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* Sizes are strings, so that the same rules hold as in a file; whole numbers may be numbers. */
static int read_basic(sd_bus_message *message, struct json_out *out, const char *key, char type,
		      sd_bus_error *error)
{
	union {
		const char *s;
		int b;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
	} value;
	int r;

	if (!strchr("sbiuxt", type))
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "A value of type '%c' says nothing of a volume.", type);
	r = sd_bus_message_read_basic(message, type, &value);
	if (r >= 0)
		r = check_room(out, type == 's' ? value.s : "", error);
	if (r < 0)
		return r;
	if (type == 's')
		json_put_text(out, key, value.s);
	else if (type == 'b')
		json_put_bool(out, key, value.b);
	else if (type == 'i')
		json_put_int(out, key, value.i);
	else if (type == 'x' && value.x < 0)
		json_put_int(out, key, value.x < INT32_MIN ? INT32_MIN : (int)value.x);
	else
		json_put_u64(out, key, type == 'u' ? value.u : value.t);
	return 0;
}

static int read_value(sd_bus_message *message, struct json_out *out, const char *key,
		      unsigned int depth, sd_bus_error *error)
{
	const char *contents;
	char type;
	int r;

	if (depth > DEPTH_MAX)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
					"The description of the volume is too deep.");
	r = sd_bus_message_peek_type(message, &type, &contents);
	if (r < 0)
		return r;
	if (type == 'a' && strcmp(contents, "{sv}") == 0)
		return read_members(message, out, key, depth, error);
	if (type == 'a')
		return read_elements(message, out, key, contents, depth, error);
	if (type != 'v')
		return read_basic(message, out, key, type, error);
	r = sd_bus_message_enter_container(message, 'v', contents);
	if (r >= 0)
		r = read_value(message, out, key, depth + 1, error);
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int bus_read_json(sd_bus_message *message, struct json_out *out, const char *key,
		  sd_bus_error *error)
{
	return read_members(message, out, key, 0, error);
}
