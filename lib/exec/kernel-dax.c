/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices of dynamic regions.  The kernel checks for a bound driver when size or align is
 * written but not for mapping, and corrupts itself when there is one (6.1, 6.12); it also
 * ignores a mapping of unsuitable length and says that all is well.  So the driver is looked
 * at first, under the lock, and the ranges are read back.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"

static int check_unbound(const struct kernel_device *device, struct error *reterr)
{
	char driver[SYSFS_NAME_MAX];

	if (sysfs_read_link(device->fd, "driver", driver, sizeof(driver)) < 0)
		return kernel_check_memory_gone(device->fd, device->name, reterr);
	(void)error_set(reterr, EBUSY, "%s has the driver %s: it cannot change its ranges now.",
			device->name, driver);
	return error_hint(reterr, "Unbind it first.");
}

/* The kernel maps no less than a subsection: it ignores a shorter mapping without a word. */
static int check_aligned(const struct kernel_device *device, const struct range_list *ranges,
			 uint64_t align, struct error *reterr)
{
	if (align < ALIGN_2M)
		align = ALIGN_2M;
	for (size_t i = 0; i < ranges->n; i++) {
		struct range range = ranges->ranges[i];

		if (range.start % align || range.size % align || range.size == 0)
			return error_set(reterr, EINVAL, "The range 0x%" PRIx64 "-0x%" PRIx64
					 " of %s is not a multiple of the alignment %s.",
					 range.start, range_end(range) - 1, device->name,
					 SIZE_STR(align));
	}
	return 0;
}

static int write_size(const struct kernel_device *device, uint64_t size, struct error *reterr)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, size);
	return kernel_write(device->fd, device->name, "size", text, reterr);
}

static int write_align(const struct kernel_device *device, uint64_t align,
		       struct error *reterr)
{
	uint64_t now;
	char text[32];

	if (align == 0 || (sysfs_read_u64(device->fd, "align", &now) == 0 && now == align))
		return 0;
	(void)snprintf(text, sizeof(text), "%" PRIu64, align);
	return kernel_write(device->fd, device->name, "align", text, reterr);
}

static int write_mapping(const struct kernel_device *device, struct range range,
			 struct error *reterr)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%" PRIx64 "-%" PRIx64, range.start,
		       range_end(range) - 1);
	return kernel_write(device->fd, device->name, "mapping", text, reterr);
}

/* Ranges that follow one another without a gap are one to whoever uses the device. */
static int joined(const struct range_list *from, struct range_list *ret, struct error *reterr)
{
	if (range_list_copy(ret, from) < 0)
		return error_oom(reterr);
	range_list_join(ret);
	return 0;
}

static int read_joined(const struct kernel_device *device, struct range_list *ret,
		       struct error *reterr)
{
	_cleanup_(range_list_clear) struct range_list ranges = { 0 };
	int r;

	r = kernel_read_ranges(device->fd, device->name, &ranges, reterr);
	return r < 0 ? r : joined(&ranges, ret, reterr);
}

static int check_ranges(const struct kernel_device *device, const struct range_list *ranges,
			uint64_t align, struct error *reterr)
{
	_cleanup_(range_list_clear) struct range_list have = { 0 }, want = { 0 };
	uint64_t now = 0;
	int r;

	r = joined(ranges, &want, reterr);
	if (r < 0)
		return r;
	r = read_joined(device, &have, reterr);
	if (r < 0)
		return r;
	if (!range_list_equal(&have, &want))
		return error_set(reterr, EIO, "%s has %zu ranges of together %s and not the ones "
				 "that were written.", device->name, have.n,
				 SIZE_STR(range_list_size(&have)));
	r = sysfs_read_u64(device->fd, "align", &now);
	if (r < 0)
		return kernel_unreadable(reterr, device->name, "align", -r);
	if (align && now != align)
		return error_set(reterr, EIO, "%s has the alignment %s and not %s.", device->name,
				 SIZE_STR(now), SIZE_STR(align));
	return 0;
}

/* How many ranges both begin with. */
static size_t common_ranges(const struct range_list *a, const struct range_list *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n && a->ranges[n].start == b->ranges[n].start &&
	       a->ranges[n].size == b->ranges[n].size)
		n++;
	return n;
}

/*
 * From the ranges a device has to those it is to have.  A range that grows or shrinks is taken
 * away and written anew: its contents stay, and appending the difference would leave two
 * ranges, of which kmem trims each by itself.
 */
static int reshape(const struct kernel_device *device, const struct range_list *have,
		   const struct range_list *ranges, uint64_t align, struct error *reterr)
{
	_cleanup_(range_list_clear) struct range_list want = { 0 };
	size_t kept;
	int r;

	r = joined(ranges, &want, reterr);
	if (r < 0)
		return r;
	kept = common_ranges(have, &want);
	if (kept < have->n) {
		const struct range_list keep = { have->ranges, kept };

		r = write_size(device, range_list_size(&keep), reterr);
		if (r < 0)
			return r;
	}
	r = write_align(device, align, reterr);
	for (size_t i = kept; r == 0 && i < want.n; i++)
		r = write_mapping(device, want.ranges[i], reterr);
	return r < 0 ? r : check_ranges(device, &want, align, reterr);
}

