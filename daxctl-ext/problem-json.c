/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "problem.h"

#include <string.h>

#include "core/json-write.h"

char *problem_list_to_json(const struct problem_list *list)
{
	struct json_out out = { 0 };

	json_open(&out, NULL, '{');
	json_open(&out, "errors", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct problem *problem = &list->problems[i];

		json_open(&out, NULL, '{');
		json_put_text(&out, "file", problem->file);
		json_put_text(&out, "pointer", problem->error.pointer);
		json_put_text(&out, "message", error_message(&problem->error));
		json_put_text(&out, "hint", problem->error.hint);
		json_put_int(&out, "code", problem->error.code);
		json_put_text(&out, "errno", strerrorname_np(problem->error.code));
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	return json_out_finish(&out);
}
