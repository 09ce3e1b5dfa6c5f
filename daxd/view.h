/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration and topology as the objects that others see: regions, namespaces, devices and
 * volumes, in the order of kind and name, so that two views can be compared side by side.  A
 * view borrows all it points to.
 */
#ifndef DAXD_VIEW_H
#define DAXD_VIEW_H

#include "core/config.h"
#include "core/plan.h"
#include "core/topology.h"
#include "standing.h"

enum object_kind {
	OBJECT_REGION,
	OBJECT_NAMESPACE,
	OBJECT_DEVICE,
	OBJECT_VOLUME,
};
#define N_OBJECT_KINDS 4

struct object {
	enum object_kind kind;
	const char *name;
	const struct region *region; /* it is, or is in; NULL for a volume */
	const struct namespace *ns;
	const struct plan *disks; /* for disks, of a namespace; NULL: nothing to do */
	const struct dax_device *device;
	const struct volume *volume;
	const struct standing *standing;
};

struct view {
	struct object *objects;
	size_t n;
};

/* topology may be NULL; -ENOMEM. */
int view_make(const struct config *config, const struct standings *standings,
	      const struct topology *topology, const struct plan *disks, struct view *ret);
void view_clear(struct view *view);
const struct object *view_find(const struct view *view, enum object_kind kind, const char *name);
/* <0, 0, >0: by kind, then name. */
int object_compare(const struct object *a, const struct object *b);

#endif
