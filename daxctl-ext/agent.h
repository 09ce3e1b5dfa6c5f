/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who asks for the password that polkit wants, on this terminal: polkit's own
 * pkttyagent, which steps back where the session has an agent already.
 */
#ifndef DAXCTL_EXT_AGENT_H
#define DAXCTL_EXT_AGENT_H

#include <sys/types.h>

struct agent {
	pid_t pid; /* 0: none is needed, or to be had */
};

/* Returns once it is ready. What is not there is not missed: polkit then says no. */
void agent_start(struct agent *agent);
void agent_stop(struct agent *agent);

#endif
