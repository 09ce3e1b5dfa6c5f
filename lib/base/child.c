/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

static int set_attributes(posix_spawnattr_t *attributes, bool own_group)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	r = posix_spawnattr_setsigmask(attributes, &set);
	(void)sigaddset(&set, SIGPIPE); /* it exists, so this does not fail */
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &set);
	if (own_group)
		flags |= POSIX_SPAWN_SETPGROUP; /* group 0, as it is unless set: its own */
	return r ? r : posix_spawnattr_setflags(attributes, flags);
}

static int spawn(char *const argv[], const int fds[3], bool own_group, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail here */
		return -r;
	}
	r = set_attributes(&attributes, own_group);
	for (int i = 0; r == 0 && i < 3; i++)
		r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (r == 0)
		r = posix_spawn(ret, argv[0], &actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions); /* as above */
	return -r;
}

static int open_pipes(int in[2], int out[2], int err[2])
{
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return -errno;
	/* Only our ends: those of the child are other open files. */
	if (fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int child_start(char *const argv[], bool own_group, struct child *ret)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, r;
	pid_t pid;

	r = open_pipes(in, out, err);
	if (r == 0)
		r = spawn(argv, (const int[]){ in[0], out[1], err[1] }, own_group, &pid);
	closep(&in[0]);
	closep(&out[1]);
	closep(&err[1]);
	if (r == 0) {
		*ret = (struct child){ .pid = pid, .in = in[1], .out = out[0], .err = err[0] };
		return 0;
	}
	closep(&in[1]);
	closep(&out[0]);
	closep(&err[0]);
	return r;
}

int child_keep_last(void *userdata, char *line, size_t length)
{
	char **last = userdata, *copy;

	if (length == 0)
		return 0;
	copy = strdup(line);
	if (!copy)
		return -ENOMEM;
	free(*last);
	*last = copy;
	return 0;
}
