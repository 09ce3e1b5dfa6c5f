/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-kmod-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"

struct kmod_library kmod_library;

int kmod_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct kmod_library, of_##name) },
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = { KMOD_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library; /* stays until the program ends */

	if (library)
		return 0;
	library = dlopen("libkmod.so.2", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (function) {
			memcpy((char *)&kmod_library + functions[i].offset, &function,
			       sizeof(function));
			continue;
		}
		(void)dlclose(library); /* it is not the one we know */
		library = NULL;
	}
	if (library)
		return 0;
	return error_set(reterr, ELIBACC, "Cannot load libkmod.so.2: %s.", dlerror() ?: "it lacks functions");
}
