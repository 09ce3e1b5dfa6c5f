/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libpmem2, loaded when a table is written through a mapping: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_PMEM_LIBRARY_H
#define DAXD_EXEC_KERNEL_PMEM_LIBRARY_H

#include <libpmem2.h>

#include "base/error.h"

#define PMEM_FUNCTIONS(X) \
	X(pmem2_config_delete) \
	X(pmem2_config_new) \
	X(pmem2_config_set_length) \
	X(pmem2_config_set_offset) \
	X(pmem2_config_set_required_store_granularity) \
	X(pmem2_errormsg) \
	X(pmem2_get_persist_fn) \
	X(pmem2_map_delete) \
	X(pmem2_map_get_address) \
	X(pmem2_map_new) \
	X(pmem2_source_delete) \
	X(pmem2_source_from_fd)

#define PMEM_MEMBER(name) __typeof__(&name) of_##name;
struct pmem_library {
	PMEM_FUNCTIONS(PMEM_MEMBER)
};
#undef PMEM_MEMBER

extern struct pmem_library pmem_library;
int pmem_library_load(struct error *reterr);

#define pmem2_config_delete (pmem_library.of_pmem2_config_delete)
#define pmem2_config_new (pmem_library.of_pmem2_config_new)
#define pmem2_config_set_length (pmem_library.of_pmem2_config_set_length)
#define pmem2_config_set_offset (pmem_library.of_pmem2_config_set_offset)
#define pmem2_config_set_required_store_granularity (pmem_library.of_pmem2_config_set_required_store_granularity)
#define pmem2_errormsg (pmem_library.of_pmem2_errormsg)
#define pmem2_get_persist_fn (pmem_library.of_pmem2_get_persist_fn)
#define pmem2_map_delete (pmem_library.of_pmem2_map_delete)
#define pmem2_map_get_address (pmem_library.of_pmem2_map_get_address)
#define pmem2_map_new (pmem_library.of_pmem2_map_new)
#define pmem2_source_delete (pmem_library.of_pmem2_source_delete)
#define pmem2_source_from_fd (pmem_library.of_pmem2_source_from_fd)

#endif
