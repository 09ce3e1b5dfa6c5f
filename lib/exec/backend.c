/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A step that came in with a plan was checked when it was read; this is for our own mistakes. */
static void assert_step(const struct step *step)
{
	struct error error = ERROR_INIT;
	int r = step_check(step, &error);

	error_clear(&error);
	assert(r == 0);
	(void)r; /* with NDEBUG */
}

int backend_scan_objects(struct backend *backend, const struct scope *scope,
			 struct topology **ret, struct error *reterr)
{
	int r = backend->ops->scan(backend, scope, ret, reterr);

	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

int backend_scan_holders(struct backend *backend, struct topology *topology,
			 const struct scope *scope, struct error *reterr)
{
	int r = backend->ops->scan_holders ?
			backend->ops->scan_holders(backend, topology, scope, reterr) : 0;

	assert(r == 0 || (r < 0 && reterr->code == -r));
	return r;
}

int backend_scan(struct backend *backend, struct topology **ret, struct error *reterr)
{
	_cleanup_(topology_freep) struct topology *topology = NULL;
	int r = backend_scan_objects(backend, NULL, &topology, reterr);

	if (r == 0)
		r = backend_scan_holders(backend, topology, NULL, reterr);
	if (r == 0)
		*ret = TAKE(topology);
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

void backend_run_serially(struct backend *backend, struct step_group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		struct error *error = &group->errors[i];

		if (backend_apply(backend, group->steps[i], error) == 0)
			(void)backend_verify(backend, group->steps[i], error); /* error says */
		group->over(group->userdata, i);
	}
}

void backend_run(struct backend *backend, struct step_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		assert_step(group->steps[i]);
	if (backend->ops->run && group->n > 1)
		backend->ops->run(backend, group);
	else
		backend_run_serially(backend, group);
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
