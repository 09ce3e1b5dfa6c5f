/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To take a driver from a device, and to bring memory online and offline, the kernel waits for
 * grace periods of RCU, some 20 ms each on an idle host, and that is most of the time these take.
 * It can expedite them, by interrupting every processor once each time: it is asked to from the
 * first such step on.  A host that keeps processors for real-time work is left alone.
 *
 * What is set has a mark in a file meanwhile: whoever writes next puts back what a killed writer
 * could not.
 */
#include "exec/kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define EXPEDITED "/sys/kernel/rcu_expedited"
#define NORMAL "/sys/kernel/rcu_normal"
#define PROCESSORS "/sys/devices/system/cpu"

/*
 * The other steps do not wait, and most of what follows them is udev's work with what they have
 * made, which would be interrupted all the time.
 */
bool kernel_waits_for_grace(const struct step *step)
{
	switch (step->kind) {
	case STEP_INIT_LABELS:
	case STEP_CREATE_NAMESPACE:
	case STEP_CONVERT_NAMESPACE:
	case STEP_ENABLE_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_RESIZE_DEVICE:
	case STEP_DESTROY_DEVICE:
	case STEP_UNBIND:
	case STEP_ONLINE:
	case STEP_OFFLINE:
		return true;
	case STEP_BIND:
		return step->driver == DRIVER_KMEM;
	case STEP_RECORD:
	case STEP_FORGET:
	case STEP_CREATE_DEVICE:
	case STEP_PUBLISH:
	case STEP_WITHDRAW:
	case STEP_WRITE_TABLE:
	case STEP_POLICY:
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_REMAP:
		break;
	}
	return false;
}

static bool is_number(const char *path, uint64_t want)
{
	uint64_t value;

	return sysfs_read_u64(AT_FDCWD, path, &value) == 0 && value == want;
}

/* "", or "(null)" where the kernel was built for it and not told to. */
static bool keeps_processors(const char *path)
{
	char text[SYSFS_NAME_MAX];

	return sysfs_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       text[strcspn(text, "0123456789")] != 0;
}

void kernel_hurry(void)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int mark = -1;

	/* rcu_normal wins over the other in the kernel, too. */
	if (!is_number(EXPEDITED, 0) || !is_number(NORMAL, 0) ||
	    keeps_processors(PROCESSORS "/isolated") || keeps_processors(PROCESSORS "/nohz_full") ||
	    file_make_folders(RUN_FOLDER, &error) < 0)
		return;
	mark = open(HURRIED, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (mark < 0 || sysfs_write(AT_FDCWD, EXPEDITED, "1") < 0)
		(void)unlink(HURRIED); /* if it stays, the next one writes what is there */
}

void kernel_stop_hurrying(void)
{
	if (access(HURRIED, F_OK) == 0 && sysfs_write(AT_FDCWD, EXPEDITED, "0") == 0)
		(void)unlink(HURRIED); /* as above; as long as it stays, others try */
}
