/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine as a table for people: regions, and below each what is in it. */
#ifndef DAXCTL_EXT_STATUS_TABLE_H
#define DAXCTL_EXT_STATUS_TABLE_H

#include "cli.h"
#include "core/topology.h"

enum cli_exit status_table_print(struct cli *cli, const struct topology *topology);

#endif
