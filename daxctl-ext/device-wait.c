/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define KERNEL_UEVENTS 1
/* A node of another mount namespace may be closed unseen: then this is how late we are. */
#define BLIND_NS (10 * SECOND_NS)

enum fixed_fd { FD_INOTIFY, FD_MOUNTS, FD_SWAPS, FD_UEVENTS, N_FIXED };

struct waiter {
	struct pollfd *fds; /* the fixed ones, then pidfds */
	int *pids;	    /* of the same places; 0 for the fixed ones */
	size_t n, n_pids;
};

uint64_t waiter_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static int open_uevents(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
					     .nl_groups = KERNEL_UEVENTS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		closep(&fd);
	return fd;
}

static int add_fd(struct waiter *waiter, int fd, short events, int pid)
{
	struct pollfd *slot = ARRAY_APPEND(waiter->fds, waiter->n);
	int *pid_slot = ARRAY_APPEND(waiter->pids, waiter->n_pids);

	if (!slot || !pid_slot)
		return -ENOMEM;
	*slot = (struct pollfd){ .fd = fd, .events = events };
	*pid_slot = pid;
	waiter->n++;
	waiter->n_pids++;
	return 0;
}

/* What cannot be opened (-1) is passed over by poll(), and BLIND_NS has to do. */
int waiter_new(struct waiter **ret)
{
	_cleanup_(waiter_freep) struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter ||
	    add_fd(waiter, inotify_init1(IN_CLOEXEC | IN_NONBLOCK), POLLIN, 0) < 0 ||
	    add_fd(waiter, open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), POLLPRI, 0) < 0 ||
	    add_fd(waiter, open("/proc/swaps", O_RDONLY | O_CLOEXEC), POLLPRI, 0) < 0 ||
	    add_fd(waiter, open_uevents(), POLLIN, 0) < 0)
		return -ENOMEM;
	*ret = TAKE(waiter);
	return 0;
}

void waiter_free(struct waiter *waiter)
{
	if (!waiter)
		return;
	for (size_t i = 0; i < waiter->n; i++)
		closep(&waiter->fds[i].fd);
	free(waiter->fds);
	free(waiter->pids);
	free(waiter);
}

/* True: it is new, or gone already. */
static bool watch_process(struct waiter *waiter, int pid)
{
	int fd;

	for (size_t i = N_FIXED; i < waiter->n; i++)
		if (waiter->pids[i] == pid)
			return false;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (add_fd(waiter, fd, POLLIN, pid) < 0)
		abort(); /* it has changed nothing yet */
	return true;
}

bool waiter_watch(struct waiter *waiter, const struct volume_view *view)
{
	const struct holder *holder;
	char path[PATH_MAX];
	bool any = false;

	if (!volume_holder(view, 0))
		return false;
	if (view->device) {
		(void)snprintf(path, sizeof(path), "/dev/%s", view->device->name);
		/* Who may not read the node has pidfds; watching the same twice is once. */
		(void)inotify_add_watch(waiter->fds[FD_INOTIFY].fd, path, IN_CLOSE);
	}
	for (size_t i = 0; (holder = volume_holder(view, i)); i++)
		if (holder->kind == HOLDER_PROCESS)
			any |= watch_process(waiter, holder->pid);
	return any;
}

static void drain(int fd)
{
	char bytes[8192];

	while (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0)
		; /* what it was does not matter */
}

/* A pidfd that is ready stays so. */
static void drop_ended(struct waiter *waiter)
{
	for (size_t i = N_FIXED; i < waiter->n; i++)
		if (waiter->fds[i].revents)
			closep(&waiter->fds[i].fd);
}

int waiter_wait(struct waiter *waiter, uint64_t deadline)
{
	uint64_t now = waiter_now(), until = now + BLIND_NS;
	int n;

	if (now >= deadline)
		return -ETIMEDOUT;
	if (until > deadline)
		until = deadline;
	n = poll(waiter->fds, waiter->n, (int)((until - now + 999999) / 1000000));
	if (n < 0 && errno != EINTR)
		return -errno;
	drain(waiter->fds[FD_INOTIFY].fd);
	drain(waiter->fds[FD_UEVENTS].fd);
	drop_ended(waiter);
	return 0;
}
