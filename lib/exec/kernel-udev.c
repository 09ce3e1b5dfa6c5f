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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define UDEV_CONTROL "/run/udev/control"
#define UDEV_DATA "/run/udev/data"
#define RECORD_MAX 8192
/* At boot udev may have hundreds of devices before ours. */
#define WAIT_SECONDS 60
/* The folder is watched, but it is udev's own: should it move, we look by the clock. */
#define LOOK_MS 200
#define RECORD_NAME_MAX 32

int kernel_check_udev(struct error *reterr)
{
	if (access(UDEV_CONTROL, F_OK) == 0)
		return 0;
	(void)error_set(reterr, ESRCH, "udev is not running, and links and permissions of device "
			"nodes are its work.");
	return error_hint(reterr, "Start it: systemctl start systemd-udevd.");
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The record of a device is a file c252:1 or b259:0, which udev moves to its place. */
static void name_record(const struct udev_trigger *trigger, char name[RECORD_NAME_MAX])
{
	(void)snprintf(name, RECORD_NAME_MAX, "%c%u:%u",
		       kernel_is_device_name(trigger->name) ? 'c' : 'b', major(trigger->dev),
		       minor(trigger->dev));
}

/* The value in a record: of the lines, which are KEY:VALUE, the one E:PROPERTY=... */
static const char *find_value(char *text, const char *property)
{
	size_t length = strlen(property);
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strncmp(line, "E:", 2) == 0 && strncmp(line + 2, property, length) == 0 &&
		    line[2 + length] == '=')
			return line + 2 + length + 1;
	return NULL;
}

static struct timespec when_written(int data, const struct udev_trigger *trigger)
{
	char record[RECORD_NAME_MAX];
	struct stat st;

	name_record(trigger, record);
	return fstatat(data, record, &st, 0) < 0 ? (struct timespec){ 0 } : st.st_mtim;
}

static bool is_newer(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

bool kernel_udev_value(dev_t dev, const char *property, char *value, size_t size)
{
	char path[sizeof(UDEV_DATA) + RECORD_NAME_MAX], text[RECORD_MAX];
	const char *found = NULL;

	(void)snprintf(path, sizeof(path), UDEV_DATA "/b%u:%u", major(dev), minor(dev));
	if (sysfs_read(AT_FDCWD, path, text, sizeof(text)) > 0)
		found = find_value(text, property);
	if (found)
		(void)snprintf(value, size, "%s", found);
	return found != NULL;
}

/*
 * Has udev imported what it is to, or nothing if it is to be nothing?  libudev would look up each
 * of the folders above the device anew for this one line, fifty system calls a device.
 */
static bool is_handled(int data, const struct udev_trigger *trigger)
{
	char record[RECORD_NAME_MAX], text[RECORD_MAX];
	const char *stamp = NULL;

	name_record(trigger, record);
	if (trigger->wait == UDEV_GONE)
		return faccessat(data, record, F_OK, 0) < 0;
	/* It went away, or came again with another number: whoever reads back will tell. */
	if (faccessat(trigger->fd, "uevent", F_OK, 0) < 0)
		return true;
	if (trigger->wait == UDEV_ANEW)
		return is_newer(when_written(data, trigger), trigger->written);
	if (trigger->wait == UDEV_SEEN)
		return faccessat(data, record, F_OK, 0) == 0;
	if (sysfs_read(data, record, text, sizeof(text)) > 0)
		stamp = find_value(text, trigger->property ?: "DAXD_STAMP");
	return trigger->stamp ? stamp && strcmp(stamp, trigger->stamp) == 0 : !stamp;
}

/* Look at those whose record has changed, or at all. */
static size_t count_pending(int data, struct udev_trigger *triggers, size_t n, bool all)
{
	size_t pending = 0;

	for (size_t i = 0; i < n; i++) {
		struct udev_trigger *trigger = &triggers[i];

		if (trigger->pending && (all || trigger->changed))
			trigger->pending = !is_handled(data, trigger);
		trigger->changed = false;
		pending += trigger->pending;
	}
	return pending;
}

static void mark_changed(struct udev_trigger *triggers, size_t n, const char *file)
{
	for (size_t i = 0; i < n; i++) {
		char record[RECORD_NAME_MAX];

		if (!triggers[i].pending)
			continue; /* what is passed over has no name */
		name_record(&triggers[i], record);
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

static void wait_for_all(int data, int watch, struct udev_trigger *triggers, size_t n)
{
	struct pollfd in = { .fd = watch, .events = POLLIN }; /* -1 is passed over */
	int64_t end = now_ms() + WAIT_SECONDS * 1000;
	bool all = true;

	while (count_pending(data, triggers, n, all) > 0 && now_ms() < end)
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

/*
 * One watch for as long as the program runs: to close it takes up to 20 ms, since the kernel waits
 * for a grace period.  What has gathered in it is of no interest any more.  -1: there is none.
 */
static int watch_records(void)
{
	static int watch = -1;
	char buffer[4096];

	if (watch < 0) {
		watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (watch >= 0)
			(void)inotify_add_watch(watch, UDEV_DATA, IN_MOVED_TO | IN_DELETE);
	}
	while (watch >= 0 && read(watch, buffer, sizeof(buffer)) > 0)
		; /* as said above */
	return watch;
}

void kernel_trigger_udev(struct udev_trigger *triggers, size_t n)
{
	_cleanup_(closep) int data = -1;
	int watch = watch_records();

	data = sysfs_open(AT_FDCWD, UDEV_DATA); /* without it nothing is found there */
	for (size_t i = 0; i < n; i++) {
		struct udev_trigger *trigger = &triggers[i];

		if (trigger->fd >= 0)
			trigger->written = when_written(data, trigger);
		if (trigger->fd >= 0 &&
		    (trigger->coming || kernel_write(trigger->fd, trigger->name, "uevent",
						     "change", trigger->error) == 0))
			trigger->pending = true;
	}
	wait_for_all(data, watch, triggers, n);
	for (size_t i = 0; i < n; i++)
		if (triggers[i].pending)
			tell_late(&triggers[i]);
}

void kernel_begin_making(void)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = -1;

	if (file_make_folders(RUN_FOLDER, &error) == 0)
		fd = open(MAKING_DEVICES, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
}

void kernel_end_making(void)
{
	(void)unlink(MAKING_DEVICES); /* if it stays, the next one removes it */
}
