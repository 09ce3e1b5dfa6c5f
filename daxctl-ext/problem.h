/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong, for the person at the terminal and for programs: errors with the file each
 * one is about.  Every part of the command line program puts its errors here and main prints
 * them once, at the end: as text on stderr, and with --json as one JSON object on stdout.
 */
#ifndef DAXCTL_EXT_PROBLEM_H
#define DAXCTL_EXT_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct problem {
	char *file; /* NULL: no file is concerned */
	struct error error;
};

struct problem_list {
	struct problem *problems;
	size_t n;
};

void problem_list_clear(struct problem_list *list);

/*
 * Take what the error (or every error of the report) holds; file is copied and may be NULL.
 * The program ends when there is no memory to keep one.
 */
void problem_list_take(struct problem_list *list, const char *file, struct error *error);
void problem_list_take_report(struct problem_list *list, const char *file,
			      struct report *report);
/* Write one and add it; hint may be NULL. */
void problem_list_add(struct problem_list *list, int code, const char *hint, const char *format,
		      ...) _printf_(4, 5);

/* "daxctl-ext: FILE: POINTER: Sentence." and an indented hint, one after the other. */
void problem_list_print(const struct problem_list *list, FILE *out, bool colour);
/* The same lines for what is no error: "daxctl-ext: note: ...". */
void problem_list_print_notes(const struct problem_list *list, FILE *out, bool colour);

/* {"errors":[{"file","pointer","message","hint","code","errno"}]}; NULL: no memory. */
char *problem_list_to_json(const struct problem_list *list);

#endif
