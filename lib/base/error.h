/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong, for a person: one sentence that names the object, the value and the rule,
 * the place in the document it stands in (a JSON pointer), and a hint what to do about it.
 *
 * Functions return negative errno and fill a struct error once, where the reason is known;
 * callers pass both on unchanged.  A report collects many errors, so that one run shows all
 * the mistakes of a document.  Nothing here prints.
 */
#ifndef DAXD_BASE_ERROR_H
#define DAXD_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/path.h"

struct error {
	int code;      /* positive errno; 0: no error */
	char *message; /* one sentence with its full stop; NULL when memory ran out */
	char *file;    /* the document, or NULL */
	char *pointer; /* JSON pointer into it, or NULL when no document is concerned */
	char *hint;    /* what to do, or NULL */
};

#define ERROR_INIT { 0 }

void error_clear(struct error *error);

/* Each fills *error (which must be clear) and returns -code. */
int error_set(struct error *error, int code, const char *format, ...) _printf_(3, 4);
int error_at(struct error *error, const struct path *at, int code, const char *format, ...)
	_printf_(4, 5);
int error_oom(struct error *error);

/* Add what to do about it; replaces an earlier hint. Returns -error->code. */
int error_hint(struct error *error, const char *format, ...) _printf_(2, 3);

/* The sentence, never NULL. */
const char *error_message(const struct error *error);

/* Move: *to takes what *from holds, *from is clear. */
void error_move(struct error *to, struct error *from);
/* Copy; -ENOMEM when a string could not be copied (*to is then clear). */
int error_copy(struct error *to, const struct error *from);

struct report {
	struct error *errors;
	size_t n;
};

#define REPORT_INIT { 0 }

void report_clear(struct report *report);

/*
 * Add one error; hint may be NULL.  Returns -code.  The program ends when there is no memory
 * to keep it: a report that lost an error would be a lie.
 */
int report_add(struct report *report, const struct path *at, int code, const char *hint,
	       const char *format, ...) _printf_(5, 6);
/* Add an error made elsewhere; takes what it holds. */
int report_take(struct report *report, struct error *error);
/* Say of which document the errors from the given one on are, where that is not known yet. */
void report_name_file(struct report *report, size_t from, const char *file);
/* 0 when the report is empty, else the first error's negative code. */
int report_code(const struct report *report);

#endif
