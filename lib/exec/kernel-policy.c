/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's policy for new memory.  With one to put it online at once, all of it lands in
 * the zone of the policy, where the kernel may keep some for ever.  So the policy is "offline"
 * for the moment of a bind to kmem.  What it was is kept in a file meanwhile: whoever writes
 * next puts back what a killed writer could not.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "exec/backend.h"

#define POLICY "/sys/devices/system/memory/auto_online_blocks"

int kernel_hold_policy(struct error *reterr)
{
	char was[32];
	int r;

	/* A kernel without the file cannot have a policy. */
	if (sysfs_read(AT_FDCWD, POLICY, was, sizeof(was)) <= 0 || strcmp(was, "offline") == 0)
		return 0;
	r = file_make_folders(RUN_FOLDER, reterr);
	if (r == 0 && access(HELD_POLICY, F_OK) < 0)
		r = file_replace(HELD_POLICY, was, strlen(was), reterr);
	if (r < 0)
		return r;
	r = sysfs_write(AT_FDCWD, POLICY, "offline");
	return r < 0 ? kernel_refused(reterr, "memory", "auto_online_blocks", "offline", -r) : 0;
}

void kernel_release_policy(void)
{
	struct error error = ERROR_INIT;
	_cleanup_(freep) char *was = NULL;
	size_t length;

	if (access(HELD_POLICY, F_OK) < 0)
		return;
	if (file_read(HELD_POLICY, 32, &was, &length, &error) == 0)
		(void)sysfs_write(AT_FDCWD, POLICY, was); /* it was there before */
	error_clear(&error);
	(void)unlink(HELD_POLICY); /* if it stays, the next one writes the same again */
}
