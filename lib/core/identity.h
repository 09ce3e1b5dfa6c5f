/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a namespace tells, boot after boot, that it is a certain volume. */
#ifndef DAXD_CORE_IDENTITY_H
#define DAXD_CORE_IDENTITY_H

#include "core/config.h"
#include "core/topology.h"

/*
 * The uuid a volume's namespace gets.  It is made from the host's seed, the name and the mode,
 * so a second try after a crash finds what the first one began, and a namespace tells for ever
 * whether its contents were meant to persist (devdax) or were RAM.
 */
struct uuid volume_uuid(const struct uuid *seed, const char *name, enum volume_mode mode);
/* The info block needs a uuid of its own: the kernel refuses one that is in use on the bus. */
struct uuid volume_info_uuid(const struct uuid *uuid);

/*
 * The uuids of a partition, and of a new table: the same at each try.  What daxd did not make has
 * a kernel name, which is another's after a boot, so the disk's uuid stands for it.
 */
struct uuid partition_uuid(const struct uuid *seed, const struct volume *volume,
			   const struct namespace *ns, const char *name);
struct uuid table_uuid(const struct uuid *seed, const struct volume *volume,
		       const struct namespace *ns);

#endif
