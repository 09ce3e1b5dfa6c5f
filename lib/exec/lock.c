/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

int lock_take(const char *path, struct error *reterr)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int ret;

	if (fd < 0)
		return error_set(reterr, errno, "Cannot open the lock %s: %s.", path,
				 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return error_set(reterr, errno, "Cannot take the lock %s: %s.", path,
					 strerror(errno));
		(void)error_set(reterr, EBUSY, "Another apply is running; it holds %s.", path);
		return error_hint(reterr, "wait for it to end and try again.");
	}
	ret = fd;
	fd = -1;
	return ret;
}
