/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking udev to look at a device again, and waiting until it has: it writes its data base last,
 * after nodes and links.  What is waited for is the stamp of the properties that the rules have
 * imported.  The state of udev's queue says nothing of events that udevd has not taken yet, and
 * its broadcasts are not heard in a network namespace of one's own.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "exec/kernel-udev-library.h"

#define UDEV_CONTROL "/run/udev/control"
#define UDEV_DATA "/run/udev/data"
/* At boot udev may have hundreds of devices before ours. */
#define WAIT_SECONDS 60
/* The folder is watched, but it is udev's own: should it move, we look by the clock. */
#define LOOK_MS 200
#define RECORD_MAX 32

int kernel_check_udev(struct error *reterr)
{
	if (access(UDEV_CONTROL, F_OK) == 0)
		return 0;
	(void)error_set(reterr, ESRCH, "udev is not running, and links and permissions of device "
			"nodes are its work.");
	return error_hint(reterr, "Start it: systemctl start systemd-udevd.");
}

static void udev_freep(struct udev **udev)
{
	if (*udev)
		(void)udev_unref(*udev);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The file of udev's data base: c252:1 or b259:0. */
static void record_name(const struct udev_trigger *trigger, char record[RECORD_MAX])
{
	(void)snprintf(record, RECORD_MAX, "%c%u:%u",
		       kernel_is_device_name(trigger->name) ? 'c' : 'b', major(trigger->dev),
		       minor(trigger->dev));
}

static bool is_known(const struct udev_trigger *trigger)
{
	char record[RECORD_MAX], path[sizeof(UDEV_DATA) + RECORD_MAX];

	record_name(trigger, record);
	(void)snprintf(path, sizeof(path), UDEV_DATA "/%s", record);
	return access(path, F_OK) == 0;
}

/* Has udev imported what it is to, or nothing if it is to be nothing? */
static bool is_handled(struct udev *udev, const struct udev_trigger *trigger)
{
	struct udev_device *device;
	const char *stamp;
	bool same;

	if (trigger->wait != UDEV_STAMP)
		return is_known(trigger) == (trigger->wait == UDEV_SEEN);
	device = udev_device_new_from_subsystem_sysname(
		udev, kernel_is_device_name(trigger->name) ? "dax" : "block", trigger->name);
	if (!device)
		return true; /* it went away: whoever reads back will tell */
	stamp = udev_device_get_property_value(device, trigger->property ?: "DAXD_STAMP");
	same = trigger->stamp ? stamp && strcmp(stamp, trigger->stamp) == 0 : !stamp;
	(void)udev_device_unref(device);
	return same;
}

/* Look at those whose record has changed, or at all. */
static size_t count_pending(struct udev *udev, struct udev_trigger *triggers, size_t n, bool all)
{
	size_t pending = 0;

	for (size_t i = 0; i < n; i++) {
		struct udev_trigger *trigger = &triggers[i];

		if (trigger->pending && (all || trigger->changed))
			trigger->pending = !is_handled(udev, trigger);
		trigger->changed = false;
		pending += trigger->pending;
	}
	return pending;
}

/* The record of a device is moved to its place by udev. */
static void mark_changed(struct udev_trigger *triggers, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++) {
		char record[RECORD_MAX];

		record_name(&triggers[i], record);
		if (strcmp(record, file) == 0)
			triggers[i].changed = true;
	}
}

/* false: some were lost, so whoever is waited for may be among them. */
static bool read_changes(int watch, struct udev_trigger *triggers, size_t n)
{
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t length = read(watch, buffer, sizeof(buffer));

	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (const struct inotify_event *)&buffer[at];

		if (event->mask & IN_Q_OVERFLOW)
			return false;
		if (event->len)
			mark_changed(triggers, n, event->name);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return length > 0;
}

static void wait_for_all(struct udev *udev, int watch, struct udev_trigger *triggers, size_t n)
{
	struct pollfd in = { .fd = watch, .events = POLLIN }; /* -1 is passed over */
	int64_t end = now_ms() + WAIT_SECONDS * 1000;
	bool all = true;

	while (count_pending(udev, triggers, n, all) > 0 && now_ms() < end)
		all = poll(&in, 1, LOOK_MS) <= 0 || !read_changes(watch, triggers, n);
}

static void tell_late(struct udev_trigger *trigger)
{
	(void)error_set(trigger->error, ETIMEDOUT, "udev has not dealt with %s within %d s.",
			trigger->name, WAIT_SECONDS);
	(void)error_hint(trigger->error, "Its rules must include 60-daxd.rules: udevadm control "
			 "--reload when daxd was installed just now; journalctl -u systemd-udevd has "
			 "its troubles.");
}

void kernel_trigger_udev(struct udev_trigger *triggers, size_t n)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(udev_freep) struct udev *udev =
		udev_library_load(&error) == 0 ? udev_new() : NULL;
	_cleanup_(closep) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (watch >= 0)
		(void)inotify_add_watch(watch, UDEV_DATA, IN_MOVED_TO | IN_DELETE);
	for (size_t i = 0; i < n; i++) {
		struct udev_trigger *trigger = &triggers[i];

		if (trigger->fd < 0)
			continue;
		if (!udev && error.code)
			kernel_copy_error(trigger->error, &error);
		else if (!udev)
			(void)error_oom(trigger->error);
		else if (trigger->coming || kernel_write(trigger->fd, trigger->name, "uevent", "change",
				      trigger->error) == 0)
			trigger->pending = true;
	}
	if (udev)
		wait_for_all(udev, watch, triggers, n);
	for (size_t i = 0; i < n; i++)
		if (triggers[i].pending)
			tell_late(&triggers[i]);
}
