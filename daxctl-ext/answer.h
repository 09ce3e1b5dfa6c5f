/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What daxd says, read from its JSON (client-bus.h).  Members are looked up by name, so that
 * those of a later version do not matter; what is missing is "" or 0.
 */
#ifndef DAXCTL_EXT_ANSWER_H
#define DAXCTL_EXT_ANSWER_H

#include <stdint.h>

#include "cli.h"
#include "core/json-scan.h"

enum cli_exit answer_scan(const char *text, struct json *ret, struct report *problems);
/* Says that an answer cannot be understood; takes why. */
void answer_nonsense(struct report *problems, struct report *why);

/* NULL: there is none. */
const struct json_value *answer_member(const struct json_value *object, const char *key);
/* Of a string or number, as it is written. */
const char *answer_text(const struct json_value *object, const char *key);
uint64_t answer_number(const struct json_value *object, const char *key);
/* Its member "problems", added. */
void answer_problems(const struct json_value *object, struct report *problems);

#endif