/* A device of the region that nobody uses. */
static bool is_seed(int fd)
{
	uint64_t size;

	return sysfs_read_u64(fd, "size", &size) == 0 && size == 0 &&
	       faccessat(fd, "driver", F_OK, 0) < 0;
}

static int accept_seed(int fd, const char *name, const void *data, struct error *reterr)
{
	(void)name, (void)data, (void)reterr; /* the form that kernel_find_below() asks for */
	return is_seed(fd);
}

/* A seed that is there, or a new one; the lock keeps others from taking it. */
static int take_seed(const struct step *step, struct kernel_device *ret, struct error *reterr)
{
	int r;

	ret->region_fd = kernel_open_region(step, reterr);
	if (ret->region_fd < 0)
		return ret->region_fd;
	r = kernel_find_below(ret->region_fd, accept_seed, NULL, ret, reterr);
	if (r != 0)
		return r < 0 ? r : 0;
	r = kernel_write(ret->region_fd, strrchr(step->region, '/') + 1, "dax_region/create", "1",
			 reterr);
	if (r < 0)
		return r;
	r = kernel_find_below(ret->region_fd, accept_seed, NULL, ret, reterr);
	if (r == 0)
		return error_set(reterr, EIO, "The kernel made no new device in %s.",
				 step->region);
	return r < 0 ? r : 0;
}

/* daxX.0 cannot be deleted: it stays as the seed for the next device. */
static int delete_device(const struct kernel_device *device, struct error *reterr)
{
	int r;

	r = write_size(device, 0, reterr);
	if (r < 0)
		return r;
	r = sysfs_write(device->region_fd, "dax_region/delete", device->name);
	if (r == -EBUSY && strcmp(strrchr(device->name, '.'), ".0") == 0)
		return 0;
	return r < 0 ? kernel_refused(reterr, device->name, "dax_region/delete", device->name, -r) : 0;
}

/* Is a device there that has exactly these ranges? Takes any error away. */
static bool is_there(const struct step *step, uint64_t start)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct step by_start = *step;

	by_start.start = start;
	return kernel_find_device(&by_start, &device, &error) == 0 &&
	       check_ranges(&device, &step->ranges, step->align, &error) == 0;
}

/*
 * Has somebody else taken the place meanwhile?  Then that is why, and what is there is his, unless
 * it is what is left of our own.
 */
static int tell_taken(const struct step *step, const char *own, int r, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	struct step by_start = *step;

	by_start.start = step->ranges.ranges[0].start;
	by_start.object = NULL;
	if (kernel_find_device(&by_start, &device, &error) < 0 || strcmp(device.name, own) == 0)
		return r;
	error_clear(reterr);
	return error_set(reterr, EEXIST, "Something else has made %s at 0x%" PRIx64 " meanwhile.",
			 device.name, by_start.start);
}

/* From a seed to the device that is wanted, read back, or to nothing again. */
static int shape_seed(const struct kernel_device *device, const struct step *step,
		      struct kernel_notices *notices, struct error *reterr)
{
	int r;

	r = check_aligned(device, &step->ranges, step->align, reterr);
	if (r == 0)
		kernel_unpublish_start(step->ranges.ranges[0].start);
	if (r == 0 && notices)
		kernel_notice_device(notices, step);
	if (r == 0)
		r = reshape(device, &(struct range_list){ 0 }, &step->ranges, step->align, reterr);
	if (r < 0) {
		_cleanup_(error_clear) struct error error = ERROR_INIT;

		/* The error that counts is the first one. */
		(void)delete_device(device, &error);
		kernel_unpublish_start(step->ranges.ranges[0].start);
		r = tell_taken(step, device->name, r, reterr);
	}
	return r;
}

int kernel_create_device(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_ALONE, reterr);
	int r;

	if (lock < 0)
		return lock;
	if (is_there(step, step->ranges.ranges[0].start))
		return 0;
	r = take_seed(step, &device, reterr);
	return r < 0 ? r : shape_seed(&device, step, NULL, reterr);
}

/* A new seed, which the kernel names in "create"; 0 when that cannot be told. */
static int make_seed(const struct step *step, struct kernel_device *ret, struct error *reterr)
{
	int r;

	r = kernel_write(ret->region_fd, strrchr(step->region, '/') + 1, "dax_region/create", "1",
			 reterr);
	if (r < 0)
		return r;
	r = sysfs_read(ret->region_fd, "dax_region/create", ret->name, sizeof(ret->name));
	return r > 0 && kernel_is_device_name(ret->name);
}

/* A seed that the index knows of, or a new one. */
static int take_indexed_seed(struct kernel_index *index, const struct step *step,
			     struct kernel_device *ret, struct error *reterr)
{
	int r = 1;

	ret->region_fd = kernel_open_region(step, reterr);
	if (ret->region_fd < 0)
		return ret->region_fd;
	if (!kernel_index_take_seed(index, step->region, ret->name))
		r = make_seed(step, ret, reterr);
	if (r < 0)
		return r;
	if (r > 0)
		ret->fd = sysfs_open(ret->region_fd, ret->name);
	if (ret->fd >= 0 && is_seed(ret->fd))
		return 0;
	/* Somebody else was quicker. */
	kernel_device_close(ret);
	return take_seed(step, ret, reterr);
}

