/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong, for the person at the terminal.  Every part of the command line program puts
 * its errors into one report and main prints them once, at the end: as text on stderr, and
 * with --json as one JSON object on stdout (report_to_json()).
 */
#ifndef DAXCTL_EXT_PROBLEM_H
#define DAXCTL_EXT_PROBLEM_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* Write one that is about no document and add it; hint may be NULL. */
void problem_add(struct report *problems, int code, const char *hint, const char *format, ...)
	_printf_(4, 5);
/* Move all. */
void problems_take(struct report *problems, struct report *from);

/* "daxctl-ext: FILE: POINTER: Sentence." and an indented hint, one after the other. */
void problems_print(const struct report *problems, FILE *out, bool colour);
/* The same lines for what is no error: "daxctl-ext: note: ...". */
void problems_print_notes(const struct report *problems, FILE *out, bool colour);

#endif
