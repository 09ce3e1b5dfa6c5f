/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A limit for writes in which the kernel tries for as long as it takes, and stops for a signal
 * only: write() ends with EINTR when it has passed.  While the limit runs nothing else may start
 * that a signal would end.
 */
#ifndef DAXD_EXEC_LIMIT_H
#define DAXD_EXEC_LIMIT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct limit {
	struct sigaction before;
	sigset_t mask;
	bool armed;
};

/* For the writes of this thread, which must be the only one that lets SIGALRM in; 0: no limit. */
int limit_arm(struct limit *limit, uint64_t seconds, struct error *reterr);
void limit_disarm(struct limit *limit);

#endif
