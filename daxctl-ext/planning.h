/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What plan and apply have in common: from the configuration and the machine to a plan, and
 * the plan as people want to read it.
 */
#ifndef DAXCTL_EXT_PLANNING_H
#define DAXCTL_EXT_PLANNING_H

#include "cli.h"
#include "client.h"
#include "core/plan.h"
#include "documents.h"

/* Read the configuration; also refuses what this version cannot do yet. */
enum cli_exit planning_load(struct cli *cli, char *const args[], struct config **ret);
/* Look at the machine and plan. */
enum cli_exit planning_make(struct cli *cli, const struct config *config,
			    struct client *client, struct plan **ret);
/*
 * Who holds what takes long to find, and is in the way of what takes something away alone: the
 * plan, if it can be made and does nothing of that kind, or NULL.
 */
struct plan *planning_make_quickly(const struct config *config, struct client *client);
/*
 * daxd's plan for what can be had of the host's own configuration; what cannot is added to the
 * problems, and is no failure: CLI_PARTIAL is for when everything else has gone well.
 */
enum cli_exit planning_make_host(struct cli *cli, struct client *client, struct plan **ret);
/* Read a plan that daxd made. */
enum cli_exit planning_read(struct cli *cli, const char *text, struct plan **ret);
/* Print it as the options say; indent: of JSON, on a terminal. */
enum cli_exit planning_show(struct cli *cli, const struct plan *plan, bool indent);

/* Was something left out of the plan? Then the problems say what. */
bool planning_is_partial(const struct cli *cli, const struct config *config);
/* CLI_REFUSED, and a problem that says so, when there are steps that lose data. */
enum cli_exit planning_check_losses(struct cli *cli, const struct plan *plan, bool allowed);

/* Steps that lose data, drift, all steps, and a line that sums it up. */
void planning_print(const struct cli *cli, const struct plan *plan);
/* "create-namespace vm-a in region0: devdax 16G", with its number; the caller frees; or NULL. */
char *planning_step_text(const struct plan *plan, size_t step);
/* Does any step belong to this volume? */
bool planning_has_steps(const struct plan *plan, const char *volume);

#endif
