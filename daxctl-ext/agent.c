/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define PROGRAM "pkttyagent"
#define READY_FD 3
#define PATIENCE_MS 5000

static int spawn(int ready, pid_t *ret)
{
	char process[16], fd[] = { '0' + READY_FD, 0 };
	char *argv[] = { (char[]){ PROGRAM }, (char[]){ "--process" },	process,
			 (char[]){ "--notify-fd" }, fd, (char[]){ "--fallback" }, NULL };
	posix_spawn_file_actions_t actions;
	int r;

	(void)snprintf(process, sizeof(process), "%d", getpid());
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, ready, READY_FD);
	if (r == 0)
		r = posix_spawnp(ret, PROGRAM, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail here */
	return -r;
}

void agent_start(struct agent *agent)
{
	int ends[2] = { -1, -1 };
	struct pollfd ready;

	*agent = (struct agent){ 0 };
	if (geteuid() == 0 || !isatty(STDIN_FILENO) || pipe2(ends, O_CLOEXEC) < 0)
		return;
	if (spawn(ends[1], &agent->pid) < 0)
		agent->pid = 0;
	closep(&ends[1]);
	/* It closes its end when it is ready, or when it gives up. */
	ready = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	if (agent->pid)
		(void)poll(&ready, 1, PATIENCE_MS); /* if it fails we are early, no more */
	closep(&ends[0]);
}

void agent_stop(struct agent *agent)
{
	if (!agent->pid)
		return;
	(void)kill(agent->pid, SIGTERM); /* it is ours, and not waited for yet */
	(void)kill(agent->pid, SIGCONT);
	(void)waitpid(agent->pid, NULL, 0); /* how it ended does not matter */
	agent->pid = 0;
}
