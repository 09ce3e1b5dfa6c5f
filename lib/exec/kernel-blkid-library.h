/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libblkid, loaded when a device may have contents: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_BLKID_LIBRARY_H
#define DAXD_EXEC_KERNEL_BLKID_LIBRARY_H

#include <blkid/blkid.h>

#include "base/error.h"

#define BLKID_FUNCTIONS(X) \
	X(blkid_do_safeprobe) \
	X(blkid_encode_string) \
	X(blkid_free_probe) \
	X(blkid_new_probe) \
	X(blkid_partition_get_flags) \
	X(blkid_partition_get_name) \
	X(blkid_partition_get_size) \
	X(blkid_partition_get_start) \
	X(blkid_partition_get_table) \
	X(blkid_partition_get_type) \
	X(blkid_partition_get_type_string) \
	X(blkid_partition_get_uuid) \
	X(blkid_partlist_get_partition_by_partno) \
	X(blkid_parttable_get_type) \
	X(blkid_probe_enable_partitions) \
	X(blkid_probe_enable_superblocks) \
	X(blkid_probe_get_partitions) \
	X(blkid_probe_get_value) \
	X(blkid_probe_lookup_value) \
	X(blkid_probe_numof_values) \
	X(blkid_probe_set_device) \
	X(blkid_probe_set_sectorsize) \
	X(blkid_probe_set_superblocks_flags) \
	X(blkid_safe_string)

#define BLKID_MEMBER(name) __typeof__(&name) of_##name;
struct blkid_library {
	BLKID_FUNCTIONS(BLKID_MEMBER)
};
#undef BLKID_MEMBER

extern struct blkid_library blkid_library;
int blkid_library_load(struct error *reterr);

#define blkid_do_safeprobe (blkid_library.of_blkid_do_safeprobe)
#define blkid_encode_string (blkid_library.of_blkid_encode_string)
#define blkid_free_probe (blkid_library.of_blkid_free_probe)
#define blkid_new_probe (blkid_library.of_blkid_new_probe)
#define blkid_partition_get_flags (blkid_library.of_blkid_partition_get_flags)
#define blkid_partition_get_name (blkid_library.of_blkid_partition_get_name)
#define blkid_partition_get_size (blkid_library.of_blkid_partition_get_size)
#define blkid_partition_get_start (blkid_library.of_blkid_partition_get_start)
#define blkid_partition_get_table (blkid_library.of_blkid_partition_get_table)
#define blkid_partition_get_type (blkid_library.of_blkid_partition_get_type)
#define blkid_partition_get_type_string (blkid_library.of_blkid_partition_get_type_string)
#define blkid_partition_get_uuid (blkid_library.of_blkid_partition_get_uuid)
#define blkid_partlist_get_partition_by_partno \
	(blkid_library.of_blkid_partlist_get_partition_by_partno)
#define blkid_parttable_get_type (blkid_library.of_blkid_parttable_get_type)
#define blkid_probe_enable_partitions (blkid_library.of_blkid_probe_enable_partitions)
#define blkid_probe_enable_superblocks (blkid_library.of_blkid_probe_enable_superblocks)
#define blkid_probe_get_partitions (blkid_library.of_blkid_probe_get_partitions)
#define blkid_probe_get_value (blkid_library.of_blkid_probe_get_value)
#define blkid_probe_lookup_value (blkid_library.of_blkid_probe_lookup_value)
#define blkid_probe_numof_values (blkid_library.of_blkid_probe_numof_values)
#define blkid_probe_set_device (blkid_library.of_blkid_probe_set_device)
#define blkid_probe_set_sectorsize (blkid_library.of_blkid_probe_set_sectorsize)
#define blkid_probe_set_superblocks_flags (blkid_library.of_blkid_probe_set_superblocks_flags)
#define blkid_safe_string (blkid_library.of_blkid_safe_string)

#endif
