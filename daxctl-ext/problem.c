/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "problem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void problem_list_clear(struct problem_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->problems[i].file);
		error_clear(&list->problems[i].error);
	}
	free(list->problems);
	*list = (struct problem_list){ 0 };
}

void problem_list_take(struct problem_list *list, const char *file, struct error *error)
{
	struct problem *slot = ARRAY_APPEND(list->problems, list->n);

	/* As in a report: an error that got lost would look like success. */
	if (!slot)
		abort();
	list->n++;
	error_move(&slot->error, error);
	if (file) {
		slot->file = strdup(file);
		if (!slot->file)
			abort();
	}
}

void problem_list_take_report(struct problem_list *list, const char *file, struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		problem_list_take(list, file, &report->errors[i]);
	report_clear(report);
}

void problem_list_add(struct problem_list *list, int code, const char *hint, const char *format,
		      ...)
{
	struct error error = { .code = code };
	va_list args;

	va_start(args, format);
	if (vasprintf(&error.message, format, args) < 0)
		error.message = NULL;
	va_end(args);
	if (hint)
		(void)error_hint(&error, "%s", hint); /* its value is the code given above */
	problem_list_take(list, NULL, &error);
}

static void print(const struct problem_list *list, FILE *out, const char *kind)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct problem *p = &list->problems[i];

		(void)fputs(kind, out);
		if (p->file)
			(void)fprintf(out, "%s: ", p->file);
		if (p->error.pointer && *p->error.pointer)
			(void)fprintf(out, "%s: ", p->error.pointer);
		(void)fprintf(out, "%s\n", error_message(&p->error));
		if (p->error.hint)
			(void)fprintf(out, "  hint: %s\n", p->error.hint);
	}
}

void problem_list_print(const struct problem_list *list, FILE *out, bool colour)
{
	print(list, out, colour ? "\033[31mdaxctl-ext:\033[0m " : "daxctl-ext: ");
}

void problem_list_print_notes(const struct problem_list *list, FILE *out, bool colour)
{
	print(list, out, colour ? "\033[33mdaxctl-ext: note:\033[0m " : "daxctl-ext: note: ");
}
