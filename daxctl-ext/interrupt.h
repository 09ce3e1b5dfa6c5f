/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Ctrl-C means while a job runs: not death, but a question.  Opened before the job and
 * closed after it; in between SIGINT and SIGTERM come here, as something to poll for.
 *
 * On a terminal the first Ctrl-C asks whether to cancel.  Elsewhere it cancels at once, as
 * SIGTERM does everywhere.  The next one leaves: the job goes on without us.
 */
#ifndef DAXCTL_EXT_INTERRUPT_H
#define DAXCTL_EXT_INTERRUPT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#include "cli.h"

enum interrupt_answer {
	INTERRUPT_NONE,	  /* go on */
	INTERRUPT_CANCEL, /* stop the job after the step that runs */
	INTERRUPT_LEAVE,  /* leave it alone, whatever becomes of it */
};

#define INTERRUPT_FDS 2

struct interrupt {
	FILE *err;
	int fd;
	bool terminal;	/* somebody can be asked */
	bool asking;	/* the question stands on the terminal */
	bool cancelled; /* it was answered with yes, or not asked */
	sigset_t before;
};

int interrupt_open(struct interrupt *interrupt, const struct cli *cli, struct error *reterr);
void interrupt_close(struct interrupt *interrupt);

/* What to poll for; with NULL nothing. */
void interrupt_poll(const struct interrupt *interrupt, struct pollfd fds[INTERRUPT_FDS]);
/* After poll(): what came of it. */
enum interrupt_answer interrupt_answer(struct interrupt *interrupt,
				       const struct pollfd fds[INTERRUPT_FDS]);

#endif
