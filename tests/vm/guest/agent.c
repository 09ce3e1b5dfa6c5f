/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's end of the test machine: takes files and one command at a time from the host over
 * a virtio-serial port, runs the command, and sends back its output as it comes and its status.
 *
 * Both directions carry frames: a type byte, a little-endian 32-bit length, that many bytes.
 * From the host: 'T' a piece of a tar file to lay over the root (empty: its end), 'X' a command
 * as NUL-terminated arguments. To the host: 'R' ready, 'B' the command begins, 'O' output,
 * 'S' a status as wait() gives it, also after the tar's end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT "/dev/virtio-ports/daxd.vm"
#define ARGS_MAX 1024
#define PIPE_SIZE (1 << 20)

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail("write");
		at += n;
		len -= n;
	}
}

/* A port nobody has opened on the host reads as end of file; the host comes later, then. */
static void read_all(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno != EINTR)
			fail("read");
		if (n == 0)
			usleep(10000);
		if (n > 0) {
			at += n;
			len -= n;
		}
	}
}

static void send_frame(int port, char type, const void *data, uint32_t len)
{
	char head[5] = { type };

	memcpy(head + 1, &len, 4);
	write_all(port, head, sizeof(head));
	write_all(port, data, len);
}

static pid_t spawn(char *argv[], int in, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Forward what the pipe holds now; the write end may stay open in a daemon for ever. */
static size_t forward(int port, int pipe_fd)
{
	static char buf[65536];
	ssize_t n = read(pipe_fd, buf, sizeof(buf));

	if (n > 0)
		send_frame(port, 'O', buf, n);
	return n > 0 ? n : 0;
}

/* Output sent before the child is seen dead is complete: one more drain follows its death. */
static int follow(int port, pid_t pid, int pipe_fd)
{
	struct pollfd p = { .fd = pipe_fd, .events = POLLIN };
	int status;

	fcntl(pipe_fd, F_SETFL, O_NONBLOCK);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (poll(&p, 1, 20) <= 0)
			continue;
		if (!forward(port, pipe_fd))
			usleep(5000);
	}
	for (size_t sent = 0, n = 1; n && sent <= PIPE_SIZE; sent += n)
		n = forward(port, pipe_fd);
	return status;
}

static void run(int port, char *args, uint32_t len)
{
	char *argv[ARGS_MAX + 1] = { NULL };
	size_t argc = 0;
	int fds[2], null, status;
	pid_t pid;

	for (char *at = args; at < args + len && argc < ARGS_MAX; at += strlen(at) + 1)
		argv[argc++] = at;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!argc || null < 0 || pipe2(fds, O_CLOEXEC) < 0)
		fail("command");
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	send_frame(port, 'B', "", 0);
	pid = spawn(argv, null, fds[1]);
	close(fds[1]);
	close(null);
	status = follow(port, pid, fds[0]);
	/* Never close the read end: a daemon left behind must not die of SIGPIPE. */
	send_frame(port, 'S', &status, sizeof(status));
}

static void take_tar(int port, const char *data, uint32_t len)
{
	static char *const argv[] = { "tar", "-x", "-C", "/", "--keep-directory-symlink", NULL };
	static int to_tar = -1;
	static pid_t pid;
	int fds[2], status;

	if (to_tar < 0) {
		if (pipe2(fds, O_CLOEXEC) < 0)
			fail("pipe");
		fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
		pid = spawn((char **)argv, fds[0], 2);
		close(fds[0]);
		to_tar = fds[1];
	}
	write_all(to_tar, data, len);
	if (len)
		return;
	close(to_tar);
	to_tar = -1;
	waitpid(pid, &status, 0);
	send_frame(port, 'S', &status, sizeof(status));
}

int main(void)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		"TERM=dumb", "LANG=C.UTF-8", "USER=root", "LOGNAME=root", "SHELL=/bin/sh",
		"SYSTEMD_COLORS=0", "SYSTEMD_PAGER=",
	};
	int port = open(PORT, O_RDWR | O_CLOEXEC);

	if (port < 0)
		fail(PORT);
	clearenv();
	for (size_t i = 0; i < sizeof(env) / sizeof(*env); i++)
		putenv((char *)env[i]);
	if (chdir("/root") < 0)
		fail("/root");
	signal(SIGPIPE, SIG_IGN);
	send_frame(port, 'R', "", 0);
	for (;;) {
		char head[5], *data;
		uint32_t len;

		read_all(port, head, sizeof(head));
		memcpy(&len, head + 1, 4);
		data = malloc((size_t)len + 1);
		if (!data)
			fail("malloc");
		read_all(port, data, len);
		data[len] = 0;
		if (head[0] == 'T')
			take_tar(port, data, len);
		else if (head[0] == 'X')
			run(port, data, len);
		free(data);
	}
}