static int create_indexed(struct kernel_index *index, struct kernel_notices *notices,
			  const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	uint64_t start = step->ranges.ranges[0].start;
	int r;

	if (kernel_index_find(index, step->region, start) && is_there(step, start))
		return 0;
	r = take_indexed_seed(index, step, &device, reterr);
	if (r == 0)
		r = shape_seed(&device, step, notices, reterr);
	if (r < 0)
		return r;
	/* Without room for it in the index the device is found by a walk. */
	(void)kernel_index_add(index, step->region, device.name, start);
	return 0;
}

/* Walk each region that steps of the group are in, once. */
static int read_regions(struct kernel_index *index, const struct step_group *group,
			struct error *reterr)
{
	for (size_t i = 0; i < group->n; i++) {
		bool again = false;
		int r;

		for (size_t j = 0; j < i && !again; j++)
			again = strcmp(group->steps[i]->region, group->steps[j]->region) == 0;
		if (again)
			continue;
		r = kernel_index_read(index, group->steps[i], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

void kernel_create_devices(struct kernel_index *index, struct kernel_notices *notices,
			   struct step_group *group)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_ALONE, &error);
	int r = lock < 0 ? lock : read_regions(index, group, &error);

	for (size_t i = 0; i < group->n; i++) {
		if (r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else
			(void)create_indexed(index, notices, group->steps[i], &group->errors[i]);
		group->over(group->userdata, i);
	}
}

/* To what it was, from whatever it has become; the error that counts was before. */
static void reshape_back(const struct kernel_device *device, const struct range_list *was,
			 uint64_t align)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(range_list_clear) struct range_list have = { 0 };

	if (kernel_read_ranges(device->fd, device->name, &have, &error) == 0)
		(void)reshape(device, &have, was, align, &error);
}

int kernel_resize_device(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_ALONE, reterr);
	_cleanup_(range_list_clear) struct range_list was = { 0 };
	uint64_t align = 0;
	int r;

	if (lock < 0)
		return lock;
	if (is_there(step, step->ranges.ranges[0].start))
		return 0;
	r = kernel_find_device(step, &device, reterr);
	if (r < 0)
		return r;
	r = check_unbound(&device, reterr);
	if (r < 0)
		return r;
	r = check_aligned(&device, &step->ranges, step->align, reterr);
	if (r < 0)
		return r;
	r = sysfs_read_u64(device.fd, "align", &align);
	if (r < 0)
		return kernel_unreadable(reterr, device.name, "align", -r);
	r = kernel_read_ranges(device.fd, device.name, &was, reterr);
	if (r < 0)
		return r;
	r = reshape(&device, &was, &step->ranges, step->align, reterr);
	if (r < 0)
		reshape_back(&device, &was, align);
	if (r < 0)
		return r;
	kernel_unpublish_start(step->start);
	return 0;
}

static int destroy_device(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	int r;

	r = kernel_find_device(step, &device, reterr);
	if (r == -ENOENT) {
		error_clear(reterr);
		return 0;
	}
	if (r < 0)
		return r;
	r = check_unbound(&device, reterr);
	if (r < 0)
		return r;
	r = delete_device(&device, reterr);
	if (r == 0)
		kernel_unpublish_start(step->start);
	return r;
}

int kernel_destroy_device(const struct step *step, struct error *reterr)
{
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_ALONE, reterr);

	return lock < 0 ? lock : destroy_device(step, reterr);
}

void kernel_destroy_devices(struct kernel_index *index, struct step_group *group)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int lock = kernel_lock_dax(KERNEL_LOCK_ALONE, &error);
	int r = lock < 0 ? lock : 0;

	for (size_t i = 0; i < group->n && r == 0; i++)
		(void)destroy_device(group->steps[i], &group->errors[i]);
	if (r == 0)
		r = read_regions(index, group, &error);
	for (size_t i = 0; i < group->n; i++) {
		const struct step *step = group->steps[i];
		const char *name = NULL;

		if (group->errors[i].code == 0 && r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else if (group->errors[i].code == 0)
			name = kernel_index_find(index, step->region, step->start);
		if (name)
			(void)error_set(&group->errors[i], EIO, "%s is there still.", name);
		group->over(group->userdata, i);
	}
}

int kernel_verify_ranges(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	struct step by_start = *step;
	int r;

	by_start.start = step->ranges.ranges[0].start;
	r = kernel_find_device(&by_start, &device, reterr);
	if (r < 0)
		return r;
	return check_ranges(&device, &step->ranges, step->align, reterr);
}

int kernel_verify_destroyed_device(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device device = KERNEL_DEVICE_INIT;
	int r;

	r = kernel_find_device(step, &device, reterr);
	if (r == -ENOENT) {
		error_clear(reterr);
		return 0;
	}
	if (r < 0)
		return r;
	return error_set(reterr, EIO, "%s is there still.", device.name);
}
