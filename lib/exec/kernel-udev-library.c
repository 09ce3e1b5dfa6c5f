/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-udev-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"

struct udev_library udev_library;

int udev_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct udev_library, of_##name) },
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = { UDEV_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library; /* stays until the program ends */

	if (library)
		return 0;
	library = dlopen("libudev.so.1", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (function) {
			memcpy((char *)&udev_library + functions[i].offset, &function,
			       sizeof(function));
			continue;
		}
		(void)dlclose(library); /* it is not the one we know */
		library = NULL;
	}
	if (library)
		return 0;
	return error_set(reterr, ELIBACC, "Cannot load libudev.so.1: %s.", dlerror() ?: "it lacks functions");
}
