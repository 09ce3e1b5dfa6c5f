/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding things in a topology by what the configuration says of them, in logarithmic time:
 * regions by selector, namespaces by label or uuid.  A match only borrows the topology.
 */
#ifndef DAXD_CORE_MATCH_H
#define DAXD_CORE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/topology.h"

/* A namespace and the region it lies in. */
struct place {
	const struct region *region;
	const struct namespace *ns;
};

struct match;

/* -ENOMEM */
int match_new(const struct topology *topology, struct match **ret);
void match_free(struct match *match);
DEFINE_FREEP(struct match, match)

bool selector_admits(const struct selector *selector, const struct region *region);
/*
 * Up to max regions that the selector admits, in topology order of the key that narrows most;
 * returns how many were stored.
 */
size_t match_regions(const struct match *match, const struct selector *selector,
		     const struct region **regions, size_t max);
/* The region that holds an address, or NULL. */
const struct region *match_region_at(const struct match *match, uint64_t address);
/* Namespaces with this label: their number, and the first of a run in *ret. */
size_t match_label(const struct match *match, const char *label, const struct place **ret);
/* The namespace with this uuid, in its label or (as ndctl shows it) its info block, or NULL. */
const struct place *match_uuid(const struct match *match, const struct uuid *uuid);

#endif
