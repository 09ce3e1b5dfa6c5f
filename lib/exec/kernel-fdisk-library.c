/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-fdisk-library.h"

#include "base/library.h"
#include "base/macro.h"

struct fdisk_library fdisk_library;

int fdisk_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct fdisk_library, of_##name) },
	static const struct library_function functions[] = { FDISK_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libfdisk.so.1", "libfdisk1", functions,
			    ARRAY_SIZE(functions), &fdisk_library, reterr);
}
