/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's word that devices came or went: dax, nd, memory and pmem block devices.  It is
 * told once it has been quiet for a twentieth of a second, or has not been quiet for five seconds.
 *
 * These are the kernel's own events, not those that udevd passes on: at boot those are late.
 */
#ifndef DAXD_MONITOR_H
#define DAXD_MONITOR_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/error.h"

struct monitor;

int monitor_new(sd_event *event, void (*changed)(void *userdata), void *userdata,
		struct monitor **ret, struct error *reterr);
/* Something else happened that is to be told when it has been quiet. */
void monitor_note(struct monitor *monitor);
/* Has udev done all it has heard of? */
bool monitor_is_settled(const struct monitor *monitor);
/* Events wait until it listens again. */
void monitor_listen(struct monitor *monitor, bool listen);
void monitor_free(struct monitor *monitor);

#endif
