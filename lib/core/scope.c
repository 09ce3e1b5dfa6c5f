/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scope_clear(struct scope *scope)
{
	for (size_t i = 0; i < scope->n; i++)
		free(scope->paths[i]);
	free(scope->paths);
	*scope = (struct scope){ 0 };
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool scope_has(const struct scope *scope, const char *path)
{
	return !scope || (scope->n && bsearch(&path, scope->paths, scope->n,
					      sizeof(*scope->paths), compare_paths));
}

bool scope_has_dimms(const struct scope *scope)
{
	for (size_t i = 0; scope && i < scope->n; i++)
		if (strstr(scope->paths[i], "/ndbus"))
			return true;
	return !scope;
}

/* They are few, and steps of a plan that lie side by side have the same. */
static int add(struct scope *scope, const char *path)
{
	char **slot;

	for (size_t i = scope->n; i-- > 0;)
		if (strcmp(scope->paths[i], path) == 0)
			return 0;
	slot = ARRAY_APPEND(scope->paths, scope->n);
	if (!slot)
		return -ENOMEM;
	*slot = strdup(path);
	if (!*slot)
		return -ENOMEM;
	scope->n++;
	return 0;
}

int scope_of_plan(const struct plan *plan, bool losses, struct scope *ret)
{
	_cleanup_(scope_clear) struct scope scope = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n_steps; i++)
		if (plan->steps[i].region && (!losses || step_takes_away(&plan->steps[i])))
			r = add(&scope, plan->steps[i].region);
	if (r < 0)
		return r;
	if (scope.n)
		qsort(scope.paths, scope.n, sizeof(*scope.paths), compare_paths);
	*ret = scope;
	scope = (struct scope){ 0 };
	return 0;
}

static int lend_region(struct topology *part, const struct region *region)
{
	struct region *slot = ARRAY_APPEND(part->regions, part->n_regions);

	if (!slot)
		return -ENOMEM;
	*slot = *region;
	part->n_regions++;
	return 0;
}

static int lend_dimm(struct topology *part, const struct dimm *dimm)
{
	struct dimm *slot = ARRAY_APPEND(part->dimms, part->n_dimms);

	if (!slot)
		return -ENOMEM;
	*slot = *dimm;
	part->n_dimms++;
	return 0;
}

int topology_complete(struct topology *part, const struct topology *whole,
		      const struct scope *scope)
{
	size_t n_regions = part->n_regions, n_dimms = part->n_dimms;
	int r = 0;

	for (size_t i = 0; r == 0 && i < whole->n_regions; i++)
		if (!scope_has(scope, whole->regions[i].path))
			r = lend_region(part, &whole->regions[i]);
	for (size_t i = 0; r == 0 && !scope_has_dimms(scope) && i < whole->n_dimms; i++)
		r = lend_dimm(part, &whole->dimms[i]);
	if (r < 0) {
		part->n_regions = n_regions;
		part->n_dimms = n_dimms;
		return r;
	}
	topology_sort(part);
	return 0;
}

void topology_free_lender(struct topology *whole, const struct scope *scope)
{
	for (size_t i = 0; whole && i < whole->n_regions; i++)
		if (!scope_has(scope, whole->regions[i].path))
			whole->regions[i] = (struct region){ 0 };
	for (size_t i = 0; whole && !scope_has_dimms(scope) && i < whole->n_dimms; i++)
		whole->dimms[i] = (struct dimm){ 0 };
	topology_free(whole);
}
