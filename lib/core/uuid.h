/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uuids as text, which is how everything but libuuid and the kernel's headers has them. */
#ifndef DAXD_CORE_UUID_H
#define DAXD_CORE_UUID_H

#include <stdbool.h>

#define UUID_TEXT_LENGTH 36
/* A uuid in lower-case text; "" is none. */
struct uuid {
	char text[UUID_TEXT_LENGTH + 1];
};

bool uuid_is_set(const struct uuid *uuid);
/* All zeros, which is nobody's. */
bool uuid_is_nil(const struct uuid *uuid);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
/* Accepts any case, stores lower case; -EINVAL. */
int uuid_parse_text(const char *text, struct uuid *ret);
/* Name-based (version 5): the same for the same inputs, for ever. */
struct uuid uuid_derive(const struct uuid *space, const char *name);

#endif
