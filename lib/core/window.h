/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows: those partitions of a dax character device that can be handed out by name.  A name
 * becomes a file and a link, so not every name of a table will do, and none that is there twice.
 */
#ifndef DAXD_CORE_WINDOW_H
#define DAXD_CORE_WINDOW_H

#include <stdbool.h>

#include "core/table.h"
#include "core/topology.h"

/* Letters, digits, '.', '_' and '-', beginning with a letter or a digit. */
bool window_name_is_valid(const char *name);
/* Has it such a name, alone in its table, and does it lie on whole pages of the device? */
bool table_is_window(const struct partition_table *table, size_t index, uint64_t size,
		     uint64_t align);

/* A window of a machine; borrows all of it. */
struct window {
	const struct table_entry *entry;
	const struct namespace *ns;
	const struct dax_device *device;
	const char *volume; /* NULL: the device is no volume's */
};

struct windows {
	struct window *windows; /* in order of name */
	size_t n;
};

/*
 * Those of all devices.  A name that two devices have is nobody's: of each such, *twice (when
 * not NULL) is called once.  -ENOMEM.
 */
int windows_find(const struct topology *topology, struct windows *ret,
		 void (*twice)(void *userdata, const char *name), void *userdata);
void windows_clear(struct windows *windows);
/* By the name of its partition, or NULL. */
const struct window *windows_by_name(const struct windows *windows, const char *name);

#endif
