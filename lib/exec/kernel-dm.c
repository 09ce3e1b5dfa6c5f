/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-dm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "exec/kernel-dm-library.h"

#define SECTOR UINT64_C(512)
#define OURS "-DAXD-"
#define PARAMETERS_MAX 64

void dm_map_uuid(const struct uuid *disk, unsigned int number, char uuid[DM_UUID_MAX])
{
	(void)snprintf(uuid, DM_UUID_MAX, "part%u" OURS "%s", number, disk->text);
}

unsigned int dm_map_number(const char *uuid, const struct uuid *disk)
{
	char want[DM_UUID_MAX];
	unsigned int number;

	if (!uuid_is_set(disk) || sscanf(uuid, "part%u", &number) != 1)
		return 0;
	dm_map_uuid(disk, number, want);
	return strcmp(uuid, want) == 0 ? number : 0;
}

/* What fails is told by whoever asked. */
__attribute__((format(printf, 5, 6))) static void be_quiet(int level, const char *file, int line,
							   int code, const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)code;
	(void)format;
}

static void task_freep(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

static int load(struct error *reterr)
{
	int r = dm_library_load(reterr);

	if (r < 0)
		return r;
	dm_log_with_errno_init(be_quiet);
	/* With its semaphore each event of a map would cost three programs in udev's rules. */
	dm_udev_set_sync_support(0);
	return 0;
}

static int failed(const char *name, const char *what, int code, struct error *reterr)
{
	if (code == 0)
		code = EIO;
	return error_set(reterr, code, "Cannot %s the map %s: %s.", what, name, strerror(code));
}

/* A task on the device of this number: a name may have become another's. */
static int new_task(int type, dev_t dev, struct dm_task **ret, struct error *reterr)
{
	struct dm_task *task;
	int r = load(reterr);

	if (r < 0)
		return r;
	task = dm_task_create(type);
	if (!task)
		return error_oom(reterr);
	if (dev && !dm_task_set_major_minor(task, (int)major(dev), (int)minor(dev), 0)) {
		dm_task_destroy(task);
		return error_oom(reterr);
	}
	*ret = task;
	return 0;
}

int dm_map_find(const char *uuid, dev_t *ret, struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	struct dm_info info;
	int r;

	r = new_task(DM_DEVICE_INFO, 0, &task, reterr);
	if (r < 0)
		return r;
	if (!dm_task_set_uuid(task, uuid))
		return error_oom(reterr);
	if (!dm_task_run(task) || !dm_task_get_info(task, &info))
		return dm_task_get_errno(task) == ENXIO ? 0 :
			       failed(uuid, "find", dm_task_get_errno(task), reterr);
	if (!info.exists)
		return 0;
	*ret = makedev(info.major, info.minor);
	return 1;
}

static void read_target(struct dm_task *task, dev_t disk, struct range *ret)
{
	uint64_t start = 0, length = 0, offset;
	char *type = NULL, *parameters = NULL;
	unsigned int maj, min;
	void *next = dm_get_next_target(task, NULL, &start, &length, &type, &parameters);

	*ret = (struct range){ 0 };
	if (next || start || !type || strcmp(type, "linear") != 0 || !parameters ||
	    sscanf(parameters, "%u:%u %" SCNu64, &maj, &min, &offset) != 3 ||
	    makedev(maj, min) != disk)
		return;
	ret->start = offset * SECTOR;
	ret->size = length * SECTOR;
}

int dm_map_read(const char *name, dev_t dev, dev_t disk, struct dm_map_state *ret,
		struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	struct dm_info info;
	int r;

	r = new_task(DM_DEVICE_TABLE, dev, &task, reterr);
	if (r < 0)
		return r;
	if (!dm_task_run(task) || !dm_task_get_info(task, &info))
		return failed(name, "read", dm_task_get_errno(task), reterr);
	if (!info.exists)
		return failed(name, "read", ENXIO, reterr);
	ret->read_only = info.read_only;
	ret->open_count = info.open_count > 0 ? (unsigned int)info.open_count : 0;
	read_target(task, disk, &ret->extent);
	return 0;
}

static int add_target(struct dm_task *task, dev_t disk, struct range extent, bool read_only)
{
	char parameters[PARAMETERS_MAX];

	(void)snprintf(parameters, sizeof(parameters), "%u:%u %" PRIu64, major(disk), minor(disk),
		       extent.start / SECTOR);
	return dm_task_add_target(task, 0, extent.size / SECTOR, "linear", parameters) &&
	       (!read_only || dm_task_set_ro(task));
}

int dm_map_create(const char *name, const char *uuid, dev_t disk, struct range extent,
		  bool read_only, dev_t *ret, struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	struct dm_info info;
	int r;

	r = new_task(DM_DEVICE_CREATE, 0, &task, reterr);
	if (r < 0)
		return r;
	if (!dm_task_set_name(task, name) || !dm_task_set_uuid(task, uuid) ||
	    !add_target(task, disk, extent, read_only))
		return error_oom(reterr);
	if (!dm_task_run(task) || !dm_task_get_info(task, &info))
		return failed(name, "make", dm_task_get_errno(task), reterr);
	*ret = makedev(info.major, info.minor);
	return 0;
}

int dm_map_remove(const char *name, dev_t dev, struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	int r = new_task(DM_DEVICE_REMOVE, dev, &task, reterr);

	if (r < 0)
		return r;
	if (dm_task_run(task) || dm_task_get_errno(task) == ENXIO)
		return 0;
	if (dm_task_get_errno(task) == EBUSY)
		return -EBUSY;
	return failed(name, "remove", dm_task_get_errno(task), reterr);
}

static int resume(const char *name, dev_t dev, struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	int r = new_task(DM_DEVICE_RESUME, dev, &task, reterr);

	if (r < 0)
		return r;
	/* It only grows: what is under way need not be waited for, and nothing be frozen. */
	if (!dm_task_no_flush(task) || !dm_task_skip_lockfs(task) || !dm_task_run(task))
		return failed(name, "resume", dm_task_get_errno(task), reterr);
	return 0;
}

int dm_map_reload(const char *name, dev_t dev, dev_t disk, struct range extent, bool read_only,
		  struct error *reterr)
{
	_cleanup_(task_freep) struct dm_task *task = NULL;
	int r = new_task(DM_DEVICE_RELOAD, dev, &task, reterr);

	if (r < 0)
		return r;
	if (!add_target(task, disk, extent, read_only))
		return error_oom(reterr);
	if (!dm_task_run(task))
		return failed(name, "change", dm_task_get_errno(task), reterr);
	return resume(name, dev, reterr);
}
