/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* {"file":"...","pointer":"...","message":"...","hint":"...","code":16,"errno":"EBUSY"} */
#ifndef DAXD_CORE_ERROR_JSON_H
#define DAXD_CORE_ERROR_JSON_H

#include "base/error.h"
#include "core/json-read.h"
#include "core/json-write.h"

void json_put_error(struct json_out *out, const char *key, const struct error *error);
/* On one line; NULL: no memory. */
char *error_to_json(const struct error *error);

/* {"errors":[...]}, on one line; NULL: no memory. */
char *report_to_json(const struct report *report);

int error_parse(const char *text, size_t length, struct error *ret, struct report *report);

/* For documents that have an error inside: json_object() with a struct error. */
extern const struct json_table error_json_table;

#endif
