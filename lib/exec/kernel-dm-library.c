/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-dm-library.h"

#include "base/library.h"
#include "base/macro.h"

struct dm_library dm_library;

int dm_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct dm_library, of_##name) },
	static const struct library_function functions[] = { DM_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libdevmapper.so.1.02.1", "libdevmapper1.02.1", functions,
			    ARRAY_SIZE(functions), &dm_library, reterr);
}
