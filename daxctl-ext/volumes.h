/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topology as people see it: in each region, volumes.  A volume is a namespace, with the dax
 * device that it may have, or a device of a dynamic region, with the record that names it.
 * Nothing is owned but the array; all pointers are into the topology.
 */
#ifndef DAXCTL_EXT_VOLUMES_H
#define DAXCTL_EXT_VOLUMES_H

#include "core/topology.h"

struct volume_view {
	const struct region *region;
	const struct namespace *ns;	 /* NULL in dynamic regions */
	const struct dax_device *device; /* NULL: a namespace without one */
	const struct record *record;	 /* NULL: none, or a namespace */
	const char *title;		 /* the volume's name, else that of the kernel */
	const char *mode;		 /* devdax, fsdax, system-ram, sector, raw */
	uint64_t size;			 /* what it takes of its region */
};

struct volumes {
	struct volume_view *views; /* in order of the topology; devices of size 0 are left out */
	size_t n;
};

void volumes_clear(struct volumes *volumes);
/* -ENOMEM */
int volumes_fill(struct volumes *volumes, const struct topology *topology);

/* The volume's own name, or NULL. */
const char *volume_name(const struct volume_view *view);
/* Is it called that: volume, daxX.Y, X.Y, pmemN, namespaceX.Y, any path of its node, or uuid? */
bool volume_is_called(const struct volume_view *view, const char *name);

/* Holder number i of its namespace and its device together; NULL ends them. */
const struct holder *volume_holder(const struct volume_view *view, size_t i);
/* What its name leaves to be said: "pid 12", "device-mapper on top of it". */
struct holder_text {
	char text[192];
};
struct holder_text holder_describe(const struct holder *holder);

#endif
