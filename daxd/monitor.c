/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "monitor.h"

#include <errno.h>
#include <libudev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"

#define QUIET_USEC UINT64_C(50000)
#define PATIENCE_USEC UINT64_C(5000000)
#define ACCURACY_USEC UINT64_C(1000) /* what sd-event does by itself is a quarter second */
#define BUFFER_SIZE (1 << 20) /* hundreds of memory blocks may come at once */

struct monitor {
	void (*changed)(void *userdata);
	void *userdata;
	struct udev *udev;
	struct udev_monitor *source;
	sd_event *event;
	sd_event_source *readable, *timer;
	uint64_t first; /* when the first event came that was not told yet; 0: none */
};

static bool is_ours(struct udev_device *device)
{
	const char *subsystem = udev_device_get_subsystem(device);
	const char *name = udev_device_get_sysname(device);

	if (!subsystem || !name)
		return false;
	return strcmp(subsystem, "block") != 0 || strncmp(name, "pmem", 4) == 0;
}

static void delay(struct monitor *monitor)
{
	uint64_t now = 0, then;

	(void)sd_event_now(monitor->event, CLOCK_MONOTONIC, &now); /* the clock is there */
	if (!monitor->first)
		monitor->first = now;
	then = now + QUIET_USEC;
	if (then > monitor->first + PATIENCE_USEC)
		then = monitor->first + PATIENCE_USEC;
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time(monitor->timer, then);
	(void)sd_event_source_set_enabled(monitor->timer, SD_EVENT_ONESHOT);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct monitor *monitor = userdata;
	struct udev_device *device;
	bool ours;

	(void)source;
	(void)fd;
	(void)events;
	errno = 0;
	device = udev_monitor_receive_device(monitor->source);
	/* No device: a stranger's message, or events were lost, and who knows which. */
	ours = device ? is_ours(device) : errno == ENOBUFS;
	udev_device_unref(device);
	if (ours)
		delay(monitor);
	return 0;
}

static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct monitor *monitor = userdata;

	(void)source;
	(void)usec;
	monitor->first = 0;
	monitor->changed(monitor->userdata);
	return 0;
}

static int open_source(struct monitor *monitor)
{
	static const char *const subsystems[] = { "dax", "nd", "memory", "block" };

	monitor->udev = udev_new();
	if (!monitor->udev)
		return -ENOMEM;
	monitor->source = udev_monitor_new_from_netlink(monitor->udev, "kernel");
	if (!monitor->source)
		return errno ? -errno : -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (udev_monitor_filter_add_match_subsystem_devtype(monitor->source,
								    subsystems[i], NULL) < 0)
			return -ENOMEM;
	/* A smaller buffer loses events sooner, which is noticed. */
	(void)udev_monitor_set_receive_buffer_size(monitor->source, BUFFER_SIZE);
	return udev_monitor_enable_receiving(monitor->source);
}

int monitor_new(sd_event *event, void (*changed)(void *userdata), void *userdata,
		struct monitor **ret, struct error *reterr)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int r;

	if (!monitor)
		return error_oom(reterr);
	*monitor = (struct monitor){ .changed = changed, .userdata = userdata, .event = event };
	r = open_source(monitor);
	if (r >= 0)
		r = sd_event_add_io(event, &monitor->readable,
				    udev_monitor_get_fd(monitor->source), EPOLLIN, on_readable,
				    monitor);
	if (r >= 0)
		r = sd_event_add_time(event, &monitor->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
				      on_quiet, monitor);
	if (r >= 0)
		r = sd_event_source_set_enabled(monitor->timer, SD_EVENT_OFF);
	if (r < 0) {
		monitor_free(monitor);
		return error_set(reterr, -r, "Cannot listen for events of the kernel: %s.",
				 strerror(-r));
	}
	*ret = monitor;
	return 0;
}

void monitor_note(struct monitor *monitor)
{
	delay(monitor);
}

bool monitor_is_settled(const struct monitor *monitor)
{
	struct udev_queue *queue = udev_queue_new(monitor->udev);
	bool settled = !queue || udev_queue_get_queue_is_empty(queue);

	(void)udev_queue_unref(queue);
	return settled;
}

void monitor_listen(struct monitor *monitor, bool listen)
{
	/* It fails only for a source that is not there. */
	(void)sd_event_source_set_enabled(monitor->readable, listen ? SD_EVENT_ON : SD_EVENT_OFF);
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	(void)sd_event_source_disable_unref(monitor->timer);
	(void)sd_event_source_disable_unref(monitor->readable);
	(void)udev_monitor_unref(monitor->source);
	(void)udev_unref(monitor->udev);
	free(monitor);
}
