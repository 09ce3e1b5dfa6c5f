/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who else does at boot, behind our back, what the configuration says: sections for daxctl,
 * the kernel's policy for new memory, udev rules that put memory online.  Each is a note that
 * says what to do; nothing is changed.
 */
#ifndef DAXD_RIVALS_H
#define DAXD_RIVALS_H

#include "core/config.h"
#include "core/topology.h"

/*
 * Add the notes.  topology is the machine before we have touched it; root (normally "") goes
 * before the paths of files.  What cannot be read is passed over.
 */
void rivals_find(const char *root, const struct config *config, const struct topology *topology,
		 struct report *notes);

#endif
