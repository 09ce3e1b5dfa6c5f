/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's configuration says of what a verb is to do.  daxd makes a configured volume as it
 * is configured, at the next event or at the next boot, so a verb does nothing else to it.
 */
#ifndef DAXCTL_EXT_CONFIGURED_H
#define DAXCTL_EXT_CONFIGURED_H

#include "device-verb.h"

/* Whether what the verb wants of each of its volumes would be undone: those are refused and dropped. */
void configured_refuse(struct device_run *run);

#endif
