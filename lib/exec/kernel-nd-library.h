/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libndctl, loaded when a step needs it: it brings libkmod and libcrypto along, and to start with
 * them takes longer than a scan, which does without.
 */
#ifndef DAXD_EXEC_KERNEL_ND_LIBRARY_H
#define DAXD_EXEC_KERNEL_ND_LIBRARY_H

#include <ndctl/libndctl.h>

#include "base/error.h"

#define ND_FUNCTIONS(X) \
	X(ndctl_bus_get_first) \
	X(ndctl_bus_get_next) \
	X(ndctl_cmd_unref) \
	X(ndctl_dimm_disable) \
	X(ndctl_dimm_enable) \
	X(ndctl_dimm_get_available_labels) \
	X(ndctl_dimm_get_devname) \
	X(ndctl_dimm_init_labels) \
	X(ndctl_dimm_locked) \
	X(ndctl_dimm_read_label_index) \
	X(ndctl_namespace_delete) \
	X(ndctl_namespace_enable) \
	X(ndctl_namespace_get_devname) \
	X(ndctl_namespace_get_first) \
	X(ndctl_namespace_get_next) \
	X(ndctl_namespace_get_region) \
	X(ndctl_namespace_get_size) \
	X(ndctl_namespace_get_uuid) \
	X(ndctl_namespace_is_active) \
	X(ndctl_namespace_set_alt_name) \
	X(ndctl_namespace_set_enforce_mode) \
	X(ndctl_namespace_set_raw_mode) \
	X(ndctl_namespace_set_size) \
	X(ndctl_namespace_set_uuid) \
	X(ndctl_new) \
	X(ndctl_region_disable_invalidate) \
	X(ndctl_region_enable) \
	X(ndctl_region_get_bus) \
	X(ndctl_region_get_devname) \
	X(ndctl_region_get_first) \
	X(ndctl_region_get_first_dimm) \
	X(ndctl_region_get_namespace_seed) \
	X(ndctl_region_get_next) \
	X(ndctl_region_get_next_dimm) \
	X(ndctl_region_get_nstype) \
	X(ndctl_region_get_ro) \
	X(ndctl_region_is_enabled) \
	X(ndctl_set_log_fn) \
	X(ndctl_unref)

#define ND_MEMBER(name) __typeof__(&name) of_##name;
struct nd_library {
	ND_FUNCTIONS(ND_MEMBER)
};
#undef ND_MEMBER

/* Filled once, by kernel_nd_open(): nothing else has objects of the library. */
extern struct nd_library nd_library;
int nd_library_load(struct error *reterr);

#define ndctl_bus_get_first (nd_library.of_ndctl_bus_get_first)
#define ndctl_bus_get_next (nd_library.of_ndctl_bus_get_next)
#define ndctl_cmd_unref (nd_library.of_ndctl_cmd_unref)
#define ndctl_dimm_disable (nd_library.of_ndctl_dimm_disable)
#define ndctl_dimm_enable (nd_library.of_ndctl_dimm_enable)
#define ndctl_dimm_get_available_labels (nd_library.of_ndctl_dimm_get_available_labels)
#define ndctl_dimm_get_devname (nd_library.of_ndctl_dimm_get_devname)
#define ndctl_dimm_init_labels (nd_library.of_ndctl_dimm_init_labels)
#define ndctl_dimm_locked (nd_library.of_ndctl_dimm_locked)
#define ndctl_dimm_read_label_index (nd_library.of_ndctl_dimm_read_label_index)
#define ndctl_namespace_delete (nd_library.of_ndctl_namespace_delete)
#define ndctl_namespace_enable (nd_library.of_ndctl_namespace_enable)
#define ndctl_namespace_get_devname (nd_library.of_ndctl_namespace_get_devname)
#define ndctl_namespace_get_first (nd_library.of_ndctl_namespace_get_first)
#define ndctl_namespace_get_next (nd_library.of_ndctl_namespace_get_next)
#define ndctl_namespace_get_region (nd_library.of_ndctl_namespace_get_region)
#define ndctl_namespace_get_size (nd_library.of_ndctl_namespace_get_size)
#define ndctl_namespace_get_uuid (nd_library.of_ndctl_namespace_get_uuid)
#define ndctl_namespace_is_active (nd_library.of_ndctl_namespace_is_active)
#define ndctl_namespace_set_alt_name (nd_library.of_ndctl_namespace_set_alt_name)
#define ndctl_namespace_set_enforce_mode (nd_library.of_ndctl_namespace_set_enforce_mode)
#define ndctl_namespace_set_raw_mode (nd_library.of_ndctl_namespace_set_raw_mode)
#define ndctl_namespace_set_size (nd_library.of_ndctl_namespace_set_size)
#define ndctl_namespace_set_uuid (nd_library.of_ndctl_namespace_set_uuid)
#define ndctl_new (nd_library.of_ndctl_new)
#define ndctl_region_disable_invalidate (nd_library.of_ndctl_region_disable_invalidate)
#define ndctl_region_enable (nd_library.of_ndctl_region_enable)
#define ndctl_region_get_bus (nd_library.of_ndctl_region_get_bus)
#define ndctl_region_get_devname (nd_library.of_ndctl_region_get_devname)
#define ndctl_region_get_first (nd_library.of_ndctl_region_get_first)
#define ndctl_region_get_first_dimm (nd_library.of_ndctl_region_get_first_dimm)
#define ndctl_region_get_namespace_seed (nd_library.of_ndctl_region_get_namespace_seed)
#define ndctl_region_get_next (nd_library.of_ndctl_region_get_next)
#define ndctl_region_get_next_dimm (nd_library.of_ndctl_region_get_next_dimm)
#define ndctl_region_get_nstype (nd_library.of_ndctl_region_get_nstype)
#define ndctl_region_get_ro (nd_library.of_ndctl_region_get_ro)
#define ndctl_region_is_enabled (nd_library.of_ndctl_region_is_enabled)
#define ndctl_set_log_fn (nd_library.of_ndctl_set_log_fn)
#define ndctl_unref (nd_library.of_ndctl_unref)

#endif
