/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links and access of device nodes.  Nodes and links are udev's, so a volume is published by a
 * file of properties that udev/60-daxd.rules import: then they are right not only now but at
 * each boot and whenever a driver is bound again, without anything of ours running.
 *
 * A file is named after what its device is, as far as a rule can see it: the uuid of the info
 * block (of a raw namespace its own), or in dynamic regions, START-SIZE of the device.  What ends
 * with the boot has its file in /run: after a boot something else may be in that place.
 *
 * The events of a device come one after another, and udev may run programs of other rules for
 * each. So the file of what is made by the same plan is written before that is (notices): the
 * kernel's own event imports it, and no other is asked for.
 */
#include "exec/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define FOLDER KERNEL_PROPERTIES
#define RUN_PROPERTIES RUN_FOLDER "/udev"
#define KEY_MAX 96
#define PATH_SIZE (sizeof(FOLDER) + KEY_MAX)
#define TEXT_MAX 384
#define STAMP_MAX 64
#define NODE_PERM 0600u /* of a dax device, unless somebody says otherwise */

/* The device that a step publishes: its folder in sysfs and its node. */
struct published {
	int fd;
	char name[SYSFS_NAME_MAX];
	char node[SYSFS_NAME_MAX + 8];
	char key[KEY_MAX]; /* name of its file */
	const char *links;
	char stamp[STAMP_MAX]; /* of the properties that were written */
	bool noticed;	       /* before the device was made */
	struct stat st;
};

#define PUBLISHED_INIT { .fd = -1 }

static void published_clear(struct published *p)
{
	closep(&p->fd);
}

static bool is_block(const struct published *p)
{
	return strcmp(p->links, PMEM_LINKS) == 0;
}

static int look_at_node(struct published *p, struct error *reterr)
{
	if (lstat(p->node, &p->st) < 0)
		return error_set(reterr, errno, "Cannot look at the device node %s: %s.", p->node,
				 strerror(errno));
	if (!S_ISCHR(p->st.st_mode) && !S_ISBLK(p->st.st_mode))
		return error_set(reterr, ENXIO, "%s is not a device node.", p->node);
	return 0;
}

static int open_device(struct published *p, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 32];

	p->links = kernel_is_device_name(p->name) ? DAX_LINKS : PMEM_LINKS;
	(void)snprintf(path, sizeof(path), is_block(p) ? "/sys/class/block/%s" :
		       "/sys/bus/dax/devices/%s", p->name);
	p->fd = sysfs_open(AT_FDCWD, path);
	if (p->fd < 0)
		return error_set(reterr, -p->fd, "Cannot open %s: %s.", path, strerror(-p->fd));
	(void)snprintf(p->node, sizeof(p->node), "/dev/%s", p->name);
	return look_at_node(p, reterr);
}

static const char *folder_of(const struct step *step)
{
	return step->until_reboot ? RUN_PROPERTIES : FOLDER;
}

static void name_by_place(char key[KEY_MAX], uint64_t start, uint64_t size)
{
	(void)snprintf(key, KEY_MAX, "0x%" PRIx64 "-%" PRIu64, start, size);
}

static int name_file(struct published *p, struct error *reterr)
{
	char text[64];
	struct uuid uuid;
	uint64_t start, size;
	int r;

	r = sysfs_read(p->fd, is_block(p) ? "device/uuid" : "../uuid", text, sizeof(text));
	if (r > 0 && uuid_parse_text(text, &uuid) == 0) {
		(void)snprintf(p->key, sizeof(p->key), "%s", uuid.text);
		return 0;
	}
	if (is_block(p))
		return error_set(reterr, ENODEV, "%s has no uuid to be known by.", p->name);
	r = sysfs_read_u64(p->fd, "resource", &start);
	if (r < 0)
		return kernel_unreadable(reterr, p->name, "resource", -r);
	r = sysfs_read_u64(p->fd, "size", &size);
	if (r < 0)
		return kernel_unreadable(reterr, p->name, "size", -r);
	name_by_place(p->key, start, size);
	return 0;
}

