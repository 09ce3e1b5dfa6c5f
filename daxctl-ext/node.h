/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device nodes by whatever path somebody gives: a link, or a node made elsewhere. */
#ifndef DAXCTL_EXT_NODE_H
#define DAXCTL_EXT_NODE_H

#include <stdbool.h>

#include "core/topology.h"

/*
 * Is path the node of the kernel's device (dax1.0, pmem0)?  By its name, by the link it is
 * published under, or by its number.
 */
bool node_is(const char *path, const char *device, const struct access *node);

#endif
