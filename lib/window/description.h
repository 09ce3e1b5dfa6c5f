/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What daxd says of a window in /run/daxd/windows/NAME.json.  Members that are not known are
 * left alone, so that later daxds can say more; those that are must make sense.
 */
#ifndef DAXWINDOW_DESCRIPTION_H
#define DAXWINDOW_DESCRIPTION_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define DESCRIPTION_FOLDER "/run/daxd/windows"
#define DESCRIPTION_NAME_MAX 255

struct description {
	char *path;	   /* of the device's node */
	char *uuid;	   /* of the partition */
	char *device_uuid; /* of the namespace the device is of; NULL: it has none */
	uint64_t major, minor;
	uint64_t offset, size, align;
	uint64_t device_size;
};

#define DESCRIPTION_INIT { 0 }

void description_clear(struct description *description);
/* -EINVAL, -ENOENT, -EBADMSG as daxwindow_open() has them. */
int description_read(const char *name, struct description *ret, struct error *reterr);
/* Is fd the device that is described?  -ESTALE. */
int description_check_device(const struct description *description, const char *name, int fd,
			     struct error *reterr);

#endif
