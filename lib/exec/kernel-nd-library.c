/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-nd-library.h"

#include "base/library.h"
#include "base/macro.h"

struct nd_library nd_library;

int nd_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct nd_library, of_##name) },
	static const struct library_function functions[] = { ND_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libndctl.so.6", "libndctl6", functions,
			    ARRAY_SIZE(functions), &nd_library, reterr);
}
