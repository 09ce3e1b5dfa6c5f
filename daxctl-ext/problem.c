/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

void problem_add(struct report *problems, int code, const char *hint, const char *format, ...)
{
	struct error error = { .code = code };
	va_list args;

	va_start(args, format);
	if (vasprintf(&error.message, format, args) < 0)
		error.message = NULL;
	va_end(args);
	if (hint)
		(void)error_hint(&error, "%s", hint); /* its value is the code given above */
	(void)report_take(problems, &error);
}

void problems_take(struct report *problems, struct report *from)
{
	for (size_t i = 0; i < from->n; i++)
		(void)report_take(problems, &from->errors[i]);
	report_clear(from);
}

static void print(const struct report *problems, FILE *out, const char *kind)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct error *error = &problems->errors[i];

		(void)fputs(kind, out);
		if (error->file)
			(void)fprintf(out, "%s: ", error->file);
		if (error->pointer && *error->pointer)
			(void)fprintf(out, "%s: ", error->pointer);
		(void)fprintf(out, "%s\n", error_message(error));
		if (error->hint)
			(void)fprintf(out, "  hint: %s\n", error->hint);
	}
}

void problems_print(const struct report *problems, FILE *out, bool colour)
{
	print(problems, out, colour ? "\033[31mdaxctl-ext:\033[0m " : "daxctl-ext: ");
}

void problems_print_notes(const struct report *problems, FILE *out, bool colour)
{
	print(problems, out,
	      colour ? "\033[33mdaxctl-ext: note:\033[0m " : "daxctl-ext: note: ");
}
