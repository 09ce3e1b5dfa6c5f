/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/fault.h"

#include <errno.h>
#include <stdlib.h>

struct fault {
	struct backend backend;
	struct backend *inner;
	size_t passed, first, times;
	enum fault_how how;
};

static int fault_scan(struct backend *backend, const struct scope *scope, struct topology **ret,
		      struct error *reterr)
{
	struct fault *fault = (struct fault *)backend;

	return backend_scan_objects(fault->inner, scope, ret, reterr);
}

static int fault_scan_holders(struct backend *backend, struct topology *topology,
			      const struct scope *scope, struct error *reterr)
{
	struct fault *fault = (struct fault *)backend;

	return backend_scan_holders(fault->inner, topology, scope, reterr);
}

static int fail(const struct step *step, struct error *reterr)
{
	return error_set(reterr, EIO, "This %s step was made to fail.", step_kind_word(step->kind));
}

static int fault_check(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct fault *fault = (struct fault *)backend;

	return backend_check(fault->inner, step, reterr);
}

static int fault_apply(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct fault *fault = (struct fault *)backend;
	size_t number = fault->passed++;
	int r;

	if (number < fault->first || number - fault->first >= fault->times)
		return backend_apply(fault->inner, step, reterr);
	switch (fault->how) {
	case FAULT_BEFORE:
		return fail(step, reterr);
	case FAULT_AFTER:
		r = backend_apply(fault->inner, step, reterr);
		return r < 0 ? r : fail(step, reterr);
	case FAULT_SILENT:
		return 0;
	}
	return 0;
}

static int fault_verify(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct fault *fault = (struct fault *)backend;

	return backend_verify(fault->inner, step, reterr);
}

static void fault_free(struct backend *backend)
{
	free(backend);
}

static const struct backend_ops fault_ops = {
	.name = "fault",
	.scan = fault_scan,
	.scan_holders = fault_scan_holders,
	.check = fault_check,
	.apply = fault_apply,
	.verify = fault_verify,
	.free = fault_free,
};

int fault_backend_new(struct backend *inner, size_t step, size_t times, enum fault_how how,
		      struct backend **ret, struct error *reterr)
{
	struct fault *fault = calloc(1, sizeof(*fault));

	if (!fault)
		return error_oom(reterr);
	*fault = (struct fault){ .backend.ops = &fault_ops, .inner = inner, .first = step,
				 .times = times, .how = how };
	*ret = &fault->backend;
	return 0;
}
