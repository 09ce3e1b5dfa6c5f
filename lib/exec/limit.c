/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/limit.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#define LIMIT_AGAIN_US 100000

static void do_nothing(int signal)
{
	(void)signal; /* it is there to end a write() */
}

/* Again and again: the first may come when no write() has begun. */
int limit_arm(struct limit *limit, uint64_t seconds, struct error *reterr)
{
	const struct sigaction action = { .sa_handler = do_nothing };
	const struct itimerval timer = { .it_value.tv_sec = (time_t)seconds,
					 .it_interval.tv_usec = LIMIT_AGAIN_US };
	sigset_t alarm;

	if (seconds == 0)
		return 0;
	(void)sigemptyset(&alarm);
	(void)sigaddset(&alarm, SIGALRM); /* neither fails with a signal that exists */
	if (sigaction(SIGALRM, &action, &limit->before) < 0 ||
	    pthread_sigmask(SIG_UNBLOCK, &alarm, &limit->mask) != 0 ||
	    setitimer(ITIMER_REAL, &timer, NULL) < 0)
		return error_set(reterr, errno, "Cannot set a timer: %s.", strerror(errno));
	limit->armed = true;
	return 0;
}

void limit_disarm(struct limit *limit)
{
	const struct itimerval off = { 0 };

	if (!limit->armed)
		return;
	(void)setitimer(ITIMER_REAL, &off, NULL); /* they did not fail before either */
	(void)pthread_sigmask(SIG_SETMASK, &limit->mask, NULL);
	(void)sigaction(SIGALRM, &limit->before, NULL);
	limit->armed = false;
}
