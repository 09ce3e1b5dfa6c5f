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

static const char *disk_name(const struct volume *volume, const struct namespace *ns)
{
	return volume->foreign && ns ? namespace_disk_uuid(ns)->text : volume->name;
}

struct uuid partition_uuid(const struct uuid *seed, const struct volume *volume,
			   const struct namespace *ns, const char *name)
{
	char text[VOLUME_NAME_MAX + PARTITION_NAME_MAX + 32];

	(void)snprintf(text, sizeof(text), "partition:%s:%s", disk_name(volume, ns), name);
	return uuid_derive(seed, text);
}

struct uuid table_uuid(const struct uuid *seed, const struct volume *volume,
		       const struct namespace *ns)
{
	char text[VOLUME_NAME_MAX + 32];

	(void)snprintf(text, sizeof(text), "disk:%s", disk_name(volume, ns));
	return uuid_derive(seed, text);
}
