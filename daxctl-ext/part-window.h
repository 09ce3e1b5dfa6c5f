/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The windows of a dax device, as part-list.h has the partitions of a disk. */
#ifndef DAXCTL_EXT_PART_WINDOW_H
#define DAXCTL_EXT_PART_WINDOW_H

#include "core/json-write.h"
#include "table.h"
#include "volumes.h"

/* May it have windows? */
bool part_window_is_possible(const struct volume_view *view);
void part_window_put(struct json_out *out, const struct volume_view *view);
void part_window_add_rows(struct table *out, const struct volume_view *view);
/* Of an entry of its table: "window", or why it is none; static. */
const char *part_window_state(const struct dax_device *device, size_t index);

#endif
