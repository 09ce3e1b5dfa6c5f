/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interrupt.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupt_open(struct interrupt *interrupt, const struct cli *cli, struct error *reterr)
{
	sigset_t set;

	*interrupt = (struct interrupt){
		.err = cli->err,
		.terminal = isatty(STDIN_FILENO) && isatty(fileno(cli->err)),
	};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM); /* none fails with a signal that exists */
	interrupt->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt->fd < 0)
		return error_set(reterr, errno, "Cannot listen to signals: %s.", strerror(errno));
	(void)sigprocmask(SIG_BLOCK, &set, &interrupt->before); /* fails for bad arguments only */
	return 0;
}

void interrupt_close(struct interrupt *interrupt)
{
	if (interrupt->fd < 0)
		return;
	(void)sigprocmask(SIG_SETMASK, &interrupt->before, NULL); /* as above */
	closep(&interrupt->fd);
}

void interrupt_poll(const struct interrupt *interrupt, struct pollfd fds[INTERRUPT_FDS])
{
	/* poll() passes over -1. */
	fds[0] = (struct pollfd){ .fd = interrupt ? interrupt->fd : -1, .events = POLLIN };
	fds[1] = (struct pollfd){
		.fd = interrupt && interrupt->asking ? STDIN_FILENO : -1,
		.events = POLLIN,
	};
}

static enum interrupt_answer cancel(struct interrupt *interrupt)
{
	interrupt->asking = false;
	interrupt->cancelled = true;
	return INTERRUPT_CANCEL;
}

static enum interrupt_answer take_signal(struct interrupt *interrupt)
{
	struct signalfd_siginfo info;

	if (read(interrupt->fd, &info, sizeof(info)) != sizeof(info))
		return INTERRUPT_NONE;
	if (interrupt->asking || interrupt->cancelled)
		return INTERRUPT_LEAVE;
	if (!interrupt->terminal || info.ssi_signo == SIGTERM)
		return cancel(interrupt);
	interrupt->asking = true;
	(void)fputs("\nCancel? The step that runs is finished first [y/N] ", interrupt->err);
	(void)fflush(interrupt->err); /* who does not see it presses Ctrl-C again */
	return INTERRUPT_NONE;
}

static enum interrupt_answer take_line(struct interrupt *interrupt)
{
	char line[64] = "";
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return INTERRUPT_NONE;
	if (n > 0 && (line[0] == 'y' || line[0] == 'Y'))
		return cancel(interrupt);
	interrupt->asking = false;
	return INTERRUPT_NONE;
}

enum interrupt_answer interrupt_answer(struct interrupt *interrupt,
				       const struct pollfd fds[INTERRUPT_FDS])
{
	if (fds[0].revents)
		return take_signal(interrupt);
	if (fds[1].revents)
		return take_line(interrupt);
	return INTERRUPT_NONE;
}
