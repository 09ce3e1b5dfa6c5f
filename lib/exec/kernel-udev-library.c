/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-udev-library.h"

#include "base/library.h"
#include "base/macro.h"

struct udev_library udev_library;

int udev_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct udev_library, of_##name) },
	static const struct library_function functions[] = { UDEV_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libudev.so.1", functions, ARRAY_SIZE(functions), &udev_library,
			    reterr);
}
