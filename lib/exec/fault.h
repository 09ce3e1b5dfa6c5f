/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A backend that passes everything on to another one, but fails chosen steps: for tests of
 * what happens then.
 */
#ifndef DAXD_EXEC_FAULT_H
#define DAXD_EXEC_FAULT_H

#include <stddef.h>

#include "exec/backend.h"

enum fault_how {
	FAULT_BEFORE, /* the step is refused and nothing happens */
	FAULT_AFTER,  /* it takes effect, and then an error is returned */
	FAULT_SILENT, /* success is returned and nothing happened */
};

/*
 * Fail the step with this number, counted from 0 over all applies, and with times > 1 the next
 * times - 1 ones after it too, those that take something back included.  Borrows inner.
 */
int fault_backend_new(struct backend *inner, size_t step, size_t times, enum fault_how how,
		      struct backend **ret, struct error *reterr);

#endif
