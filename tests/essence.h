/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a machine is the same wherever the same was done to it. */
#ifndef DAXD_TESTS_ESSENCE_H
#define DAXD_TESTS_ESSENCE_H

#include "core/topology.h"

/* The topology as text, after all else in it was forgotten; NULL: no memory. */
char *topology_essence(struct topology *topology);

#endif
