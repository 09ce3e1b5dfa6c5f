/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/backend.h"

#include <assert.h>

/* A step that came in with a plan was checked when it was read; this is for our own mistakes. */
static void assert_step(const struct step *step)
{
	struct error error = ERROR_INIT;
	int r = step_check(step, &error);

	error_clear(&error);
	assert(r == 0);
	(void)r; /* with NDEBUG */
}

int backend_scan(struct backend *backend, struct topology **ret, struct error *reterr)
{
	int r = backend->ops->scan(backend, ret, reterr);

	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

int backend_check(struct backend *backend, const struct step *step, struct error *reterr)
{
	int r;

	assert_step(step);
	r = backend->ops->check ? backend->ops->check(backend, step, reterr) : 0;
	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

int backend_apply(struct backend *backend, const struct step *step, struct error *reterr)
{
	int r;

	assert_step(step);
	r = backend->ops->apply(backend, step, reterr);
	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

int backend_verify(struct backend *backend, const struct step *step, struct error *reterr)
{
	int r;

	assert_step(step);
	r = backend->ops->verify(backend, step, reterr);
	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

void backend_report_progress(struct backend *backend, uint64_t done, uint64_t total)
{
	if (backend->progress)
		backend->progress(backend->progress_data, done, total);
}

void backend_free(struct backend *backend)
{
	if (backend)
		backend->ops->free(backend);
}