static int find(const struct step *step, struct published *ret, struct error *reterr)
{
	int r;

	r = kernel_find_node(step, ret->name, reterr);
	if (r == 0)
		r = open_device(ret, reterr);
	return r == 0 && !ret->key[0] ? name_file(ret, reterr) : r;
}

static int check_driver(const struct published *p, struct error *reterr)
{
	char driver[SYSFS_NAME_MAX];
	int r = is_block(p) ? 0 : sysfs_read_link(p->fd, "driver", driver, sizeof(driver));

	if (r == -ENOENT || (r == 0 && !is_block(p) && strcmp(driver, "device_dax") != 0))
		return error_set(reterr, ENXIO, "%s is not bound to device_dax.", p->name);
	return r < 0 ? kernel_unreadable(reterr, p->name, "driver", -r) : 0;
}

static int check_link(const struct published *p, const struct step *step, struct error *reterr)
{
	if (strncmp(step->access.link, p->links, strlen(p->links)) == 0)
		return 0;
	return error_set(reterr, EINVAL, "%s is no link for %s.", step->access.link, p->node);
}

/*
 * What a file says; perm is what the node has when the step does not say.  Numbers, because rules
 * are used before every account of the host can be looked up.
 */
static int describe(const struct step *step, bool block, unsigned int perm, const char *stamp,
		    char text[TEXT_MAX], struct error *reterr)
{
	char owner[32] = "", group[32] = "", mode[32] = "";
	struct kernel_accounts accounts;
	int r;

	r = kernel_find_accounts(&step->access, &accounts, reterr);
	if (r < 0)
		return r;
	if (accounts.uid != (uid_t)-1)
		(void)snprintf(owner, sizeof(owner), "DAXD_OWNER=%u\n", accounts.uid);
	if (accounts.gid != (gid_t)-1)
		(void)snprintf(group, sizeof(group), "DAXD_GROUP=%u\n", accounts.gid);
	/* A group without a mode makes udev choose 0660. */
	if (step->has_perm || !block)
		(void)snprintf(mode, sizeof(mode), "DAXD_MODE=%04o\n",
			       step->has_perm ? step->access.perm : perm);
	(void)snprintf(text, TEXT_MAX, "DAXD_NAME=%s\nDAXD_STAMP=%s\n%s%s%s",
		       access_link_name(step->access.link), stamp, owner, group, mode);
	return 0;
}

int kernel_make_stamp(char *stamp, size_t size, struct error *reterr)
{
	int r = sysfs_read(AT_FDCWD, "/proc/sys/kernel/random/uuid", stamp, size);

	return r < 0 ? error_set(reterr, -r, "Cannot read /proc/sys/kernel/random/uuid: %s.",
				 strerror(-r)) : 0;
}

/* A volume that was to end with the boot may be kept after all, and the other way round. */
static int remove_properties(const char *folder, const char *key, struct error *reterr)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, key);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(reterr, errno, "Cannot remove %s: %s.", path, strerror(errno));
	return 0;
}

static int write_properties(struct published *p, const struct step *step, struct error *reterr)
{
	char text[TEXT_MAX], path[PATH_SIZE];
	int r;

	r = kernel_make_stamp(p->stamp, sizeof(p->stamp), reterr);
	if (r == 0)
		r = describe(step, is_block(p), p->st.st_mode & 0777, p->stamp, text, reterr);
	if (r == 0)
		r = file_make_folders(folder_of(step), reterr);
	(void)snprintf(path, sizeof(path), "%s/%s", folder_of(step), p->key);
	if (r == 0)
		r = file_replace(path, text, strlen(text), reterr);
	return r < 0 ? r : remove_properties(step->until_reboot ? FOLDER : RUN_PROPERTIES, p->key,
					     reterr);
}

