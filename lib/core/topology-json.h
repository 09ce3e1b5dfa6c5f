/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A topology as JSON: what status --json prints, what plan --topology reads, what fixtures are
 * kept in.  Reading is as strict as for configurations.
 */
#ifndef DAXD_CORE_TOPOLOGY_JSON_H
#define DAXD_CORE_TOPOLOGY_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/json-write.h"
#include "core/scope.h"
#include "core/topology.h"

#define TOPOLOGY_VERSION 1
#define TOPOLOGY_SIZE_MAX (256u << 20)

/* NULL: no memory. */
char *topology_to_json(const struct topology *topology, bool indent);
int topology_parse(const char *text, size_t length, struct topology **ret, struct report *report);
/* A number that changes when anything in a scope but holders changes (FNV-1a of the JSON). */
uint64_t topology_digest(const struct topology *topology, const struct scope *scope);
/* Who holds something, as an object of an array. */
void holder_put(struct json_out *out, const struct holder *holder);
/* Does a line of a worker begin as one of these, and not as an event? */
bool topology_is_line(const char *line);
/* Of the regions of a scope, with who holds what in them; 0: there are none. */
uint64_t topology_holders_digest(const struct topology *topology, const struct scope *scope);

#endif
