/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Steps on partitions.  The kernel's own come and go by BLKPG, ours are maps; many of a kind are
 * done one after another, and udev is waited for once.  An open that is only udev's, looking at
 * what has just come, is waited for; anybody else's is refused with the holder's name.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/size.h"
#include "exec/kernel-dm.h"

#define SECTOR UINT64_C(512)
#define STAMP_MAX 64
#define PATH_SIZE (SYSFS_NAME_MAX + 64)
/* How long udev may have a look. */
#define PATIENCE_MS 5000
#define NAP_MS 10
#define LOOK_MS 200 /* who else may have it open: that takes longer than most looks of udev */

/* One step of a group: what it has done, and what of udev's work it waits for. */
struct work {
	char name[SYSFS_NAME_MAX];  /* pmem0p1: of a partition or a map */
	char device[SYSFS_NAME_MAX]; /* pmem0p1 or dm-0: what the kernel calls it */
	char stamp[STAMP_MAX];
	dev_t dev;
	int fd; /* of the device's folder */
};

static void nap(void)
{
	const struct timespec t = { .tv_nsec = NAP_MS * 1000000L };

	(void)nanosleep(&t, NULL); /* sooner than asked for is as good */
}

/*
 * A rule sees of a map which disk it is on, but not the uuid of that: it finds it here. What cannot
 * be written is one link less, and no reason to have no map.
 */
static void tell_rules(const struct kernel_disk *disk)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char file[sizeof(RUN_DISKS) + 32], text[64];

	(void)snprintf(file, sizeof(file), RUN_DISKS "/%u:%u", major(disk->dev), minor(disk->dev));
	(void)snprintf(text, sizeof(text), "DAXD_DISK=%s\n", disk->uuid.text);
	if (file_make_folders(RUN_DISKS, &error) == 0)
		(void)file_replace(file, text, strlen(text), &error);
}

/* Steps of a group are mostly on one disk: 1 when it is another than before. */
static int follow_target(const struct step *step, struct kernel_disk *target, struct error *reterr)
{
	int r;

	if (kernel_disk_has(target, step))
		return 0;
	kernel_disk_clear(target);
	r = kernel_find_disk(step, target, reterr);
	return r < 0 ? r : 1;
}

static void name_partition(struct work *work, const struct kernel_disk *target,
			   const struct step *step)
{
	(void)snprintf(work->name, sizeof(work->name), "%.200s%s%u", target->name,
		       disk_infix(target->name), step->number);
}

/* Of one that the kernel has. */
static int read_native_dev(const struct kernel_disk *target, struct work *work)
{
	char attribute[PATH_SIZE];

	(void)snprintf(attribute, sizeof(attribute), "%s/dev", work->name);
	return kernel_read_dev(target->sysfs, attribute, &work->dev);
}

static int partition_ioctl(const struct kernel_disk *target, int op, unsigned int number,
			   struct range extent)
{
	struct blkpg_partition partition = {
		.pno = (int)number,
		.start = (long long)extent.start,
		.length = (long long)extent.size,
	};
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof(partition), .data = &partition };

	return ioctl(target->node, BLKPG, &arg) < 0 ? -errno : 0;
}

/* Ask again while it is EBUSY and nobody but udev can be the reason. */
static int retry(int (*try)(const struct kernel_disk *target, const struct step *step,
			    struct work *work, struct error *reterr),
		 const struct kernel_disk *target, const struct step *step, struct work *work,
		 struct error *reterr)
{
	int r = try(target, step, work, reterr);

	for (int ms = NAP_MS; r == -EBUSY && !reterr->code && ms < PATIENCE_MS; ms += NAP_MS) {
		if (ms % LOOK_MS == 0 && kernel_check_blockdev_free(work->device, reterr) < 0)
			return -reterr->code;
		nap();
		r = try(target, step, work, reterr);
	}
	if (r == -EBUSY && !reterr->code && kernel_check_blockdev_free(work->device, reterr) == 0)
		return error_set(reterr, EBUSY, "%s is in use, and nothing tells by whom.",
				 work->name);
	return r < 0 ? -reterr->code : 0;
}

