/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the volumes of the host's configuration stand, and what can be done about it without
 * losing anything.  A pure function of configuration, topology and the time that has gone by.
 */
#ifndef DAXD_STANDING_H
#define DAXD_STANDING_H

#include "core/config.h"
#include "core/plan.h"

enum volume_state {
	VOLUME_PRESENT,
	VOLUME_DIFFERS,
	VOLUME_WAITING, /* its region is not there yet */
	VOLUME_LATE,	/* nor has it come within its time */
	VOLUME_REFUSED,
};

struct standing {
	enum volume_state state;
	struct report problems;
};

/* One for each volume of the configuration, same order. */
struct standings {
	struct standing *standings;
	size_t n;
};

void standings_clear(struct standings *standings);

/*
 * topology NULL: it is not known yet, everything waits.  elapsed: seconds that volumes had to
 * come.  *ret_plan (NULL without a topology) loses nothing.  -ENOMEM.
 */
int standings_judge(const struct config *config, const struct topology *topology,
		    uint64_t elapsed, struct standings *ret, struct plan **ret_plan);
/*
 * The plan for what can be had of the configuration, losses included; left_out says of each
 * volume that cannot be had why not.  -ENOMEM.
 */
int standings_plan(const struct config *config, const struct topology *topology,
		   struct plan **ret, struct report *left_out);
/* Copy what went wrong with volumes to them, as far as it says where they are configured. */
void standings_add_failures(struct standings *standings, const struct config *config,
			    const struct report *failures);

size_t standings_count(const struct standings *standings, enum volume_state state);
bool standings_all_present(const struct standings *standings);
/* Seconds after which the first of those that wait is late; UINT64_MAX: none waits. */
uint64_t standings_next_late(const struct standings *standings, const struct config *config);

const char *volume_state_word(enum volume_state state);

#endif
