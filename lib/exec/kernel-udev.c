/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/kernel.h"

#define UDEV_CONTROL "/run/udev/control"

/*
 * udevadm asks udevd itself, so it also waits for events that the kernel has sent and udevd has
 * not yet taken; the queue file alone would not show those.
 */
void kernel_settle_udev(void)
{
	char program[] = "udevadm", verb[] = "settle", limit[] = "--timeout=10";
	char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const argv[] = { program, verb, limit, NULL };
	char *const environment[] = { search, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	if (access(UDEV_CONTROL, F_OK) < 0 || posix_spawn_file_actions_init(&actions) != 0)
		return;
	/* Our standard output carries events. */
	if (posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ==
		    0 &&
	    posix_spawnp(&pid, program, &actions, NULL, argv, environment) == 0)
		(void)waitpid(pid, NULL, 0); /* whatever it says, the step reads back the result */
	(void)posix_spawn_file_actions_destroy(&actions);
}