static int try_drop(const struct kernel_disk *target, const struct step *step, struct work *work,
		    struct error *reterr)
{
	int r = partition_ioctl(target, BLKPG_DEL_PARTITION, step->number, (struct range){ 0 });

	if (r == 0 || r == -ENXIO || r == -EBUSY)
		return r == -EBUSY ? r : 0;
	return error_set(reterr, -r, "Cannot drop the kernel's partition %s: %s.", work->name,
			 strerror(-r));
}

static int drop(const struct kernel_disk *target, const struct step *step, struct work *work,
		struct udev_trigger *trigger, struct error *reterr)
{
	(void)snprintf(work->device, sizeof(work->device), "%s", work->name);
	if (read_native_dev(target, work) < 0)
		return 0; /* it has gone */
	trigger->wait = UDEV_GONE;
	return retry(try_drop, target, step, work, reterr);
}

static bool extent_is(struct range a, struct range b)
{
	return a.start == b.start && a.size == b.size;
}

static bool is_native(const struct kernel_disk *target, const struct step *step,
		      const struct work *work)
{
	struct range have;

	return kernel_read_extent(target->sysfs, work->name, &have) == 0 &&
	       extent_is(have, step->extent);
}

static int check_inside(const struct kernel_disk *target, const struct step *step,
			const struct work *work, struct error *reterr)
{
	uint64_t sectors;
	int r = sysfs_read_u64(target->sysfs, "size", &sectors);

	if (r < 0)
		return kernel_unreadable(reterr, target->name, "size", -r);
	if (range_end(step->extent) <= sectors * SECTOR)
		return 0;
	return error_set(reterr, EINVAL, "%s does not fit into %s, which has %s.", work->name,
			 target->name, SIZE_STR(sectors * SECTOR));
}

static int add(const struct kernel_disk *target, const struct step *step, struct work *work,
	       struct udev_trigger *trigger, struct error *reterr)
{
	int r;

	(void)snprintf(work->device, sizeof(work->device), "%s", work->name);
	r = check_inside(target, step, work, reterr); /* 6.1 does not look */
	if (r < 0)
		return r;
	if (!is_native(target, step, work))
		r = partition_ioctl(target, BLKPG_ADD_PARTITION, step->number, step->extent);
	/* udev may have had the kernel read the table meanwhile. */
	if (r < 0 && !is_native(target, step, work))
		return error_set(reterr, -r, "The kernel does not take the partition %s: %s.",
				 work->name, strerror(-r));
	r = read_native_dev(target, work);
	if (r < 0)
		return kernel_unreadable(reterr, work->name, "dev", -r);
	trigger->wait = UDEV_SEEN;
	return 0;
}

/*
 * The map of a partition: 1, and what the kernel calls it; 0: there is none.  Device-mapper is
 * asked by uuid, since to go through what holds the disk takes the square of the time for many.
 */
static int find_map(const struct kernel_disk *target, unsigned int number, struct work *work,
		    struct error *reterr)
{
	char uuid[DM_UUID_MAX];
	int r;

	r = kernel_load_module("dm_mod", "/sys/module/dm_mod", reterr);
	if (r < 0)
		return r;
	dm_map_uuid(&target->uuid, number, uuid);
	r = dm_map_find(uuid, &work->dev, reterr);
	if (r > 0)
		(void)snprintf(work->device, sizeof(work->device), "dm-%u", minor(work->dev));
	return r;
}

static bool has_map(const struct kernel_disk *target)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(target->sysfs, "holders");
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir)))
		if (kernel_map_number(entry->d_name, &target->uuid))
			return true;
	return false;
}

static int check_pages(const struct step *step, const struct work *work, struct error *reterr)
{
	if (step->extent.start % ALIGN_4K == 0 && step->extent.size % ALIGN_4K == 0)
		return 0;
	return error_set(reterr, EINVAL, "%s does not begin and end at multiples of 4K: DAX on a "
			 "map of it would write to the wrong place.", work->name);
}

