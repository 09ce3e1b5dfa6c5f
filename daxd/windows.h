/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The windows of the machine for others: described in /run/daxd/windows, and opened for who may
 * have them.
 */
#ifndef DAXD_WINDOWS_H
#define DAXD_WINDOWS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/config.h"
#include "core/window.h"

/*
 * Have a description of each window, and of no other.  What cannot be handed out because its
 * name is not its own is a note.
 */
void windows_publish(const struct topology *topology, struct report *notes);
/*
 * May the account open it?  Whom the configuration gives the partition to, else whom the
 * device's node belongs to; root always.
 */
bool window_admits(const struct window *window, const struct config *config, uid_t uid,
		   bool read_only);
/* A descriptor of its device, which is the one that was seen. */
int window_open(const struct window *window, bool read_only, struct error *reterr);

#endif
