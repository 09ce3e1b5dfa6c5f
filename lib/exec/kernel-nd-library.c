/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-nd-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"

struct nd_library nd_library;

int nd_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct nd_library, of_##name) },
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = { ND_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library; /* stays until the program ends */

	if (library)
		return 0;
	library = dlopen("libndctl.so.6", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (function) {
			memcpy((char *)&nd_library + functions[i].offset, &function,
			       sizeof(function));
			continue;
		}
		(void)dlclose(library); /* it is not the one we know */
		library = NULL;
	}
	if (library)
		return 0;
	return error_set(reterr, ELIBACC, "Cannot load libndctl.so.6: %s.", dlerror() ?: "it lacks functions");
}
