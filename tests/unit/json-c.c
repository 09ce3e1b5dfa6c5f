/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json-c.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64 /* deeper than ours, which counts differently */

bool json_c_accepts(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	char *copy = calloc(1, length + 1);
	json_object *object;
	bool accepts;

	if (!tokener || !copy || length >= INT_MAX)
		abort();
	memcpy(copy, text, length);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL tells json-c that a number at the end is complete. */
	object = json_tokener_parse_ex(tokener, copy, (int)length + 1);
	accepts = json_tokener_get_error(tokener) == json_tokener_success;
	json_object_put(object);
	json_tokener_free(tokener);
	free(copy);
	return accepts;
}
