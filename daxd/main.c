/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daxd: makes the machine as its configuration says, and speaks of it on D-Bus.  It decides;
 * what touches the machine is daxd-worker.
 *
 *   daxd [--worker PROGRAM] [--folder FOLDER]... [--socket PATH] [--scan-limit SECONDS]
 *        [--version]
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "host/folders.h"
#include "log.h"
#include "manager.h"

#define FOLDERS_MAX 8
#define SCAN_LIMIT 60

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	manager_stop(userdata);
	return 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	manager_reload(userdata);
	return 0;
}

/* Blocked: sd-event takes them from a descriptor. */
static int block_signals(void)
{
	sigset_t set;

	if (sigemptyset(&set) < 0 || sigaddset(&set, SIGTERM) < 0 || sigaddset(&set, SIGINT) < 0 ||
	    sigaddset(&set, SIGHUP) < 0 || sigaddset(&set, SIGCHLD) < 0 ||
	    sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN); /* a worker that is gone is seen in another way */
	return 0;
}

static int take_signals(sd_event *event, struct manager *manager)
{
	int r;

	r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, manager);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, on_stop, manager);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, manager);
	return r;
}

static int run(const struct manager_options *options)
{
	struct manager *manager = NULL;
	struct error error = ERROR_INIT;
	sd_event *event = NULL;
	int r;

	r = block_signals();
	if (r >= 0)
		r = sd_event_default(&event);
	if (r >= 0)
		r = sd_event_set_watchdog(event, true);
	if (r < 0) {
		log_line(LOG_ERR, "Cannot begin: %s.", strerror(-r));
		return 1;
	}
	if (manager_new(event, options, &manager, &error) < 0) {
		log_error(LOG_ERR, "Cannot begin", &error);
		error_clear(&error);
		r = -1;
	}
	if (r >= 0)
		r = take_signals(event, manager);
	if (r >= 0)
		r = sd_event_loop(event);
	manager_free(manager);
	(void)sd_event_unref(event);
	return r < 0 ? 1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "worker", required_argument, NULL, 'w' },
		{ "folder", required_argument, NULL, 'f' },
		{ "socket", required_argument, NULL, 's' },
		{ "scan-limit", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	const char *folders[FOLDERS_MAX + 1] = { NULL };
	struct manager_options options = {
		.worker = LIBEXECDIR "/daxd-worker",
		.folders = folders_of_host,
		.private_socket = "/run/daxd/private",
		.scan_limit = SCAN_LIMIT,
	};
	size_t n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		if (c == 'w') {
			options.worker = optarg;
		} else if (c == 's') {
			options.private_socket = optarg;
		} else if (c == 'l') {
			options.scan_limit = (unsigned int)strtoul(optarg, NULL, 10);
			if (options.scan_limit == 0)
				return 2;
		} else if (c == 'f' && n < FOLDERS_MAX) {
			folders[n++] = optarg;
			options.folders = folders;
		} else if (c == 'v') {
			return printf("daxd %s\n", PACKAGE_VERSION) < 0;
		} else {
			return 2;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "usage: daxd [--worker PROGRAM] [--folder FOLDER]... "
				      "[--socket PATH] [--scan-limit SECONDS] [--version]\n");
		return 2;
	}
	return run(&options);
}