struct kernel_notice {
	const struct step *step; /* of the plan that runs */
	char stamp[STAMP_MAX];	 /* "": nothing was written */
	char key[KEY_MAX]; /* name of its file */
};

void kernel_notices_clear(struct kernel_notices *notices)
{
	free(notices->notices);
	*notices = (struct kernel_notices){ 0 };
}

int kernel_notice_add(struct kernel_notices *notices, const struct step *step)
{
	struct kernel_notice *notice = ARRAY_APPEND(notices->notices, notices->n);

	if (!notice)
		return -ENOMEM;
	notices->n++;
	notice->step = step;
	return 0;
}

/* By the uuid of a namespace, or by where a device of a dynamic region starts. */
static struct kernel_notice *find_notice(const struct kernel_notices *notices, const char *region,
					 const struct uuid *uuid, uint64_t start)
{
	for (size_t i = 0; i < notices->n; i++) {
		struct kernel_notice *notice = &notices->notices[i];

		if (notice->step->start == start && uuid_equal(&notice->step->uuid, uuid) &&
		    strcmp(notice->step->region, region) == 0)
			return notice;
	}
	return NULL;
}

/* udev may see half of it, or nothing: then it is written, and udev asked, anew. */
static int write_whole(const char *path, const char *text, size_t length)
{
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return -errno;
	return file_write_all(fd, text, length);
}

/* One random part for all of a run; what makes the stamps of a run differ is their number. */
static int number_stamp(struct kernel_notices *notices, char stamp[STAMP_MAX],
			struct error *reterr)
{
	int r = notices->n_stamps ? 0 : kernel_make_stamp(notices->run, sizeof(notices->run), reterr);

	if (r == 0 && notices->n_stamps == 0)
		r = file_make_folders(FOLDER, reterr);
	if (r == 0 && notices->n_stamps == 0)
		r = file_make_folders(RUN_PROPERTIES, reterr);
	if (r == 0)
		(void)snprintf(stamp, STAMP_MAX, "%s.%u", notices->run, ++notices->n_stamps);
	return r;
}

static void give_notice(struct kernel_notices *notices, struct kernel_notice *notice, bool block)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char text[TEXT_MAX], stamp[STAMP_MAX], path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", folder_of(notice->step), notice->key);
	if (number_stamp(notices, stamp, &error) == 0 &&
	    describe(notice->step, block, NODE_PERM, stamp, text, &error) == 0 &&
	    write_whole(path, text, strlen(text)) == 0)
		(void)snprintf(notice->stamp, sizeof(notice->stamp), "%s", stamp);
}

void kernel_notice_device(struct kernel_notices *notices, const struct step *step)
{
	const struct uuid none = { "" };
	uint64_t start = step->ranges.ranges[0].start;
	struct kernel_notice *notice = find_notice(notices, step->region, &none, start);

	if (!notice)
		return;
	name_by_place(notice->key, start, range_list_size(&step->ranges));
	give_notice(notices, notice, false);
}

void kernel_notice_namespace(struct kernel_notices *notices, const struct step *step)
{
	struct kernel_notice *notice = find_notice(notices, step->region, &step->uuid, 0);

	if (!notice || !uuid_is_set(&step->info_uuid))
		return;
	kernel_unpublish_uuid(&step->info_uuid);
	(void)snprintf(notice->key, sizeof(notice->key), "%s", step->info_uuid.text);
	give_notice(notices, notice, step->mode != NAMESPACE_DEVDAX);
}

/*
 * Was the file written before the device was, and does it say what it is to? It is made safe on
 * disk only now, the folder once for all.
 */
static bool is_noticed(const struct kernel_notice *notice, struct published *p,
		       const struct step *step)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int fd = -1;
	char want[TEXT_MAX], have[TEXT_MAX], path[PATH_SIZE];
	ssize_t n;

	if (!notice || !notice->stamp[0] ||
	    describe(step, is_block(p), NODE_PERM, notice->stamp, want, &error) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", folder_of(step), p->key);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd < 0 ? -1 : read(fd, have, sizeof(have));
	if (n != (ssize_t)strlen(want) || memcmp(have, want, (size_t)n) != 0 || fsync(fd) < 0)
		return false;
	(void)snprintf(p->stamp, sizeof(p->stamp), "%s", notice->stamp);
	return true;
}

