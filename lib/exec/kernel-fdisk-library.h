/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libfdisk, loaded when there is a partition table: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_FDISK_LIBRARY_H
#define DAXD_EXEC_KERNEL_FDISK_LIBRARY_H

#include <libfdisk/libfdisk.h>

#include "base/error.h"

#define FDISK_FUNCTIONS(X) \
	X(fdisk_add_partition) \
	X(fdisk_assign_device_by_fd) \
	X(fdisk_create_disklabel) \
	X(fdisk_deassign_device) \
	X(fdisk_delete_partition) \
	X(fdisk_disable_dialogs) \
	X(fdisk_enable_listonly) \
	X(fdisk_get_disklabel_id) \
	X(fdisk_get_first_lba) \
	X(fdisk_get_label) \
	X(fdisk_get_last_lba) \
	X(fdisk_get_npartitions) \
	X(fdisk_get_partition) \
	X(fdisk_has_label) \
	X(fdisk_label_get_name) \
	X(fdisk_label_is_changed) \
	X(fdisk_label_parse_parttype) \
	X(fdisk_new_context) \
	X(fdisk_new_partition) \
	X(fdisk_partition_get_name) \
	X(fdisk_partition_get_size) \
	X(fdisk_partition_get_start) \
	X(fdisk_partition_get_type) \
	X(fdisk_partition_get_uuid) \
	X(fdisk_partition_has_size) \
	X(fdisk_partition_has_start) \
	X(fdisk_partition_is_container) \
	X(fdisk_partition_is_used) \
	X(fdisk_partition_set_name) \
	X(fdisk_partition_set_partno) \
	X(fdisk_partition_set_size) \
	X(fdisk_partition_set_start) \
	X(fdisk_partition_set_type) \
	X(fdisk_partition_set_uuid) \
	X(fdisk_partition_size_explicit) \
	X(fdisk_parttype_get_code) \
	X(fdisk_parttype_get_string) \
	X(fdisk_save_user_grain) \
	X(fdisk_save_user_sector_size) \
	X(fdisk_set_disklabel_id_from_string) \
	X(fdisk_set_partition) \
	X(fdisk_unref_context) \
	X(fdisk_unref_partition) \
	X(fdisk_unref_parttype) \
	X(fdisk_write_disklabel)

#define FDISK_MEMBER(name) __typeof__(&name) of_##name;
struct fdisk_library {
	FDISK_FUNCTIONS(FDISK_MEMBER)
};
#undef FDISK_MEMBER

extern struct fdisk_library fdisk_library;
int fdisk_library_load(struct error *reterr);

#define fdisk_add_partition (fdisk_library.of_fdisk_add_partition)
#define fdisk_assign_device_by_fd (fdisk_library.of_fdisk_assign_device_by_fd)
#define fdisk_create_disklabel (fdisk_library.of_fdisk_create_disklabel)
#define fdisk_deassign_device (fdisk_library.of_fdisk_deassign_device)
#define fdisk_delete_partition (fdisk_library.of_fdisk_delete_partition)
#define fdisk_disable_dialogs (fdisk_library.of_fdisk_disable_dialogs)
#define fdisk_enable_listonly (fdisk_library.of_fdisk_enable_listonly)
#define fdisk_get_disklabel_id (fdisk_library.of_fdisk_get_disklabel_id)
#define fdisk_get_first_lba (fdisk_library.of_fdisk_get_first_lba)
#define fdisk_get_label (fdisk_library.of_fdisk_get_label)
#define fdisk_get_last_lba (fdisk_library.of_fdisk_get_last_lba)
#define fdisk_get_npartitions (fdisk_library.of_fdisk_get_npartitions)
#define fdisk_get_partition (fdisk_library.of_fdisk_get_partition)
#define fdisk_has_label (fdisk_library.of_fdisk_has_label)
#define fdisk_label_get_name (fdisk_library.of_fdisk_label_get_name)
#define fdisk_label_is_changed (fdisk_library.of_fdisk_label_is_changed)
#define fdisk_label_parse_parttype (fdisk_library.of_fdisk_label_parse_parttype)
#define fdisk_new_context (fdisk_library.of_fdisk_new_context)
#define fdisk_new_partition (fdisk_library.of_fdisk_new_partition)
#define fdisk_partition_get_name (fdisk_library.of_fdisk_partition_get_name)
#define fdisk_partition_get_size (fdisk_library.of_fdisk_partition_get_size)
#define fdisk_partition_get_start (fdisk_library.of_fdisk_partition_get_start)
#define fdisk_partition_get_type (fdisk_library.of_fdisk_partition_get_type)
#define fdisk_partition_get_uuid (fdisk_library.of_fdisk_partition_get_uuid)
#define fdisk_partition_has_size (fdisk_library.of_fdisk_partition_has_size)
#define fdisk_partition_has_start (fdisk_library.of_fdisk_partition_has_start)
#define fdisk_partition_is_container (fdisk_library.of_fdisk_partition_is_container)
#define fdisk_partition_is_used (fdisk_library.of_fdisk_partition_is_used)
#define fdisk_partition_set_name (fdisk_library.of_fdisk_partition_set_name)
#define fdisk_partition_set_partno (fdisk_library.of_fdisk_partition_set_partno)
#define fdisk_partition_set_size (fdisk_library.of_fdisk_partition_set_size)
#define fdisk_partition_set_start (fdisk_library.of_fdisk_partition_set_start)
#define fdisk_partition_set_type (fdisk_library.of_fdisk_partition_set_type)
#define fdisk_partition_set_uuid (fdisk_library.of_fdisk_partition_set_uuid)
#define fdisk_partition_size_explicit (fdisk_library.of_fdisk_partition_size_explicit)
#define fdisk_parttype_get_code (fdisk_library.of_fdisk_parttype_get_code)
#define fdisk_parttype_get_string (fdisk_library.of_fdisk_parttype_get_string)
#define fdisk_save_user_grain (fdisk_library.of_fdisk_save_user_grain)
#define fdisk_save_user_sector_size (fdisk_library.of_fdisk_save_user_sector_size)
#define fdisk_set_disklabel_id_from_string (fdisk_library.of_fdisk_set_disklabel_id_from_string)
#define fdisk_set_partition (fdisk_library.of_fdisk_set_partition)
#define fdisk_unref_context (fdisk_library.of_fdisk_unref_context)
#define fdisk_unref_partition (fdisk_library.of_fdisk_unref_partition)
#define fdisk_unref_parttype (fdisk_library.of_fdisk_unref_parttype)
#define fdisk_write_disklabel (fdisk_library.of_fdisk_write_disklabel)

#endif
