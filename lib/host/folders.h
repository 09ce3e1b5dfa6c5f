/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's configuration: the *.json files of a few folders, put together.  A file of a later
 * folder replaces the one of the same name; an empty one switches it off.  A file with
 * mistakes, or one that contradicts those before it, is named and left out: the others count.
 */
#ifndef DAXD_HOST_FOLDERS_H
#define DAXD_HOST_FOLDERS_H

#include "core/config.h"

/* Where it is; ends with NULL. */
extern const char *const folders_of_host[];

/* folders ends with NULL.  Mistakes are added; -ENOMEM is the only failure. */
int folders_load(const char *const folders[], struct config **ret, struct report *mistakes);

/*
 * Which files there are, and when they were last written: another text when something has
 * changed.  The caller frees; NULL: no memory.
 */
char *folders_stamp(const char *const folders[]);
/* Are all files of the stamp as they were? There may be more now. */
bool folders_are_kept(const char *stamp, const char *now);

#endif
