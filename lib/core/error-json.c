/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/error-json.h"

#include <string.h>

void json_put_error(struct json_out *out, const char *key, const struct error *error)
{
	json_open(out, key, '{');
	json_put_text(out, "file", error->file);
	json_put_text(out, "pointer", error->pointer);
	json_put_text(out, "message", error_message(error));
	json_put_text(out, "hint", error->hint);
	json_put_int(out, "code", error->code);
	json_put_text(out, "errno", strerrorname_np(error->code));
	json_close(out, '}');
}

char *error_to_json(const struct error *error)
{
	struct json_out out = { 0 };

	json_put_error(&out, NULL, error);
	return json_out_finish(&out);
}

char *report_to_json(const struct report *report)
{
	struct json_out out = { 0 };

	json_open(&out, NULL, '{');
	json_open(&out, "errors", '[');
	for (size_t i = 0; i < report->n; i++)
		json_put_error(&out, NULL, &report->errors[i]);
	json_close(&out, ']');
	json_close(&out, '}');
	return json_out_finish(&out);
}

static const int code_min = 1;
static const struct json_field error_fields[] = {
	JSON_FIELD("code", json_int, struct error, code, .arg = &code_min, .required = true),
	{ .key = "errno", .read = json_skip }, /* the name of code, for people */
	JSON_FIELD("message", json_text, struct error, message, .required = true),
	JSON_FIELD("file", json_text, struct error, file),
	JSON_FIELD("pointer", json_text, struct error, pointer),
	JSON_FIELD("hint", json_text, struct error, hint),
};
const struct json_table error_json_table = JSON_TABLE("an error", error_fields);

int error_parse(const char *text, size_t length, struct error *ret, struct report *report)
{
	struct error error = ERROR_INIT;
	int r = json_read_document(text, length, &error_json_table, &error, report);

	if (r < 0) {
		error_clear(&error);
		return r;
	}
	*ret = error;
	return 0;
}
