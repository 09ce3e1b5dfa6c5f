/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks whose partitions are daxd's by their own policy, whether the host's configuration names
 * them or not: what is to be done so that their maps are as their tables say.
 */
#ifndef DAXD_DISKS_H
#define DAXD_DISKS_H

#include "core/plan.h"
#include "core/topology.h"

/*
 * *ret (NULL: there are no such disks) loses nothing.  Its volumes are called as the namespaces
 * are, so that its drifts say of each what has to wait.  -ENOMEM.
 */
int disks_plan(const struct topology *topology, struct plan **ret);

#endif
