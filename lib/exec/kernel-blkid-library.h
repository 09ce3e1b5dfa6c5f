/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libblkid, loaded when there is a disk whose table is to be read: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_BLKID_LIBRARY_H
#define DAXD_EXEC_KERNEL_BLKID_LIBRARY_H

#include <blkid/blkid.h>

#include "base/error.h"

#define BLKID_FUNCTIONS(X) \
	X(blkid_do_fullprobe) \
	X(blkid_do_safeprobe) \
	X(blkid_free_probe) \
	X(blkid_new_probe) \
	X(blkid_partition_get_name) \
	X(blkid_partition_get_partno) \
	X(blkid_partition_get_size) \
	X(blkid_partition_get_start) \
	X(blkid_partition_get_type_string) \
	X(blkid_partition_get_uuid) \
	X(blkid_partition_is_extended) \
	X(blkid_partlist_get_partition) \
	X(blkid_partlist_get_table) \
	X(blkid_partlist_numof_partitions) \
	X(blkid_parttable_get_id) \
	X(blkid_probe_enable_partitions) \
	X(blkid_probe_enable_superblocks) \
	X(blkid_probe_get_partitions) \
	X(blkid_probe_get_sectorsize) \
	X(blkid_probe_lookup_value) \
	X(blkid_probe_set_device) \
	X(blkid_probe_set_partitions_flags) \
	X(blkid_probe_set_sectorsize)

#define BLKID_MEMBER(name) __typeof__(&name) of_##name;
struct blkid_library {
	BLKID_FUNCTIONS(BLKID_MEMBER)
};
#undef BLKID_MEMBER

/* Filled once, by blkid_library_load(). */
extern struct blkid_library blkid_library;
int blkid_library_load(struct error *reterr);

#define blkid_do_fullprobe (blkid_library.of_blkid_do_fullprobe)
#define blkid_do_safeprobe (blkid_library.of_blkid_do_safeprobe)
#define blkid_free_probe (blkid_library.of_blkid_free_probe)
#define blkid_new_probe (blkid_library.of_blkid_new_probe)
#define blkid_partition_get_name (blkid_library.of_blkid_partition_get_name)
#define blkid_partition_get_partno (blkid_library.of_blkid_partition_get_partno)
#define blkid_partition_get_size (blkid_library.of_blkid_partition_get_size)
#define blkid_partition_get_start (blkid_library.of_blkid_partition_get_start)
#define blkid_partition_get_type_string (blkid_library.of_blkid_partition_get_type_string)
#define blkid_partition_get_uuid (blkid_library.of_blkid_partition_get_uuid)
#define blkid_partition_is_extended (blkid_library.of_blkid_partition_is_extended)
#define blkid_partlist_get_partition (blkid_library.of_blkid_partlist_get_partition)
#define blkid_partlist_get_table (blkid_library.of_blkid_partlist_get_table)
#define blkid_partlist_numof_partitions (blkid_library.of_blkid_partlist_numof_partitions)
#define blkid_parttable_get_id (blkid_library.of_blkid_parttable_get_id)
#define blkid_probe_enable_partitions (blkid_library.of_blkid_probe_enable_partitions)
#define blkid_probe_enable_superblocks (blkid_library.of_blkid_probe_enable_superblocks)
#define blkid_probe_get_partitions (blkid_library.of_blkid_probe_get_partitions)
#define blkid_probe_get_sectorsize (blkid_library.of_blkid_probe_get_sectorsize)
#define blkid_probe_lookup_value (blkid_library.of_blkid_probe_lookup_value)
#define blkid_probe_set_device (blkid_library.of_blkid_probe_set_device)
#define blkid_probe_set_partitions_flags (blkid_library.of_blkid_probe_set_partitions_flags)
#define blkid_probe_set_sectorsize (blkid_library.of_blkid_probe_set_sectorsize)

#endif
