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

bool scope_has_nd(const struct scope *scope)
{
	for (size_t i = 0; scope && i < scope->n; i++)
		if (strstr(scope->paths[i], "/ndbus"))
			return true;
	return !scope;
}

/* Sorted names, borrowed; those that come twice are passed over. */
static int copy_paths(const char **paths, size_t n, struct scope *scope)
{
	for (size_t i = 0; i < n; i++) {
		char **slot;

		if (i && strcmp(paths[i], paths[i - 1]) == 0)
			continue;
		slot = ARRAY_APPEND(scope->paths, scope->n);
		if (!slot || !(*slot = strdup(paths[i])))
			return -ENOMEM;
		scope->n++;
	}
	return 0;
}

int scope_of_plan(const struct plan *plan, bool losses, struct scope *ret)
{
	size_t max = plan->n_regions + plan->n_steps;
	_cleanup_(freep) const char **paths = calloc(max + 1, sizeof(*paths));
	_cleanup_(scope_clear) struct scope scope = { 0 };
	size_t n = 0;

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; !losses && i < plan->n_regions; i++)
		paths[n++] = plan->regions[i];
	for (size_t i = 0; i < plan->n_steps; i++) {
		const char *path = plan->steps[i].region;

		/* Steps that lie side by side often have the same. */
		if (path && (!losses || step_takes_away(&plan->steps[i])) &&
		    !(n && strcmp(paths[n - 1], path) == 0))
			paths[n++] = path;
	}
	if (n)
		qsort(paths, n, sizeof(*paths), compare_paths);
	if (copy_paths(paths, n, &scope) < 0)
		return -ENOMEM;
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

	if (!scope)
		return 0; /* it is all of the machine */
	for (size_t i = 0; r == 0 && i < whole->n_regions; i++)
		if (!scope_has(scope, whole->regions[i].path))
			r = lend_region(part, &whole->regions[i]);
	for (size_t i = 0; r == 0 && n_dimms == 0 && i < whole->n_dimms; i++)
		r = lend_dimm(part, &whole->dimms[i]);
	if (r < 0) {
		part->n_regions = n_regions;
		part->n_dimms = n_dimms;
		return r;
	}
	topology_sort(part);
	return 0;
}

static bool has_region(const struct topology *topology, const char *path)
{
	for (size_t i = 0; i < topology->n_regions; i++)
		if (topology->regions[i].path == path)
			return true;
	return false;
}

static bool has_dimm(const struct topology *topology, const char *name)
{
	for (size_t i = 0; i < topology->n_dimms; i++)
		if (topology->dimms[i].name == name)
			return true;
	return false;
}

/* What is lent has the same strings, not equal ones. */
void topology_free_lender(struct topology *whole, const struct topology *part)
{
	for (size_t i = 0; whole && i < whole->n_regions; i++)
		if (has_region(part, whole->regions[i].path))
			whole->regions[i] = (struct region){ 0 };
	for (size_t i = 0; whole && i < whole->n_dimms; i++)
		if (has_dimm(part, whole->dimms[i].name))
			whole->dimms[i] = (struct dimm){ 0 };
	topology_free(whole);
}
