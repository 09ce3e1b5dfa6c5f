/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client-bus-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"

struct bus_library bus_library;

int bus_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct bus_library, of_##name) },
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = { BUS_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library; /* stays until the program ends */

	if (library)
		return 0;
	library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (function) {
			memcpy((char *)&bus_library + functions[i].offset, &function,
			       sizeof(function));
			continue;
		}
		(void)dlclose(library); /* it is not the one we know */
		library = NULL;
	}
	if (library)
		return 0;
	return error_set(reterr, ELIBACC, "Cannot load libsystemd.so.0: %s.", dlerror() ?: "it lacks functions");
}
