/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who writes to a disk whose partitions are daxd's: udev keeps its hands off such disks, so
 * nobody else tells that a table was changed.  A disk is watched by its node; a node that goes
 * is no longer watched, and the disk that comes back gets a new one.
 */
#ifndef DAXD_WATCH_H
#define DAXD_WATCH_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/topology.h"

struct watches;

/* written: somebody has closed a disk that he could write to, or a disk went. */
int watches_new(sd_event *event, void (*written)(void *userdata), void *userdata,
		struct watches **ret);
/*
 * Watch the managed disks of the topology, and no others; pending: something has to wait for
 * who uses it, so that maps that are open and mounts that go are watched, too, of which no device
 * tells.
 */
void watches_follow(struct watches *watches, const struct topology *topology, bool pending);
void watches_free(struct watches *watches);

#endif
