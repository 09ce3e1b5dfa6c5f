/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply without daxd: plan, run the plan by a worker, and again when the machine changed. */
#ifndef DAXCTL_EXT_APPLYING_H
#define DAXCTL_EXT_APPLYING_H

#include "cli.h"
#include "client.h"
#include "core/config.h"

struct applying {
	bool allow_data_loss, dry_run;
	struct plan *plan; /* to begin with, which is taken; NULL: it is made */
	size_t n_steps;	   /* of the plan that was carried out in the end */
};

/* config NULL: the host's own. */
enum cli_exit applying_run(struct cli *cli, struct client *client, const struct config *config,
			   struct applying *options);

#endif
