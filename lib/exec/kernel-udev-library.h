/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libudev, loaded when udev is waited for: see kernel-nd-library.h. */
#ifndef DAXD_EXEC_KERNEL_UDEV_LIBRARY_H
#define DAXD_EXEC_KERNEL_UDEV_LIBRARY_H

#include <libudev.h>

#include "base/error.h"

#define UDEV_FUNCTIONS(X) \
	X(udev_device_get_property_value) \
	X(udev_device_new_from_subsystem_sysname) \
	X(udev_device_unref) \
	X(udev_new) \
	X(udev_unref)

#define UDEV_MEMBER(name) __typeof__(&name) of_##name;
struct udev_library {
	UDEV_FUNCTIONS(UDEV_MEMBER)
};
#undef UDEV_MEMBER

/* Filled once, by kernel_trigger_udev(). */
extern struct udev_library udev_library;
int udev_library_load(struct error *reterr);

#define udev_device_get_property_value (udev_library.of_udev_device_get_property_value)
#define udev_device_new_from_subsystem_sysname (udev_library.of_udev_device_new_from_subsystem_sysname)
#define udev_device_unref (udev_library.of_udev_device_unref)
#define udev_new (udev_library.of_udev_new)
#define udev_unref (udev_library.of_udev_unref)

#endif