int kernel_check_publish(const struct step *step, struct error *reterr)
{
	struct kernel_accounts accounts;
	int r = kernel_find_accounts(&step->access, &accounts, reterr);

	return r < 0 ? r : kernel_check_udev(reterr);
}

/* Everything but to have udev look. notices may be NULL. */
static int prepare(const struct kernel_notices *notices, struct published *p,
		   const struct step *step, struct error *reterr)
{
	const struct kernel_notice *notice = NULL;
	int r;

	if (notices)
		notice = find_notice(notices, step->region, &step->uuid, step->start);
	if (notice)
		(void)snprintf(p->key, sizeof(p->key), "%s", notice->key);
	r = find(step, p, reterr);
	if (r == 0)
		r = check_driver(p, reterr);
	if (r == 0)
		r = check_link(p, step, reterr);
	if (r < 0)
		return r;
	p->noticed = is_noticed(notice, p, step);
	return p->noticed ? 0 : write_properties(p, step, reterr);
}

static int trigger(const struct published *p, struct error *reterr)
{
	struct udev_trigger one = { .fd = p->fd, .name = p->name, .error = reterr,
				    .dev = p->st.st_rdev };

	one.stamp = p->stamp[0] ? p->stamp : NULL;

	kernel_trigger_udev(&one, 1);
	return -reterr->code;
}

int kernel_publish(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	int r;

	r = kernel_check_udev(reterr);
	if (r == 0)
		r = prepare(NULL, &p, step, reterr);
	return r < 0 ? r : trigger(&p, reterr);
}

static int sync_folder(struct error *reterr)
{
	_cleanup_(closep) int fd = sysfs_open(AT_FDCWD, FOLDER);

	if (fd < 0 || fsync(fd) < 0)
		return error_set(reterr, fd < 0 ? -fd : errno, "Cannot make " FOLDER
				 " safe on disk: %s.", strerror(fd < 0 ? -fd : errno));
	return 0;
}

/* Publish what can be; each of the errors says of its own. */
static void publish_prepared(const struct kernel_notices *notices, struct published *all,
			     struct udev_trigger *triggers, struct step_group *group)
{
	_cleanup_(error_clear) struct error late = ERROR_INIT;
	bool noticed = false;

	for (size_t i = 0; i < group->n; i++) {
		struct error *error = &group->errors[i];
		int r = prepare(notices, &all[i], group->steps[i], error);

		noticed = noticed || (r == 0 && all[i].noticed);
		triggers[i] = (struct udev_trigger){ .fd = r < 0 ? -1 : all[i].fd,
						     .name = all[i].name, .error = error,
						     .stamp = all[i].stamp,
						     .dev = all[i].st.st_rdev,
						     .coming = all[i].noticed };
	}
	if (noticed && sync_folder(&late) < 0)
		for (size_t i = 0; i < group->n; i++)
			if (all[i].noticed && group->errors[i].code == 0) {
				kernel_copy_error(&group->errors[i], &late);
				triggers[i].fd = -1;
			}
	kernel_trigger_udev(triggers, group->n);
}

static bool leads_to(const char *link, const struct published *p)
{
	struct stat st;

	return stat(link, &st) == 0 && (st.st_mode & S_IFMT) == (p->st.st_mode & S_IFMT) &&
	       st.st_rdev == p->st.st_rdev;
}

/* The node as it is when p was last looked at. */
static int verify_published(const struct published *p, const struct step *step,
			    struct error *reterr)
{
	struct kernel_accounts wanted;
	int r = kernel_find_accounts(&step->access, &wanted, reterr);

