/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-kmod-library.h"

#include "base/library.h"
#include "base/macro.h"

struct kmod_library kmod_library;

int kmod_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct kmod_library, of_##name) },
	static const struct library_function functions[] = { KMOD_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libkmod.so.2", "libkmod2", functions,
			    ARRAY_SIZE(functions), &kmod_library, reterr);
}
