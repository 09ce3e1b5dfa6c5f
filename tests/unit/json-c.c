/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json-c.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64 /* deeper than ours, which counts differently */

static enum json_tokener_error parse(const char *text, size_t length, int flags)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	enum json_tokener_error error;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, flags | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL tells json-c that a number at the end is complete. */
	json_object_put(json_tokener_parse_ex(tokener, text, (int)length + 1));
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	return error;
}

bool json_c_accepts(const char *text, size_t length)
{
	char *copy = calloc(1, length + 1);
	enum json_tokener_error error;

	if (!copy || length >= INT_MAX)
		abort();
	memcpy(copy, text, length);
	error = parse(copy, length, JSON_TOKENER_STRICT);
	/* After 0.16 strict also refuses numbers that do not fit; ours leaves that to whoever
	 * reads the member. */
	if (error == json_tokener_error_parse_number)
		error = parse(copy, length, 0);
	free(copy);
	return error == json_tokener_success;
}
