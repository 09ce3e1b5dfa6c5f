/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/json-read.h"

void answer_nonsense(struct report *problems, struct report *why)
{
	problem_add(problems, EPROTO, "daxctl-ext and daxd must be of the same version",
		    "The answer of daxd cannot be understood: %s",
		    why->n ? error_message(&why->errors[0]) : "it is no JSON.");
	report_clear(why);
}

enum cli_exit answer_scan(const char *text, struct json *ret, struct report *problems)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	if (json_scan(text, strlen(text), ret, &report) == 0)
		return CLI_DONE;
	answer_nonsense(problems, &report);
	return CLI_FAILED;
}

const struct json_value *answer_member(const struct json_value *object, const char *key)
{
	const struct json_value *member;

	if (object->type != JSON_OBJECT)
		return NULL;
	member = json_first(object);
	for (uint32_t i = 0; i < object->n; i++, member = json_next(member))
		if (strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

const char *answer_text(const struct json_value *object, const char *key)
{
	const struct json_value *member = answer_member(object, key);

	if (!member || (member->type != JSON_STRING && member->type != JSON_NUMBER))
		return "";
	return member->text;
}

uint64_t answer_number(const struct json_value *object, const char *key)
{
	uint64_t value;

	return json_parse_u64(answer_text(object, key), &value) == 0 ? value : 0;
}

static char *copy_member(const struct json_value *object, const char *key)
{
	const char *text = answer_text(object, key);

	return *text ? strdup(text) : NULL;
}

void answer_problems(const struct json_value *object, struct report *problems)
{
	const struct json_value *list = answer_member(object, "problems"), *item;

	if (!list || list->type != JSON_ARRAY)
		return;
	item = json_first(list);
	for (uint32_t i = 0; i < list->n; i++, item = json_next(item)) {
		uint64_t code = answer_number(item, "code");
		struct error error = {
			.code = code > 0 && code <= INT_MAX ? (int)code : EIO,
			.message = copy_member(item, "message"),
			.file = copy_member(item, "file"),
			.pointer = copy_member(item, "pointer"),
			.hint = copy_member(item, "hint"),
		};

		(void)report_take(problems, &error);
	}
}
