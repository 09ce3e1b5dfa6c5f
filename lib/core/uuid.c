/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/uuid.h"

#include <errno.h>
#include <string.h>
#include <uuid/uuid.h>

bool uuid_is_set(const struct uuid *uuid)
{
	return uuid->text[0] != 0;
}

bool uuid_is_nil(const struct uuid *uuid)
{
	return strcmp(uuid->text, "00000000-0000-0000-0000-000000000000") == 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return strcmp(a->text, b->text) == 0;
}

int uuid_parse_text(const char *text, struct uuid *ret)
{
	uuid_t binary;

	if (strlen(text) != UUID_TEXT_LENGTH || uuid_parse(text, binary) < 0)
		return -EINVAL;
	uuid_unparse_lower(binary, ret->text);
	return 0;
}

struct uuid uuid_derive(const struct uuid *space, const char *name)
{
	uuid_t from = { 0 }, made;
	struct uuid ret;

	if (uuid_is_set(space))
		(void)uuid_parse(space->text, from); /* struct uuid only ever holds valid text */
	uuid_generate_sha1(made, from, name, strlen(name));
	uuid_unparse_lower(made, ret.text);
	return ret;
}
