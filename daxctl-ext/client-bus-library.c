/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client-bus-library.h"

#include "base/library.h"
#include "base/macro.h"

struct bus_library bus_library;

int bus_library_load(struct error *reterr)
{
#define ENTRY(name) { #name, offsetof(struct bus_library, of_##name) },
	static const struct library_function functions[] = { BUS_FUNCTIONS(ENTRY) };
#undef ENTRY
	static void *library;

	return library_load(&library, "libsystemd.so.0", "libsystemd0", functions,
			    ARRAY_SIZE(functions), &bus_library, reterr);
}