static int create_map(const struct kernel_disk *target, const struct step *step, struct work *work,
		      struct error *reterr)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char uuid[DM_UUID_MAX];
	int r;

	dm_map_uuid(&target->uuid, step->number, uuid);
	r = dm_map_create(work->name, uuid, target->dev, step->extent, step->read_only,
			  &work->dev, &error);
	/* A partition of the kernel's that is mounted has the whole disk, unless we have it. */
	if (r == -EBUSY && !has_map(target) &&
	    kernel_check_blockdev_free(target->name, reterr) < 0)
		return -reterr->code;
	if (r == -EBUSY)
		return error_set(reterr, EBUSY, "Cannot make the map %s: a dm device that is not "
				 "ours has the name.", work->name);
	if (r < 0) {
		error_move(reterr, &error);
		return -reterr->code;
	}
	(void)snprintf(work->device, sizeof(work->device), "dm-%u", minor(work->dev));
	return 0;
}

/* The rules say of a map how large it was when they saw it. */
static void await_map(const struct step *step, struct work *work, struct udev_trigger *trigger)
{
	(void)snprintf(work->stamp, sizeof(work->stamp), "%" PRIu64, step->extent.size / SECTOR);
	trigger->wait = UDEV_STAMP;
	trigger->property = "DAXD_MAP";
	trigger->stamp = work->stamp;
}

static int try_unmap(const struct kernel_disk *target, const struct step *step, struct work *work,
		     struct error *reterr)
{
	(void)target;
	(void)step;
	return dm_map_remove(work->name, work->dev, reterr);
}

static int map(const struct kernel_disk *target, const struct step *step, struct work *work,
	       struct udev_trigger *trigger, struct error *reterr)
{
	struct dm_map_state state;
	bool known;
	int r;

	r = check_pages(step, work, reterr);
	if (r == 0)
		r = check_inside(target, step, work, reterr);
	if (r < 0)
		return r;
	r = find_map(target, step->number, work, reterr);
	known = r > 0;
	if (known)
		r = dm_map_read(work->name, work->dev, target->dev, &state, reterr);
	/* Whoever made it was killed before it had a table: it is no map yet. */
	if (r == 0 && known && state.extent.size == 0 && state.open_count == 0) {
		r = retry(try_unmap, target, step, work, reterr);
		known = false;
	}
	if (r == 0 && known && !extent_is(state.extent, step->extent))
		return error_set(reterr, EEXIST, "%s is mapped elsewhere.", work->name);
	if (r == 0 && !known)
		r = create_map(target, step, work, reterr);
	if (r < 0)
		return r;
	await_map(step, work, trigger);
	if (known)
		trigger->wait = UDEV_ANEW; /* a link was missing, or the table names it anew */
	return 0;
}

static int unmap(const struct kernel_disk *target, const struct step *step, struct work *work,
		 struct udev_trigger *trigger, struct error *reterr)
{
	int r = find_map(target, step->number, work, reterr);

	if (r <= 0)
		return r;
	trigger->wait = UDEV_GONE;
	return retry(try_unmap, target, step, work, reterr);
}

/* In place, and so that nobody who has it open sees it become less. */
static int remap(const struct kernel_disk *target, const struct step *step, struct work *work,
		 struct udev_trigger *trigger, struct error *reterr)
{
	struct dm_map_state state;
	int r;

	r = find_map(target, step->number, work, reterr);
	if (r == 0)
		return error_set(reterr, ENOENT, "%s is not mapped.", work->name);
	if (r < 0)
		return r;
	r = check_pages(step, work, reterr);
	if (r == 0)
		r = check_inside(target, step, work, reterr);
	if (r == 0)
		r = dm_map_read(work->name, work->dev, target->dev, &state, reterr);
	if (r < 0)
		return r;
	if (state.open_count && (state.extent.start != step->extent.start ||
				 state.extent.size > step->extent.size)) {
		r = kernel_check_blockdev_free(work->device, reterr);
		return r < 0 ? r : error_set(reterr, EBUSY, "%s is open and would not only grow.",
					     work->name);
	}
	if (!extent_is(state.extent, step->extent))
		r = dm_map_reload(work->name, work->dev, target->dev, step->extent,
				  state.read_only, reterr);
	await_map(step, work, trigger);
	return r;
}

