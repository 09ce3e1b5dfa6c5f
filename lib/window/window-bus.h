/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asking daxd for the descriptor of a window.  libsystemd is loaded for it, so that who can
 * open the node does without.
 */
#ifndef DAXWINDOW_WINDOW_BUS_H
#define DAXWINDOW_WINDOW_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct window_answer {
	int fd; /* the caller closes it */
	uint64_t offset, size;
};

int window_ask(const char *name, bool read_only, struct window_answer *ret, struct error *reterr);

#endif
