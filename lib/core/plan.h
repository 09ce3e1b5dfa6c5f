/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what is wanted and what is there to the steps between.  plan_build() is a pure
 * function: the same config, topology and options give the same plan, byte for byte in JSON.
 * A plan for a machine that is as configured has no steps.
 */
#ifndef DAXD_CORE_PLAN_H
#define DAXD_CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/config.h"
#include "core/step.h"
#include "core/topology.h"

/* What the machine has that differs from the configuration: one line of drift. */
struct drift {
	char *volume;
	char *attribute; /* "size", "mode", "zone", ... */
	char *have, *want;
};

struct plan {
	uint64_t digest; /* topology_digest() of what it is about, as it was made for */
	uint64_t holders; /* topology_holders_digest() of the regions it takes something away in */
	char **regions; /* paths of those it was judged by; those of its steps count, too */
	size_t n_regions;
	struct step *steps;
	size_t n_steps;
	struct drift *drifts;
	size_t n_drifts;
	size_t n_destructive;
};

void plan_free(struct plan *plan);
DEFINE_FREEP(struct plan, plan)

/*
 * Refusals (no such region, does not fit, not possible there) go to the report with pointers
 * into the configuration; *ret is set only when there were none.  Whether destructive steps may
 * run is the caller's decision: they are in the plan, marked, and counted.
 */
int plan_build(const struct config *config, const struct topology *topology, struct plan **ret,
	       struct report *report);

/*
 * The same, leaving out the volumes that are refused: what can be had of a configuration.
 * lossless refuses volumes for which a step would be destructive, too.  The report names all
 * that were left out.  0, or -ENOMEM.
 */
int plan_build_possible(const struct config *config, const struct topology *topology,
			bool lossless, struct plan **ret, struct report *report);

/* One line of JSON, or indented; NULL: no memory. */
char *plan_to_json(const struct plan *plan, bool indent);
int plan_parse(const char *text, size_t length, struct plan **ret, struct report *report);

/* Live state as a configuration that plans to nothing; what it cannot express goes to notes. */
int export_config(const struct topology *topology, struct config **ret, struct report *notes);

#endif
