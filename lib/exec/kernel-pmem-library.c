/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-pmem-library.h"

#include "base/library.h"
#include "base/macro.h"

struct pmem_library pmem_library;

int pmem_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct pmem_library, of_##name) },
	static const struct library_function functions[] = { PMEM_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libpmem2.so.1", "libpmem2", functions,
			    ARRAY_SIZE(functions), &pmem_library, reterr);
}
