/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For one entry of the user or group data base, members and all. */
#define NSS_BUFFER_SIZE (1u << 20)

void kernel_names_clear(struct kernel_names *names)
{
	free(names->owner);
	free(names->group);
	*names = (struct kernel_names){ 0 };
}

static char *number_text(unsigned int number)
{
	char *text;

	return asprintf(&text, "%u", number) < 0 ? NULL : text;
}

static int look_up_names(struct kernel_names *names, uid_t uid, gid_t gid)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;

	kernel_names_clear(names);
	if (!buffer)
		return -ENOMEM;
	(void)getpwuid_r(uid, &user, buffer, NSS_BUFFER_SIZE, &found_user);
	names->owner = found_user ? strdup(found_user->pw_name) : number_text(uid);
	(void)getgrgid_r(gid, &group, buffer, NSS_BUFFER_SIZE, &found_group);
	names->group = found_group ? strdup(found_group->gr_name) : number_text(gid);
	if (!names->owner || !names->group)
		return -ENOMEM;
	names->uid = uid;
	names->gid = gid;
	return 0;
}

int kernel_read_access(const char *name, struct kernel_names *names, struct access *ret,
		       struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 8];
	struct access access = { 0 };
	struct stat st;

	(void)snprintf(path, sizeof(path), "/dev/%s", name);
	if (lstat(path, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return 0;
	if (!names->owner || names->uid != st.st_uid || names->gid != st.st_gid)
		if (look_up_names(names, st.st_uid, st.st_gid) < 0)
			return error_oom(reterr);
	access.perm = st.st_mode & 0777;
	access.uid = number_text(st.st_uid);
	access.gid = number_text(st.st_gid);
	access.owner = strdup(names->owner);
	access.group = strdup(names->group);
	if (!access.owner || !access.group || !access.uid || !access.gid) {
		access_clear(&access);
		return error_oom(reterr);
	}
	*ret = access;
	return 0;
}

/* A decimal number, or -EINVAL. */
static int parse_id(const char *text, unsigned int *ret)
{
	unsigned int id = 0;

	if (!text[0])
		return -EINVAL;
	for (const char *c = text; *c; c++)
		if (*c < '0' || *c > '9' || __builtin_mul_overflow(id, 10, &id) ||
		    __builtin_add_overflow(id, (unsigned int)(*c - '0'), &id))
			return -EINVAL;
	*ret = id;
	return 0;
}

static int find_user(const char *name, uid_t *ret, struct error *reterr)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	struct passwd entry, *found = NULL;

	if (!buffer)
		return error_oom(reterr);
	(void)getpwnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found);
	if (found) {
		*ret = found->pw_uid;
		return 0;
	}
	if (parse_id(name, ret) == 0)
		return 0;
	(void)error_set(reterr, ENOENT, "This host has no user \"%s\".", name);
	return error_hint(reterr, "Make it with useradd, or name another owner.");
}

static int find_group(const char *name, gid_t *ret, struct error *reterr)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	struct group entry, *found = NULL;

	if (!buffer)
		return error_oom(reterr);
	(void)getgrnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found);
	if (found) {
		*ret = found->gr_gid;
		return 0;
	}
	if (parse_id(name, ret) == 0)
		return 0;
	(void)error_set(reterr, ENOENT, "This host has no group \"%s\".", name);
	return error_hint(reterr, "Make it with groupadd, or name another group.");
}

struct wanted {
	uid_t uid; /* -1: as it is */
	gid_t gid;
};

static int find_wanted(const struct access *access, struct wanted *ret, struct error *reterr)
{
	int r = 0;

	*ret = (struct wanted){ (uid_t)-1, (gid_t)-1 };
	if (access->owner)
		r = find_user(access->owner, &ret->uid, reterr);
	if (r == 0 && access->group)
		r = find_group(access->group, &ret->gid, reterr);
	return r;
}

/* The node of what the step names, opened only as a path: opening a device may have effects. */
static int open_node(const struct step *step, char *path, size_t size, struct stat *st,
		     struct error *reterr)
{
	char name[SYSFS_NAME_MAX];
	int r, fd;

	r = kernel_find_node(step, name, reterr);
	if (r < 0)
		return r;
	(void)snprintf(path, size, "/dev/%s", name);
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(reterr, errno, "Cannot open the device node %s: %s.", path,
				 strerror(errno));
	if (fstat(fd, st) < 0 || (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))) {
		(void)close(fd); /* opened for its path alone */
		return error_set(reterr, ENXIO, "%s is not a device node.", path);
	}
	return fd;
}

int kernel_set_access(const struct step *step, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 8], link[64];
	_cleanup_(closep) int fd = -1;
	struct wanted wanted;
	struct stat st;
	int r;

	r = find_wanted(&step->access, &wanted, reterr);
	if (r < 0)
		return r;
	fd = open_node(step, path, sizeof(path), &st, reterr);
	if (fd < 0)
		return fd;
	if (fchownat(fd, "", wanted.uid, wanted.gid, AT_EMPTY_PATH) < 0)
		return error_set(reterr, errno, "Cannot change who owns %s: %s.", path,
				 strerror(errno));
	if (!step->has_perm)
		return 0;
	/* fchmod() does not take O_PATH descriptors; this is the same node whatever path is. */
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (chmod(link, step->access.perm) < 0)
		return error_set(reterr, errno, "Cannot change the permissions of %s to %04o: %s.",
				 path, step->access.perm, strerror(errno));
	return 0;
}

int kernel_verify_access(const struct step *step, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 8];
	_cleanup_(closep) int fd = -1;
	struct wanted wanted;
	struct stat st;
	int r;

	r = find_wanted(&step->access, &wanted, reterr);
	if (r < 0)
		return r;
	fd = open_node(step, path, sizeof(path), &st, reterr);
	if (fd < 0)
		return fd;
	if ((wanted.uid != (uid_t)-1 && st.st_uid != wanted.uid) ||
	    (wanted.gid != (gid_t)-1 && st.st_gid != wanted.gid) ||
	    (step->has_perm && (st.st_mode & 07777) != step->access.perm))
		return error_set(reterr, EIO, "%s has owner %u, group %u and permissions %04o "
				 "and not what was set.", path, st.st_uid, st.st_gid,
				 st.st_mode & 07777);
	return 0;
}
