/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is a topology that was read from a document one that a machine can have?  The planner relies
 * on it: ranges do not wrap, lie in their region and do not overlap, names are unique.  To be
 * called before topology_sort(), while the order is still that of the document.
 */
#ifndef DAXD_CORE_TOPOLOGY_CHECK_H
#define DAXD_CORE_TOPOLOGY_CHECK_H

#include "base/error.h"
#include "core/topology.h"

void topology_check(const struct topology *topology, struct report *report);

#endif
