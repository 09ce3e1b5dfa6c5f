/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a simulated machine is the same, whichever way led there. */
#ifndef DAXD_TESTS_LIKENESS_H
#define DAXD_TESTS_LIKENESS_H

#include <stdbool.h>

#include "core/topology.h"

/*
 * As topology_essence(), and without places that the kernel has chosen; natives: with the
 * partitions that are the kernel's.  NULL: no memory.
 */
char *topology_likeness(struct topology *topology, bool natives);

#endif
