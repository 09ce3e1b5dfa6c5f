/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libdevmapper, loaded when there are maps to read or to change: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_DM_LIBRARY_H
#define DAXD_EXEC_KERNEL_DM_LIBRARY_H

#include <libdevmapper.h>

#include "base/error.h"

#define DM_FUNCTIONS(X) \
	X(dm_get_next_target) \
	X(dm_hold_control_dev) \
	X(dm_log_with_errno_init) \
	X(dm_task_add_target) \
	X(dm_task_create) \
	X(dm_task_destroy) \
	X(dm_task_get_errno) \
	X(dm_task_get_info) \
	X(dm_task_get_uuid) \
	X(dm_task_no_flush) \
	X(dm_task_run) \
	X(dm_task_set_major_minor) \
	X(dm_task_set_name) \
	X(dm_task_set_ro) \
	X(dm_task_set_uuid) \
	X(dm_task_skip_lockfs) \
	X(dm_udev_set_sync_support)

#define DM_MEMBER(name) __typeof__(&name) of_##name;
struct dm_library {
	DM_FUNCTIONS(DM_MEMBER)
};
#undef DM_MEMBER

/* Filled once, by dm_library_load(). */
extern struct dm_library dm_library;
int dm_library_load(struct error *reterr);

#define dm_get_next_target (dm_library.of_dm_get_next_target)
#define dm_hold_control_dev (dm_library.of_dm_hold_control_dev)
#define dm_log_with_errno_init (dm_library.of_dm_log_with_errno_init)
#define dm_task_add_target (dm_library.of_dm_task_add_target)
#define dm_task_create (dm_library.of_dm_task_create)
#define dm_task_destroy (dm_library.of_dm_task_destroy)
#define dm_task_get_errno (dm_library.of_dm_task_get_errno)
#define dm_task_get_info (dm_library.of_dm_task_get_info)
#define dm_task_get_uuid (dm_library.of_dm_task_get_uuid)
#define dm_task_no_flush (dm_library.of_dm_task_no_flush)
#define dm_task_run (dm_library.of_dm_task_run)
#define dm_task_set_major_minor (dm_library.of_dm_task_set_major_minor)
#define dm_task_set_name (dm_library.of_dm_task_set_name)
#define dm_task_set_ro (dm_library.of_dm_task_set_ro)
#define dm_task_set_uuid (dm_library.of_dm_task_set_uuid)
#define dm_task_skip_lockfs (dm_library.of_dm_task_skip_lockfs)
#define dm_udev_set_sync_support (dm_library.of_dm_udev_set_sync_support)

#endif
