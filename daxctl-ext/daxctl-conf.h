/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /etc/daxctl.conf.d, as far as they say what becomes of devices at boot
 * (daxctl-reconfigure-device(1)): sections [reconfigure-device NAME], or [auto-online NAME] as
 * its first form was called.  Other sections are other programs'.
 */
#ifndef DAXCTL_EXT_DAXCTL_CONF_H
#define DAXCTL_EXT_DAXCTL_CONF_H

#include <stdbool.h>

#include "base/error.h"
#include "core/config.h"

struct conf_section {
	char *name;	   /* the unique word, or NULL */
	struct uuid uuid;  /* nvdimm.uuid; "" not said */
	bool ram;	   /* mode=system-ram, which is the default */
	bool online, movable;
	bool unknown;	   /* a mode that is none; gone when the file has been read */
	const char *file;  /* the caller's */
	unsigned int line; /* of its heading */
};

struct conf {
	struct conf_section *sections;
	size_t n;
};

void conf_clear(struct conf *conf);
/*
 * Append the sections of a file.  What cannot be understood is noted and passed over, as daxctl
 * does without a word; an error is a file that cannot be read, or -EBADMSG: it is JSON.
 */
int conf_load(struct conf *conf, const char *path, struct report *notes, struct error *reterr);

#endif
