/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-blkid-library.h"

#include "base/library.h"
#include "base/macro.h"

struct blkid_library blkid_library;

int blkid_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct blkid_library, of_##name) },
	static const struct library_function functions[] = { BLKID_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libblkid.so.1", "libblkid1", functions,
			    ARRAY_SIZE(functions), &blkid_library, reterr);
}
