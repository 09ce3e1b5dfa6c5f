/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a name on the command line means.  Labels need not be unique, and may be what the kernel
 * calls another device: who is to change something must not have to guess which.
 */
#ifndef DAXCTL_EXT_MEANING_H
#define DAXCTL_EXT_MEANING_H

#include "base/error.h"
#include "volumes.h"

/*
 * Does the name mean more than one thing of that region (NULL: of any)?  Then it is refused, with
 * all that it means and what to say instead.  "all" means one thing unless something is called so.
 */
bool meaning_refuse_several(struct report *problems, const struct topology *topology,
			    const struct volumes *volumes, const char *name, const char *region);
/* X, regionX, all, or the kernel's name of the region; NULL is all. */
bool meaning_region_is(const struct region *region, const char *name);

#endif