/* Do it; the trigger waits for nothing when its name stays NULL. */
static int change(struct kernel_disk *target, const struct step_group *group, size_t index,
		  struct work *work, struct udev_trigger *trigger)
{
	const struct step *step = group->steps[index];
	struct error *reterr = &group->errors[index];
	char path[PATH_SIZE];
	int r = follow_target(step, target, reterr);

	if (r < 0)
		return r;
	if (r > 0 && step->kind == STEP_MAP) {
		tell_rules(target);
		kernel_describe_maps(target, group, index);
	}
	name_partition(work, target, step);
	if (step->kind == STEP_DROP_PARTITION)
		r = drop(target, step, work, trigger, reterr);
	else if (step->kind == STEP_ADD_PARTITION)
		r = add(target, step, work, trigger, reterr);
	else if (step->kind == STEP_MAP)
		r = map(target, step, work, trigger, reterr);
	else if (step->kind == STEP_REMAP)
		r = remap(target, step, work, trigger, reterr);
	else
		r = unmap(target, step, work, trigger, reterr);
	if (r < 0 || !work->dev)
		return r;
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", work->device);
	work->fd = sysfs_open(AT_FDCWD, path);
	trigger->name = work->device;
	trigger->dev = work->dev;
	trigger->coming = trigger->wait != UDEV_ANEW;
	/* What has gone has no folder, and needs none. */
	trigger->fd = work->fd >= 0 ? work->fd : trigger->wait == UDEV_GONE ? target->sysfs : -1;
	return 0;
}

/* A node of the kernel's may have been in the way of the link when the map came. */
static void link_again(struct work *works, struct udev_trigger *triggers, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool missing = triggers[i].fd >= 0 && !triggers[i].error->code &&
			       triggers[i].wait == UDEV_STAMP &&
			       !kernel_map_is_linked(works[i].name, works[i].device);

		any = any || missing;
		triggers[i].coming = false;
		triggers[i].wait = UDEV_ANEW;
		if (!missing)
			triggers[i].fd = -1;
	}
	if (any)
		kernel_trigger_udev(triggers, n);
}

/*
 * A partition that udev has not come to yet must not go: udev would tell of it when a map with its
 * name is there, and systemd would take the name from the map, whose mounts would wait for ever.
 * Whoever is too slow for that is waited for no longer.
 */
static void await_udev(struct step_group *group, struct work *works, struct udev_trigger *triggers)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk target = KERNEL_DISK_INIT;
	_cleanup_(freep) struct error *late = calloc(group->n, sizeof(*late));

	for (size_t i = 0; late && i < group->n; i++) {
		struct udev_trigger *trigger = &triggers[i];

		*trigger = (struct udev_trigger){ .wait = UDEV_SEEN, .fd = -1, .coming = true,
						  .name = works[i].name, .error = &late[i] };
		if (follow_target(group->steps[i], &target, &late[i]) < 0)
			continue;
		name_partition(&works[i], &target, group->steps[i]);
		if (read_native_dev(&target, &works[i]) == 0)
			trigger->fd = target.sysfs;
		trigger->dev = works[i].dev;
	}
	if (late)
		kernel_trigger_udev(triggers, group->n);
	for (size_t i = 0; late && i < group->n; i++)
		error_clear(&late[i]);
}

