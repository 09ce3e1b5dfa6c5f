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
/* Has the number 0 on every Linux, and nearly every node; a look into the data base takes long. */
#define ROOT "root"

static void forget_accounts(struct kernel_names *names)
{
	free(TAKE(names->owner));
	free(TAKE(names->group));
}

static void forget_links(struct kernel_names *names)
{
	while (names->n_links) {
		struct kernel_link *link = &names->links[--names->n_links];

		free(link->node);
		free(link->path);
	}
	free(TAKE(names->links));
}

void kernel_names_clear(struct kernel_names *names)
{
	forget_accounts(names);
	forget_links(names);
}

static int by_node(const void *a, const void *b)
{
	const struct kernel_link *x = a, *y = b;
	int order = strcmp(x->node, y->node);

	return order ? order : strcmp(x->path, y->path);
}

static int read_links(const char *folder, struct kernel_names *names)
{
	_cleanup_(closedirp) DIR *dir = sysfs_open_dir(AT_FDCWD, folder);
	const struct dirent *entry;

	while (dir && (entry = sysfs_next(dir))) {
		char node[SYSFS_NAME_MAX];
		struct kernel_link *link;

		if (sysfs_read_link(dirfd(dir), entry->d_name, node, sizeof(node)) < 0)
			continue; /* it went away meanwhile, or is none of udev's */
		link = ARRAY_APPEND(names->links, names->n_links);
		if (!link)
			return -ENOMEM;
		names->n_links++;
		link->node = strdup(node);
		if (!link->node || asprintf(&link->path, "%s%s", folder, entry->d_name) < 0) {
			link->path = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

int kernel_read_links(struct kernel_names *names, struct error *reterr)
{
	forget_links(names);
	if (read_links(DAX_LINKS, names) < 0 || read_links(PMEM_LINKS, names) < 0)
		return error_oom(reterr);
	if (names->n_links)
		qsort(names->links, names->n_links, sizeof(*names->links), by_node);
	return 0;
}

/* The first link to a node in the order of their names, or NULL. */
static const char *find_link(const struct kernel_names *names, const char *node)
{
	size_t low = 0, high = names->n_links;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names->links[middle].node, node) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->n_links && strcmp(names->links[low].node, node) == 0 ?
		       names->links[low].path : NULL;
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

	forget_accounts(names);
	if (!buffer)
		return -ENOMEM;
	if (uid != 0)
		(void)getpwuid_r(uid, &user, buffer, NSS_BUFFER_SIZE, &found_user);
	names->owner = uid == 0 ? strdup(ROOT) :
		       found_user ? strdup(found_user->pw_name) : number_text(uid);
	if (gid != 0)
		(void)getgrgid_r(gid, &group, buffer, NSS_BUFFER_SIZE, &found_group);
	names->group = gid == 0 ? strdup(ROOT) :
		       found_group ? strdup(found_group->gr_name) : number_text(gid);
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
	const char *link = find_link(names, name);
	struct access access = { 0 };
	struct stat st;

	if (names->brief)
		return 0;
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
	access.link = link ? strdup(link) : NULL;
	if (!access.owner || !access.group || !access.uid || !access.gid ||
	    (link && !access.link)) {
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
	return error_hint(reterr, "\"useradd %s\" makes it; or name another owner.", name);
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
	return error_hint(reterr, "\"groupadd %s\" makes it; or name another group.", name);
}

int kernel_find_accounts(const struct access *access, struct kernel_accounts *ret,
			 struct error *reterr)
{
	int r = 0;

	*ret = (struct kernel_accounts){ (uid_t)-1, (gid_t)-1 };
	if (access->owner)
		r = find_user(access->owner, &ret->uid, reterr);
	if (r == 0 && access->group)
		r = find_group(access->group, &ret->gid, reterr);
	return r;
}
