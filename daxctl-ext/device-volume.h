/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object of the machine as the volume of a configuration that says just what it is, for a
 * verb to change: what is ours by its name, what is somebody else's by uuid or ranges.
 */
#ifndef DAXCTL_EXT_DEVICE_VOLUME_H
#define DAXCTL_EXT_DEVICE_VOLUME_H

#include "core/config.h"
#include "volumes.h"

/* Why that is impossible goes to the problems; -errno. */
int device_volume_fill(const struct topology *topology, const struct volume_view *view,
		       struct volume *volume, struct report *problems);
/* What create-device calls a device that nobody names: device-1. It has no link. */
#define DEVICE_UNNAMED "device-"
bool device_is_unnamed(const char *name);
/* Where create-device --keep writes a volume. */
#define DEVICE_KEEP_FOLDER SYSCONFDIR "/daxd"
char *device_keep_path(const struct volume *volume);
/* Ready to be filled: what every volume has. */
void device_volume_init(struct volume *volume);
/* Is the view what the volume of the configuration says, after it was carried out? */
bool device_volume_is(const struct volume *volume, const struct volume_view *view);
/* A copy, or the end of the program. */
char *device_text(const char *text);
/* daxctl's words: 0x40000000, 512m, 1G; ours: 50%, all. -EINVAL, -ERANGE. */
int device_size_parse(const char *text, struct size_spec *ret);

#endif