static void change_all(struct step_group *group, struct work *works, struct udev_trigger *triggers)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk target = KERNEL_DISK_INIT;

	if (group->steps[0]->kind == STEP_DROP_PARTITION)
		await_udev(group, works, triggers);
	if (group->steps[0]->kind == STEP_MAP)
		kernel_forget_maps(); /* what a killed worker has left */
	for (size_t i = 0; i < group->n; i++) {
		works[i].fd = -1;
		triggers[i] = (struct udev_trigger){ .fd = -1, .error = &group->errors[i] };
		if (change(&target, group, i, &works[i], &triggers[i]) < 0)
			triggers[i].fd = -1;
	}
	kernel_trigger_udev(triggers, group->n);
	if (group->steps[0]->kind == STEP_MAP) {
		kernel_forget_maps();
		link_again(works, triggers, group->n);
	}
	for (size_t i = 0; i < group->n; i++)
		closep(&works[i].fd);
}

static int verify_native(const struct kernel_disk *target, const struct step *step,
			 const struct work *work, struct error *reterr)
{
	struct range have;
	bool there = kernel_read_extent(target->sysfs, work->name, &have) == 0;

	if (step->kind == STEP_DROP_PARTITION && there)
		return error_set(reterr, EIO, "%s is there still.", work->name);
	if (step->kind == STEP_ADD_PARTITION && (!there || !extent_is(have, step->extent)))
		return error_set(reterr, EIO, "The kernel has not made %s.", work->name);
	return 0;
}

static int verify_map(const struct kernel_disk *target, const struct step *step,
		      struct work *work, struct error *reterr)
{
	struct dm_map_state state;
	int r = find_map(target, step->number, work, reterr);

	if (r < 0)
		return r;
	if (step->kind == STEP_UNMAP)
		return r ? error_set(reterr, EIO, "%s is there still.", work->name) : 0;
	if (r == 0)
		return error_set(reterr, EIO, "%s is not there.", work->name);
	r = dm_map_read(work->name, work->dev, target->dev, &state, reterr);
	if (r < 0)
		return r;
	if (!extent_is(state.extent, step->extent))
		return error_set(reterr, EIO, "%s is not where it was to be.", work->name);
	if (kernel_map_is_linked(work->name, work->device))
		return 0;
	(void)error_set(reterr, EIO, "udev has not made /dev/%s a link to %s.", work->name,
			work->device);
	return error_hint(reterr, "Its rules must include 56-daxd-partitions.rules: udevadm control "
			  "--reload when daxd was installed just now.");
}

/* target: of the step before, or clear. */
static int verify(struct kernel_disk *target, const struct step *step, struct error *reterr)
{
	struct work work = { .fd = -1 };
	int r = follow_target(step, target, reterr);

	if (r < 0)
		return r;
	name_partition(&work, target, step);
	if (step->kind == STEP_DROP_PARTITION || step->kind == STEP_ADD_PARTITION)
		return verify_native(target, step, &work, reterr);
	return verify_map(target, step, &work, reterr);
}

void kernel_run_on_partitions(struct step_group *group)
{
	_cleanup_(freep) struct work *works = calloc(group->n, sizeof(*works));
	_cleanup_(freep) struct udev_trigger *triggers = calloc(group->n, sizeof(*triggers));
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(kernel_disk_clear) struct kernel_disk target = KERNEL_DISK_INIT;
	int r = works && triggers ? kernel_check_udev(&error) : error_oom(&error);

	if (r == 0)
		change_all(group, works, triggers);
	for (size_t i = 0; i < group->n; i++) {
		if (r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else if (group->errors[i].code == 0)
			(void)verify(&target, group->steps[i], &group->errors[i]);
		group->over(group->userdata, i);
	}
}

static void nobody_waits(void *userdata, size_t index)
{
	(void)userdata;
	(void)index;
}

int kernel_change_partition(const struct step *step, struct error *reterr)
{
	struct step_group one = { .steps = &step, .errors = reterr, .n = 1, .over = nobody_waits };

	kernel_run_on_partitions(&one);
	return -reterr->code;
}

int kernel_verify_partition(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_disk_clear) struct kernel_disk target = KERNEL_DISK_INIT;

	return verify(&target, step, reterr);
}
