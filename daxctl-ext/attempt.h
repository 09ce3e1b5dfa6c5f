/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan that is being carried out, by whomever: shows how far it is, remembers what became of
 * each step, and says in the end what that means.
 */
#ifndef DAXCTL_EXT_ATTEMPT_H
#define DAXCTL_EXT_ATTEMPT_H

#include "cli.h"
#include "core/event.h"
#include "core/plan.h"
#include "interrupt.h"
#include "progress.h"

struct attempt {
	struct cli *cli;
	const struct plan *plan;
	const struct interrupt *interrupt;
	struct progress *progress; /* NULL with --json */
	enum step_state *states;
	size_t n_failed;
	struct error end; /* of the end event */
};

/* cli, plan and interrupt must outlive it. */
enum cli_exit attempt_init(struct attempt *attempt, struct cli *cli, const struct plan *plan,
			   const struct interrupt *interrupt);
void attempt_clear(struct attempt *attempt);

/* A client_event: userdata is the attempt. */
void attempt_event(void *userdata, const struct event *event, const char *line);

/* No more events: the line on the terminal goes, and these say what there is to say. */
enum cli_exit attempt_done(struct attempt *attempt);
enum cli_exit attempt_failed(struct attempt *attempt);
enum cli_exit attempt_busy(struct attempt *attempt);
enum cli_exit attempt_cancelled(struct attempt *attempt);

#endif
