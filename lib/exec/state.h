/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records file: what was made in regions that forget, for whom.  The kernel keeps no name
 * of a device of a dynamic region, so this file is the only place that knows which volume has
 * which ranges.  A missing file is an empty one; a damaged file is an error, because to take
 * it for an empty one would give away what it records.
 */
#ifndef DAXD_EXEC_STATE_H
#define DAXD_EXEC_STATE_H

#include <stddef.h>

#include "base/error.h"
#include "core/topology.h"

#define STATE_VERSION 1

struct state {
	struct record *records; /* in order of volume */
	size_t n_records;
};

void state_clear(struct state *state);
int state_read(const char *path, struct state *ret, struct error *reterr);
/* The record of a volume becomes this. */
struct state_change {
	const char *volume;
	const char *mode; /* NULL: the record goes, if there is one */
	const struct range_list *ranges;
	bool until_reboot;
};

/* Make all of the changes or none: the file is read and replaced once, locked. */
int state_change(const char *path, const struct state_change *changes, size_t n,
		 struct error *reterr);
/* NULL when there is none. */
const struct record *state_find(const struct state *state, const char *volume);

#endif
