/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(void **library, const char *name, const char *package,
		 const struct library_function functions[], size_t n, void *pointers,
		 struct error *reterr)
{
	if (*library)
		return 0;
	*library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; *library && i < n; i++) {
		void *function = dlsym(*library, functions[i].name);

		if (function) {
			memcpy((char *)pointers + functions[i].offset, &function, sizeof(function));
			continue;
		}
		(void)dlclose(*library); /* it is not the one we know */
		*library = NULL;
	}
	if (*library)
		return 0;
	(void)error_set(reterr, ELIBACC, "Cannot load %s: %s.", name,
			dlerror() ?: "it lacks functions");
	return error_hint(reterr, "install the package that it is in, on Debian %s.", package);
}
