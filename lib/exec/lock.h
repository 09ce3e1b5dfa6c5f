/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One writer at a time on this host: a lock that the kernel drops with the process. */
#ifndef DAXD_EXEC_LOCK_H
#define DAXD_EXEC_LOCK_H

#include "base/error.h"

/* The descriptor that holds the lock until it is closed; -EBUSY when another process has it. */
int lock_take(const char *path, struct error *reterr);

#endif
