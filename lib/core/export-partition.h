/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the table of a namespace has, as the partitions of a volume. */
#ifndef DAXD_CORE_EXPORT_PARTITION_H
#define DAXD_CORE_EXPORT_PARTITION_H

#include "core/config.h"
#include "core/topology.h"

/*
 * All partitions of a table or none: what cannot be said is a note, since half of them would make
 * half a machine.  volume has its mode; -ENOMEM.
 */
int export_partitions(const struct topology *topology, const struct namespace *ns,
		      struct volume *volume, struct report *notes);

#endif