	if (r < 0)
		return r;
	if (!leads_to(step->access.link, p)) {
		(void)error_set(reterr, EIO, "udev has not made %s a link to %s.",
				step->access.link, p->node);
		return error_hint(reterr, "Its rules must include 60-daxd.rules: udevadm control "
				  "--reload when daxd was installed just now.");
	}
	if ((wanted.uid != (uid_t)-1 && p->st.st_uid != wanted.uid) ||
	    (wanted.gid != (gid_t)-1 && p->st.st_gid != wanted.gid) ||
	    (step->has_perm && (p->st.st_mode & 07777) != step->access.perm)) {
		(void)error_set(reterr, EIO, "udev has given %s owner %u, group %u and permissions "
				"%04o and not what was asked for.", p->node, p->st.st_uid,
				p->st.st_gid, p->st.st_mode & 07777);
		/* https://github.com/systemd/systemd/issues/39056 */
		return error_hint(reterr, "Another rule may do so, and udev 258 and 259 give nodes "
				  "to system accounts only.");
	}
	return 0;
}

int kernel_verify_publish(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	int r = find(step, &p, reterr);

	return r < 0 ? r : verify_published(&p, step, reterr);
}

/* What was found before udev looked: its node is looked at again. */
static int verify_now(struct published *p, const struct step *step, struct error *reterr)
{
	int r = look_at_node(p, reterr);

	return r < 0 ? r : verify_published(p, step, reterr);
}

void kernel_publish_all(const struct kernel_notices *notices, struct step_group *group)
{
	_cleanup_(freep) struct published *all = calloc(group->n, sizeof(*all));
	_cleanup_(freep) struct udev_trigger *triggers = calloc(group->n, sizeof(*triggers));
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	int r = all && triggers ? kernel_check_udev(&error) : error_oom(&error);

	for (size_t i = 0; all && i < group->n; i++)
		all[i].fd = -1;
	if (r == 0)
		publish_prepared(notices, all, triggers, group);
	for (size_t i = 0; i < group->n; i++) {
		if (r < 0)
			kernel_copy_error(&group->errors[i], &error);
		else if (group->errors[i].code == 0)
			(void)verify_now(&all[i], group->steps[i], &group->errors[i]);
		if (all)
			published_clear(&all[i]);
		group->over(group->userdata, i);
	}
}

int kernel_withdraw(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	int r;

	r = kernel_check_udev(reterr);
	if (r == 0)
		r = find(step, &p, reterr);
	if (r < 0)
		return r;
	r = remove_properties(FOLDER, p.key, reterr);
	if (r == 0)
		r = remove_properties(RUN_PROPERTIES, p.key, reterr);
	return r < 0 ? r : trigger(&p, reterr);
}

int kernel_verify_withdraw(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	int r = find(step, &p, reterr);

	if (r < 0)
		return r;
	if (leads_to(step->access.link, &p))
		return error_set(reterr, EIO, "%s is there still.", step->access.link);
	return 0;
}

/*
 * A file that stays behind, since it cannot be removed, or comes back after a power cut, does no
 * harm: it speaks of an object that is no more, and one that is made anew is published anew.
 */
void kernel_unpublish_uuid(const struct uuid *uuid)
{
	char file[PATH_SIZE], partitions[KERNEL_FILE_MAX];

	if (!uuid_is_set(uuid))
		return;
	(void)snprintf(file, sizeof(file), FOLDER "/%s", uuid->text);
	(void)unlink(file);
	kernel_partitions_file(uuid, partitions);
	(void)unlink(partitions);
	kernel_forget_windows(uuid);
}

static void unpublish_start_in(const char *folder, uint64_t start)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, folder);
	const struct dirent *entry;
	char prefix[32];

	(void)snprintf(prefix, sizeof(prefix), "0x%" PRIx64 "-", start);
	while (dir && (entry = sysfs_next(dir)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
}

void kernel_unpublish_start(uint64_t start)
{
	unpublish_start_in(FOLDER, start);
	unpublish_start_in(RUN_PROPERTIES, start);
}
