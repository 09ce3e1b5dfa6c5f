/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may have a window.  The bus says which user calls and nothing of his groups, so those are
 * the ones that the host's data base of accounts gives him: it is asked when a window is opened
 * for somebody who is not root, and at no other time.  daxd waits for the answer, which may take
 * long where accounts come from elsewhere; a user can have few such calls open at once.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "windows.h"

#define NSS_BUFFER_SIZE (1u << 20)
#define GROUPS_MAX 65536
#define READ 4u
#define WRITE 2u

/* To whom it belongs, in numbers; (uid_t)-1, (gid_t)-1: to nobody that this host knows. */
struct rule {
	uid_t uid;
	gid_t gid;
	unsigned int perm;
};

static bool parse_number(const char *text, unsigned int *ret)
{
	uint64_t number;

	if (!text || size_parse(text, &number) < 0 || number >= UINT32_MAX)
		return false;
	*ret = (unsigned int)number;
	return true;
}

static uid_t find_user(const char *name)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	struct passwd entry, *found = NULL;
	unsigned int number;

	if (buffer)
		(void)getpwnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found);
	if (found)
		return found->pw_uid;
	return parse_number(name, &number) ? number : (uid_t)-1;
}

static gid_t find_group(const char *name)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	struct group entry, *found = NULL;
	unsigned int number;

	if (buffer)
		(void)getgrnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found);
	if (found)
		return found->gr_gid;
	return parse_number(name, &number) ? number : (gid_t)-1;
}

/* As the planner finds the entry of a partition: by the uuid, where one is given, else by name. */
static bool is_of(const struct table_entry *entry, const struct partition *partition)
{
	if (partition->absent)
		return false;
	if (uuid_is_set(&partition->uuid))
		return uuid_equal(&partition->uuid, &entry->uuid);
	return partition->name && strcmp(partition->name, entry->name) == 0;
}

static const struct partition *find_partition(const struct window *window,
					      const struct config *config)
{
	for (size_t i = 0; config && window->volume && i < config->n_volumes; i++) {
		const struct volume *volume = &config->volumes[i];

		if (volume->absent || strcmp(volume->name, window->volume) != 0)
			continue;
		for (size_t j = 0; j < volume->n_partitions; j++)
			if (is_of(window->entry, &volume->partitions[j]))
				return &volume->partitions[j];
	}
	return NULL;
}

static struct rule find_rule(const struct window *window, const struct config *config)
{
	const struct partition *partition = find_partition(window, config);
	const struct access *node = &window->device->node;
	struct rule rule = { .perm = node->perm };
	unsigned int number;

	rule.uid = parse_number(node->uid, &number) ? number : (uid_t)-1;
	rule.gid = parse_number(node->gid, &number) ? number : (gid_t)-1;
	if (!partition)
		return rule;
	if (partition->node.owner || partition->node.group || partition->has_perm)
		rule.perm = partition->has_perm	   ? partition->node.perm :
			    partition->node.group ? 0660 : 0600;
	if (partition->node.owner)
		rule.uid = find_user(partition->node.owner);
	if (partition->node.group)
		rule.gid = find_group(partition->node.group);
	return rule;
}

static bool is_in_group(uid_t uid, gid_t gid)
{
	_cleanup_(freep) char *buffer = malloc(NSS_BUFFER_SIZE);
	_cleanup_(freep) gid_t *groups = NULL;
	struct passwd entry, *found = NULL;
	int n = 0;

	if (buffer)
		(void)getpwuid_r(uid, &entry, buffer, NSS_BUFFER_SIZE, &found);
	if (!found || gid == (gid_t)-1)
		return false;
	(void)getgrouplist(found->pw_name, found->pw_gid, NULL, &n); /* says how many */
	groups = n > 0 && n <= GROUPS_MAX ? calloc((size_t)n, sizeof(*groups)) : NULL;
	if (!groups || getgrouplist(found->pw_name, found->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

bool window_admits(const struct window *window, const struct config *config, uid_t uid,
		   bool read_only)
{
	unsigned int want = read_only ? READ : READ | WRITE, bits;
	struct rule rule;

	if (uid == 0)
		return true;
	rule = find_rule(window, config);
	if (rule.uid != (uid_t)-1 && uid == rule.uid)
		bits = rule.perm >> 6;
	else if (is_in_group(uid, rule.gid))
		bits = rule.perm >> 3;
	else
		bits = rule.perm;
	return (bits & want) == want;
}
