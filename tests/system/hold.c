/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold open NODE | hold map NODE | hold pin NUMA: use a device, or memory of a node, until killed.
 * "map" closes the node and keeps its first 2 MiB mapped; each SIGUSR1 writes there, and when
 * the mapping is gone, SIGBUS ends it.  "pin" keeps pages in a pipe, from where nobody can move
 * them.  Prints "ready" when it holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LENGTH (2u << 20)
#define PINNED 65536u
#define BIND 2 /* MPOL_BIND */

static volatile char *mapped;

static void die(const char *what)
{
	(void)fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void touch(int signal)
{
	(void)signal;
	*mapped = 1;
}

static int hold_node(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(node);
	return fd;
}

static void map(const char *node)
{
	int fd = hold_node(node);

	mapped = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		die("mmap");
	(void)close(fd);
	*mapped = 1;
	(void)signal(SIGUSR1, touch);
}

static void pin(const char *number)
{
	unsigned long nodes = 1ul << strtoul(number, NULL, 10);
	struct iovec pages = { .iov_len = PINNED };
	int ends[2];

	pages.iov_base = mmap(NULL, PINNED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (pages.iov_base == MAP_FAILED ||
	    syscall(SYS_mbind, pages.iov_base, PINNED, BIND, &nodes, 8 * sizeof(nodes), 0) < 0)
		die("mbind");
	(void)memset(pages.iov_base, 1, PINNED);
	if (pipe2(ends, O_CLOEXEC) < 0 || vmsplice(ends[1], &pages, 1, SPLICE_F_NONBLOCK) < 0)
		die("vmsplice");
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "open") == 0)
		(void)hold_node(argv[2]);
	else if (strcmp(argv[1], "map") == 0)
		map(argv[2]);
	else
		pin(argv[2]);
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
