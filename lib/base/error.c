/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void error_clear(struct error *error)
{
	free(error->message);
	free(error->file);
	free(error->pointer);
	free(error->hint);
	*error = (struct error)ERROR_INIT;
}

/* A sentence that could not be allocated is left out: error_message() then says errno's text. */
_printf_(1, 0) static char *format_text(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

/* Without memory for its name the error is told without it. */
static void name_file(struct error *error, const char *file)
{
	if (file && !error->file)
		error->file = strdup(file);
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list args;

	assert(code > 0 && error->code == 0);
	error->code = code;
	va_start(args, format);
	error->message = format_text(format, args);
	va_end(args);
	return -code;
}

int error_at(struct error *error, const struct path *at, int code, const char *format, ...)
{
	va_list args;

	assert(code > 0 && error->code == 0);
	error->code = code;
	error->pointer = path_to_pointer(at);
	name_file(error, path_file(at));
	va_start(args, format);
	error->message = format_text(format, args);
	va_end(args);
	return -code;
}

int error_oom(struct error *error)
{
	assert(error->code == 0);
	error->code = ENOMEM;
	return -ENOMEM;
}

int error_hint(struct error *error, const char *format, ...)
{
	va_list args;

	free(error->hint);
	va_start(args, format);
	error->hint = format_text(format, args);
	va_end(args);
	return -error->code;
}

const char *error_message(const struct error *error)
{
	return error->message ? error->message : strerror(error->code);
}

void error_move(struct error *to, struct error *from)
{
	assert(to->code == 0);
	*to = *from;
	*from = (struct error)ERROR_INIT;
}

int error_copy(struct error *to, const struct error *from)
{
	assert(to->code == 0);
	to->code = from->code;
	if ((from->message && !(to->message = strdup(from->message))) ||
	    (from->file && !(to->file = strdup(from->file))) ||
	    (from->pointer && !(to->pointer = strdup(from->pointer))) ||
	    (from->hint && !(to->hint = strdup(from->hint)))) {
		error_clear(to);
		return -ENOMEM;
	}
	return 0;
}

void report_clear(struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		error_clear(&report->errors[i]);
	free(report->errors);
	*report = (struct report)REPORT_INIT;
}

int report_add(struct report *report, const struct path *at, int code, const char *hint,
	       const char *format, ...)
{
	struct error error = ERROR_INIT;
	va_list args;

	error.code = code;
	error.pointer = path_to_pointer(at);
	name_file(&error, path_file(at));
	error.hint = hint ? strdup(hint) : NULL;
	va_start(args, format);
	error.message = format_text(format, args);
	va_end(args);
	return report_take(report, &error);
}

int report_take(struct report *report, struct error *error)
{
	struct error *slot;
	int code = error->code;

	assert(code > 0);
	slot = ARRAY_APPEND(report->errors, report->n);
	if (!slot) {
		/* A report that silently lost an error would let bad input through. */
		abort();
	}
	report->n++;
	error_move(slot, error);
	return -code;
}

void report_name_file(struct report *report, size_t from, const char *file)
{
	for (size_t i = from; i < report->n; i++)
		name_file(&report->errors[i], file);
}

int report_code(const struct report *report)
{
	return report->n ? -report->errors[0].code : 0;
}
