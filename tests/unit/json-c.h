/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second opinion on what is JSON: the tests compare our reader with json-c. */
#ifndef DAXD_TESTS_UNIT_JSON_C_H
#define DAXD_TESTS_UNIT_JSON_C_H

#include <stdbool.h>
#include <stddef.h>

/* Does the strict tokener of json-c take all of the text, whatever the size of its numbers? */
bool json_c_accepts(const char *text, size_t length);

#endif
