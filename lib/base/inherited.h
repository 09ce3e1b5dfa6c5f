/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open files that a program was started with and does not know of. */
#ifndef DAXD_BASE_INHERITED_H
#define DAXD_BASE_INHERITED_H

/*
 * Close the dax and pmem devices among the descriptors above 2: a shell that has one open hands
 * it on to all it runs, and a program that looks who uses a device would find itself.  It does
 * not leave itself out, it uses none.  Other descriptors stay: documents may come by them.
 */
void inherited_close_devices(void);

#endif
