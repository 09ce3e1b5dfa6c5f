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

static int open_monitor(struct udev *udev, const char *subsystem, struct udev_monitor **ret,
			struct error *reterr)
{
	struct udev_monitor *monitor = udev ? udev_monitor_new_from_netlink(udev, "udev") : NULL;
	int r = monitor ? 0 : -errno;

	*ret = monitor;
	if (r == 0)
		r = udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, NULL);
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

/* One message, if it was one for us: 1 when it is the event of this uuid. */
static int take_event(struct udev_monitor *monitor, const char *uuid)
{
	struct udev_device *device = udev_monitor_receive_device(monitor);
	const char *of;
	int r;

	if (!device)
		return 0;
	of = udev_device_get_property_value(device, "SYNTH_UUID");
	r = of && strcmp(of, uuid) == 0;
	(void)udev_device_unref(device);
	return r;
}

static int wait_for(struct udev_monitor *monitor, const char *name, const char *uuid,
		    struct error *reterr)
{
	struct pollfd in = { .fd = udev_monitor_get_fd(monitor), .events = POLLIN };
	int64_t end = now_ms() + WAIT_SECONDS * 1000, left;

	while ((left = end - now_ms()) > 0) {
		int n = poll(&in, 1, (int)left);

		if (n < 0 && errno != EINTR)
			return error_set(reterr, errno, "Cannot wait for udev: %s.",
					 strerror(errno));
		if (n > 0 && take_event(monitor, uuid))
			return 0;
	}
	(void)error_set(reterr, ETIMEDOUT, "udev has not dealt with %s within %d s.", name,
			WAIT_SECONDS);
	return error_hint(reterr, "udevadm settle waits for it; journalctl -u systemd-udevd has "
			  "its troubles.");
}

int kernel_trigger_udev(int fd, const char *name, const char *subsystem, struct error *reterr)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(monitor_freep) struct udev_monitor *monitor = NULL;
	char uuid[64], event[80];
	int r;

	r = open_monitor(udev, subsystem, &monitor, reterr);
	if (r < 0)
		return r;
	r = sysfs_read(AT_FDCWD, "/proc/sys/kernel/random/uuid", uuid, sizeof(uuid));
	if (r < 0)
		return error_set(reterr, -r, "Cannot read /proc/sys/kernel/random/uuid: %s.",
				 strerror(-r));
	(void)snprintf(event, sizeof(event), "change %s", uuid);
	r = kernel_write(fd, name, "uevent", event, reterr);
	return r < 0 ? r : wait_for(monitor, name, uuid, reterr);
}
