/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What helps where a device verb is refused.  The planner gives the hints of apply; a verb has
 * options that apply has not.
 */
#ifndef DAXCTL_EXT_DEVICE_HINT_H
#define DAXCTL_EXT_DEVICE_HINT_H

#include "device-verb.h"

/* Of what is in use, in a report whose pointers are into run->config. */
void device_hint_busy(struct device_run *run, struct report *report);
/* One line for who would otherwise wonder why nothing happens. */
void device_tell_users(const struct device_run *run);
/* Of a namespace that is no dax device; the caller frees; or NULL. */
char *device_hint_other(const struct device_run *run, const struct volume_view *view);

#endif
