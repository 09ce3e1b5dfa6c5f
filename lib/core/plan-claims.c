/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An object that is two volumes of the configuration. */
#include <errno.h>
#include <stdlib.h>

#include "core/planner.h"

/* In order of object, then of the configuration. */
struct claim {
	const void *object;
	struct goal *goal;
};

static const void *object_of(const struct goal *goal)
{
	return goal->ns ? (const void *)goal->ns : goal->device;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return (x->goal > y->goal) - (x->goal < y->goal);
}

static struct claim *list_claims(struct planner *p, size_t *ret)
{
	struct claim *claims = calloc(p->n_goals + 1, sizeof(*claims));
	size_t n = 0;

	*ret = 0;
	if (!claims) {
		p->no_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < p->n_goals; i++)
		if (object_of(&p->goals[i]))
			claims[n++] = (struct claim){ object_of(&p->goals[i]), &p->goals[i] };
	if (n)
		qsort(claims, n, sizeof(*claims), compare_claims);
	*ret = n;
	return claims;
}

/* Absent by nothing but its name: the name goes, and so does the object if nobody has it. */
static bool is_only_name(const struct goal *goal)
{
	return goal->verdict == VERDICT_REMOVE && !goal->volume->foreign &&
	       !goal->volume->ranges.n && !uuid_is_set(&goal->volume->uuid);
}

/*
 * A volume that is renamed: by its new name it is told by uuid or ranges, by the old one it is to
 * be absent.  The object stays; of the old name only a record is left to be forgotten.
 */
static bool inherit(struct goal *heir, struct goal *absent)
{
	if (!is_only_name(absent) || heir->verdict != VERDICT_KEEP || heir->volume->foreign ||
	    heir->volume->fresh)
		return false;
	heir->former = absent->record;
	absent->verdict = VERDICT_GONE;
	absent->ns = NULL;
	absent->device = NULL;
	return true;
}

static void refuse_both(struct planner *p, const struct goal *first, struct goal *second)
{
	const char *object = second->ns ? second->ns->name : second->device->name;
	bool absent = first->verdict == VERDICT_REMOVE, other = second->verdict == VERDICT_REMOVE;
	char *hint = planner_text(p, "remove one of the two.");

	if (absent == other)
		goal_refuse(p, second, NULL, EEXIST, hint, "Volumes \"%s\" and \"%s\" are both %s.",
			    first->volume->name, second->volume->name, object);
	else
		goal_refuse(p, second, NULL, EEXIST, hint,
			    "Volume \"%s\" is to be absent and \"%s\" is to be there, and both are "
			    "%s.", (absent ? first : second)->volume->name,
			    (absent ? second : first)->volume->name, object);
}

/* Without labels a region is one namespace, and who may have it is judged elsewhere. */
static bool is_shareable(const struct goal *goal)
{
	return goal->verdict == VERDICT_REFUSED ||
	       (goal->ns && goal->region->labels == LABELS_NONE);
}

/* The one of the two that has the object now. */
static struct goal *settle(struct planner *p, struct goal *first, struct goal *second)
{
	if (is_shareable(first) || is_shareable(second) ||
	    (first->volume->foreign && second->volume->foreign))
		return second;
	if (inherit(second, first))
		return second;
	if (!inherit(first, second))
		refuse_both(p, first, second);
	return first;
}

void claims_settle(struct planner *p)
{
	_cleanup_(freep) struct claim *claims = NULL;
	struct goal *owner = NULL;
	size_t n;

	claims = list_claims(p, &n);
	for (size_t i = 0; i < n; i++)
		owner = i && claims[i].object == claims[i - 1].object ?
				settle(p, owner, claims[i].goal) :
				claims[i].goal;
}
