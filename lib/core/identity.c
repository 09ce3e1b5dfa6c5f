/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/identity.h"

#include <stdio.h>

struct uuid volume_uuid(const struct uuid *seed, const char *name, enum volume_mode mode)
{
	char text[VOLUME_NAME_MAX + 32];

	(void)snprintf(text, sizeof(text), "%s:%s", volume_mode_word(mode), name);
	return uuid_derive(seed, text);
}

struct uuid volume_info_uuid(const struct uuid *uuid)
{
	return uuid_derive(uuid, "info");
}
