/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/crash.h"

#ifdef CRASH_POINTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_POWER_CUT 7

static void cut_power(void)
{
	if (ioperm(DEBUG_EXIT_PORT, 4, 1) == 0)
		outb(DEBUG_EXIT_POWER_CUT, DEBUG_EXIT_PORT);
	perror("cannot cut the power");
	abort();
}

void crash_point(void)
{
	static unsigned long passed; /* one worker, one thread: the count is the process's */
	const char *at = getenv("DAXD_CRASH_AT"), *how = getenv("DAXD_CRASH_HOW");

	if (!at || ++passed != strtoul(at, NULL, 10))
		return;
	if (how && strcmp(how, "power") == 0)
		cut_power();
	(void)raise(SIGKILL);
}
#endif
