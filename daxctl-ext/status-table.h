/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as a table for people: regions, below each its volumes, and below each of those
 * who uses it.
 */
#ifndef DAXCTL_EXT_STATUS_TABLE_H
#define DAXCTL_EXT_STATUS_TABLE_H

#include "cli.h"
#include "core/topology.h"

#define STATUS_COLUMNS_MAX 16

struct status_columns {
	int columns[STATUS_COLUMNS_MAX];
	size_t n;
};

/* "name,size,uuid"; NULL: the usual ones. */
enum cli_exit status_columns_parse(struct cli *cli, const char *text, struct status_columns *ret);
enum cli_exit status_table_print(struct cli *cli, const struct topology *topology,
				 const struct status_columns *columns);

#endif
