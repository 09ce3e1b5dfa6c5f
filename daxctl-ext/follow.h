/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply by daxd: ask for a job, and show it until it ends. */
#ifndef DAXCTL_EXT_FOLLOW_H
#define DAXCTL_EXT_FOLLOW_H

#include "cli.h"
#include "client-bus.h"
#include "core/config.h"

/* config NULL: the host's own. n_steps: of the plan that was carried out; NULL: not asked for. */
enum cli_exit follow_apply(struct cli *cli, struct bus *bus, const struct config *config,
			   bool allow_data_loss, size_t *n_steps);

#endif
