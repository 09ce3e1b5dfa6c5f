/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links and access of device nodes.  Nodes and links are udev's, so a volume is published by a
 * file of properties that udev/60-daxd.rules import: then they are right not only now but at
 * each boot and whenever a driver is bound again, without anything of ours running.
 *
 * A file is named after what its device is, as far as a rule can see it: the uuid of the info
 * block (of a raw namespace its own), or in dynamic regions, START-SIZE of the device.
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

#define FOLDER STATEDIR "/udev"
#define KEY_MAX 96

/* The device that a step publishes: its folder in sysfs and its node. */
struct published {
	int fd;
	char name[SYSFS_NAME_MAX];
	char node[SYSFS_NAME_MAX + 8];
	char file[sizeof(FOLDER) + KEY_MAX];
	const char *subsystem, *links;
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

static int open_device(struct published *p, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 32];

	p->subsystem = kernel_is_device_name(p->name) ? "dax" : "block";
	p->links = kernel_is_device_name(p->name) ? DAX_LINKS : PMEM_LINKS;
	(void)snprintf(path, sizeof(path), is_block(p) ? "/sys/class/block/%s" :
		       "/sys/bus/dax/devices/%s", p->name);
	p->fd = sysfs_open(AT_FDCWD, path);
	if (p->fd < 0)
		return error_set(reterr, -p->fd, "Cannot open %s: %s.", path, strerror(-p->fd));
	(void)snprintf(p->node, sizeof(p->node), "/dev/%s", p->name);
	if (lstat(p->node, &p->st) < 0)
		return error_set(reterr, errno, "Cannot look at the device node %s: %s.", p->node,
				 strerror(errno));
	if (!S_ISCHR(p->st.st_mode) && !S_ISBLK(p->st.st_mode))
		return error_set(reterr, ENXIO, "%s is not a device node.", p->node);
	return 0;
}

static int name_file(struct published *p, struct error *reterr)
{
	char text[64];
	struct uuid uuid;
	uint64_t start, size;
	int r;

	r = sysfs_read(p->fd, is_block(p) ? "device/uuid" : "../uuid", text, sizeof(text));
	if (r > 0 && uuid_parse_text(text, &uuid) == 0) {
		(void)snprintf(p->file, sizeof(p->file), FOLDER "/%s", uuid.text);
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
	(void)snprintf(p->file, sizeof(p->file), FOLDER "/0x%" PRIx64 "-%" PRIu64, start, size);
	return 0;
}

static int find(const struct step *step, struct published *ret, struct error *reterr)
{
	int r;

	r = kernel_find_node(step, ret->name, reterr);
	if (r == 0)
		r = open_device(ret, reterr);
	return r < 0 ? r : name_file(ret, reterr);
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

/* Numbers, because rules are used before every account of the host can be looked up. */
static int write_properties(const struct published *p, const struct step *step,
			    struct error *reterr)
{
	char text[256], owner[32] = "", group[32] = "", mode[32] = "";
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
	if (step->has_perm || !is_block(p))
		(void)snprintf(mode, sizeof(mode), "DAXD_MODE=%04o\n",
			       step->has_perm ? step->access.perm : p->st.st_mode & 0777);
	(void)snprintf(text, sizeof(text), "DAXD_NAME=%s\n%s%s%s",
		       access_link_name(step->access.link), owner, group, mode);
	r = file_make_folders(FOLDER, reterr);
	return r < 0 ? r : file_replace(p->file, text, strlen(text), reterr);
}

int kernel_check_publish(const struct step *step, struct error *reterr)
{
	struct kernel_accounts accounts;
	int r = kernel_find_accounts(&step->access, &accounts, reterr);

	return r < 0 ? r : kernel_check_udev(reterr);
}

int kernel_publish(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	int r;

	r = kernel_check_udev(reterr);
	if (r == 0)
		r = find(step, &p, reterr);
	if (r == 0)
		r = check_driver(&p, reterr);
	if (r == 0)
		r = check_link(&p, step, reterr);
	if (r == 0)
		r = write_properties(&p, step, reterr);
	return r < 0 ? r : kernel_trigger_udev(p.fd, p.name, p.subsystem, reterr);
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
	if (unlink(p.file) < 0 && errno != ENOENT)
		return error_set(reterr, errno, "Cannot remove %s: %s.", p.file, strerror(errno));
	return kernel_trigger_udev(p.fd, p.name, p.subsystem, reterr);
}

static bool leads_to(const char *link, const struct published *p)
{
	struct stat st;

	return stat(link, &st) == 0 && (st.st_mode & S_IFMT) == (p->st.st_mode & S_IFMT) &&
	       st.st_rdev == p->st.st_rdev;
}

int kernel_verify_publish(const struct step *step, struct error *reterr)
{
	_cleanup_(published_clear) struct published p = PUBLISHED_INIT;
	struct kernel_accounts wanted;
	int r;

	r = kernel_find_accounts(&step->access, &wanted, reterr);
	if (r == 0)
		r = find(step, &p, reterr);
	if (r < 0)
		return r;
	if (!leads_to(step->access.link, &p)) {
		(void)error_set(reterr, EIO, "udev has not made %s a link to %s.",
				step->access.link, p.node);
		return error_hint(reterr, "Its rules must include 60-daxd.rules: udevadm control "
				  "--reload when daxd was installed just now.");
	}
	if ((wanted.uid != (uid_t)-1 && p.st.st_uid != wanted.uid) ||
	    (wanted.gid != (gid_t)-1 && p.st.st_gid != wanted.gid) ||
	    (step->has_perm && (p.st.st_mode & 07777) != step->access.perm)) {
		(void)error_set(reterr, EIO, "udev has given %s owner %u, group %u and permissions "
				"%04o and not what was asked for.", p.node, p.st.st_uid,
				p.st.st_gid, p.st.st_mode & 07777);
		/* https://github.com/systemd/systemd/issues/39056 */
		return error_hint(reterr, "Another rule may do so, and udev 258 and 259 give nodes "
				  "to system accounts only.");
	}
	return 0;
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
	char file[sizeof(FOLDER) + KEY_MAX];

	if (!uuid_is_set(uuid))
		return;
	(void)snprintf(file, sizeof(file), FOLDER "/%s", uuid->text);
	(void)unlink(file);
}

void kernel_unpublish_start(uint64_t start)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, FOLDER);
	const struct dirent *entry;
	char prefix[32];

	(void)snprintf(prefix, sizeof(prefix), "0x%" PRIx64 "-", start);
	while (dir && (entry = sysfs_next(dir)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
}
