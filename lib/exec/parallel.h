/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A few threads for work in which the kernel only waits.  Jobs share nothing: each has its own
 * index into what the caller keeps, and all are over when the call returns.
 */
#ifndef DAXD_EXEC_PARALLEL_H
#define DAXD_EXEC_PARALLEL_H

#include <stddef.h>

/* Run job for 0 to n - 1; the caller's own thread works too, so it goes on without any other. */
void parallel_run(void (*job)(void *userdata, size_t index), void *userdata, size_t n);

#endif
