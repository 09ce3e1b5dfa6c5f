/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for those who use a device to leave: processes end (pidfd) or close it (inotify),
 * file systems are unmounted (mountinfo), swap goes (swaps), and so do block devices on top of
 * it (uevents).  It only tells that something has happened; who is still there is for a scan
 * to say.
 */
#ifndef DAXCTL_EXT_DEVICE_WAIT_H
#define DAXCTL_EXT_DEVICE_WAIT_H

#include "volumes.h"

struct waiter;

/* -errno */
int waiter_new(struct waiter **ret);
void waiter_free(struct waiter *waiter);
DEFINE_FREEP(struct waiter, waiter)

/* Watch whoever uses it; true: there is somebody that was not watched before. */
bool waiter_watch(struct waiter *waiter, const struct volume_view *view);
/* 0: look again; -ETIMEDOUT: it is past the deadline (nanoseconds of CLOCK_MONOTONIC). */
int waiter_wait(struct waiter *waiter, uint64_t deadline);
uint64_t waiter_now(void);

#endif
