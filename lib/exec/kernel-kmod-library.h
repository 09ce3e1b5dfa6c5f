/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libkmod, loaded when a module is missing: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_KMOD_LIBRARY_H
#define DAXD_EXEC_KERNEL_KMOD_LIBRARY_H

#include <libkmod.h>

#include "base/error.h"

#define KMOD_FUNCTIONS(X) \
	X(kmod_list_next) \
	X(kmod_module_get_module) \
	X(kmod_module_new_from_lookup) \
	X(kmod_module_probe_insert_module) \
	X(kmod_module_unref) \
	X(kmod_module_unref_list) \
	X(kmod_new) \
	X(kmod_unref)

#define KMOD_MEMBER(name) __typeof__(&name) of_##name;
struct kmod_library {
	KMOD_FUNCTIONS(KMOD_MEMBER)
};
#undef KMOD_MEMBER

/* Filled once, by kernel_load_module(). */
extern struct kmod_library kmod_library;
int kmod_library_load(struct error *reterr);

#define kmod_list_next (kmod_library.of_kmod_list_next)
#define kmod_module_get_module (kmod_library.of_kmod_module_get_module)
#define kmod_module_new_from_lookup (kmod_library.of_kmod_module_new_from_lookup)
#define kmod_module_probe_insert_module (kmod_library.of_kmod_module_probe_insert_module)
#define kmod_module_unref (kmod_library.of_kmod_module_unref)
#define kmod_module_unref_list (kmod_library.of_kmod_module_unref_list)
#define kmod_new (kmod_library.of_kmod_new)
#define kmod_unref (kmod_library.of_kmod_unref)

#endif
