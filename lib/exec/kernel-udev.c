/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking udev to look at a device again.  The event carries a uuid of ours (Linux 4.13), by
 * which udev's own broadcast of the handled event is known: the state of its queue says nothing
 * of events that the kernel has sent and udevd has not taken yet.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UDEV_CONTROL "/run/udev/control"
/* At boot udev may have hundreds of devices before ours. */
#define WAIT_SECONDS 60

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

static void monitor_freep(struct udev_monitor **monitor)
{
	if (*monitor)
		(void)udev_monitor_unref(*monitor);
}

static int open_monitor(struct udev *udev, struct udev_monitor **ret, struct error *reterr)
{
	struct udev_monitor *monitor = udev ? udev_monitor_new_from_netlink(udev, "udev") : NULL;
	int r = monitor ? 0 : -errno;

	*ret = monitor;
	if (r == 0)
		r = udev_monitor_filter_add_match_subsystem_devtype(monitor, "dax", NULL);
	if (r == 0)
		r = udev_monitor_filter_add_match_subsystem_devtype(monitor, "block", NULL);
	if (r == 0)
		r = udev_monitor_enable_receiving(monitor);
	return r < 0 ? error_set(reterr, -r, "Cannot listen to udev: %s.", strerror(-r)) : 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One message; marks the trigger that it answers, if it is one of ours. */
static void take_event(struct udev_monitor *monitor, struct udev_trigger *triggers, size_t n)
{
	struct udev_device *device = udev_monitor_receive_device(monitor);
	const char *of;

	if (!device)
		return;
	of = udev_device_get_property_value(device, "SYNTH_UUID");
	for (size_t i = 0; of && i < n; i++)
		if (strcmp(of, triggers[i].uuid) == 0)
			triggers[i].uuid[0] = 0;
	(void)udev_device_unref(device);
}

static size_t count_pending(const struct udev_trigger *triggers, size_t n)
{
	size_t pending = 0;

	for (size_t i = 0; i < n; i++)
		pending += triggers[i].uuid[0] != 0;
	return pending;
}

static int wait_for_all(struct udev_monitor *monitor, struct udev_trigger *triggers, size_t n)
{
	struct pollfd in = { .fd = udev_monitor_get_fd(monitor), .events = POLLIN };
	int64_t end = now_ms() + WAIT_SECONDS * 1000, left;

	while (count_pending(triggers, n) > 0 && (left = end - now_ms()) > 0) {
		int ready = poll(&in, 1, (int)left);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready > 0)
			take_event(monitor, triggers, n);
	}
	return 0;
}

static void send_event(struct udev_trigger *trigger)
{
	char event[80];
	int r;

	r = sysfs_read(AT_FDCWD, "/proc/sys/kernel/random/uuid", trigger->uuid,
		       sizeof(trigger->uuid));
	if (r < 0) {
		(void)error_set(trigger->error, -r,
				"Cannot read /proc/sys/kernel/random/uuid: %s.", strerror(-r));
	} else {
		(void)snprintf(event, sizeof(event), "change %s", trigger->uuid);
		r = kernel_write(trigger->fd, trigger->name, "uevent", event, trigger->error);
	}
	if (r < 0)
		trigger->uuid[0] = 0; /* there is nothing to wait for */
}

static void tell_late(struct udev_trigger *trigger)
{
	(void)error_set(trigger->error, ETIMEDOUT, "udev has not dealt with %s within %d s.",
			trigger->name, WAIT_SECONDS);
	(void)error_hint(trigger->error, "udevadm settle waits for it; journalctl -u systemd-udevd "
			 "has its troubles.");
}

void kernel_trigger_udev(struct udev_trigger *triggers, size_t n)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(monitor_freep) struct udev_monitor *monitor = NULL;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	int r = open_monitor(udev, &monitor, &error);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (triggers[i].fd >= 0)
			send_event(&triggers[i]);
	if (r == 0) {
		r = wait_for_all(monitor, triggers, n);
		if (r < 0)
			(void)error_set(&error, -r, "Cannot wait for udev: %s.", strerror(-r));
	}
	for (size_t i = 0; i < n; i++) {
		if (triggers[i].fd < 0 || triggers[i].error->code)
			continue;
		if (r < 0)
			kernel_copy_error(triggers[i].error, &error);
		else if (triggers[i].uuid[0])
			tell_late(&triggers[i]);
	}
}
