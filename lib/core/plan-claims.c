/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What two want: an object that is two volumes of the configuration, a link that another has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/json-scan.h"
#include "core/planner.h"

/* In order of object, then of the configuration. */
struct claim {
	const void *object;
	struct goal *goal;
};

/* In order of link. */
struct published {
	const char *link;
	const struct region *region;
	const struct namespace *ns;	 /* or NULL, */
	const struct dax_device *device; /* and this is of a dynamic region */
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

static int compare_published(const void *a, const void *b)
{
	const struct published *x = a, *y = b;

	return strcmp(x->link, y->link);
}

static void add_published(struct planner *p, struct published **all, size_t *n,
			  const struct published *one)
{
	struct published *slot;

	if (!one->link)
		return;
	slot = ARRAY_APPEND(*all, *n);
	if (!slot) {
		p->no_memory = true;
		return;
	}
	*slot = *one;
	(*n)++;
}

static struct published *list_published(struct planner *p, size_t *ret)
{
	struct published *all = NULL;

	*ret = 0;
	for (size_t i = 0; i < p->topology->n_regions; i++) {
		const struct region *region = &p->topology->regions[i];

		for (size_t j = 0; j < region->n_namespaces; j++) {
			const struct namespace *ns = &region->namespaces[j];
			const struct access *node = ns->device ? &ns->device->node : &ns->node;

			add_published(p, &all, ret,
				      &(struct published){ node->link, region, ns, NULL });
		}
		for (size_t j = 0; j < region->n_devices; j++) {
			const struct dax_device *device = &region->devices[j];

			add_published(p, &all, ret,
				      &(struct published){ device->node.link, region, NULL, device });
		}
	}
	if (*ret)
		qsort(all, *ret, sizeof(*all), compare_published);
	return all;
}

static const void *published_object(const struct published *published)
{
	return published->ns ? (const void *)published->ns : published->device;
}

static const struct goal *owner_of(const struct claim *claims, size_t n, const void *object)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (claims[middle].object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && claims[low].object == object ? claims[low].goal : NULL;
}

static bool is_there_after(const struct goal *goal)
{
	return goal->verdict != VERDICT_REFUSED && goal->verdict != VERDICT_REMOVE &&
	       goal->verdict != VERDICT_GONE;
}

static bool gets_link(const struct goal *goal)
{
	const struct volume *volume = goal->volume;

	return is_there_after(goal) && !volume->foreign && !volume->unlinked &&
	       (volume->mode == MODE_FSDAX || (volume->mode == MODE_DEVDAX && volume->enabled));
}

/* Does what has the link lose it by this plan? */
static bool is_let_go(struct planner *p, const struct published *published,
		      const struct goal *owner)
{
	const struct region_state *state = planner_state(p, published->region);

	if (!owner)
		return published->ns ? state->init_labels :
				       state->release_default &&
					       state->default_device == published->device;
	/* Volumes have different names, so one that gets a link gets another. */
	return owner->verdict != VERDICT_KEEP || gets_link(owner) ||
	       (owner->volume->mode == MODE_SYSTEM_RAM && owner->volume->enabled);
}

static void refuse_link(struct planner *p, struct goal *goal, const struct published *published)
{
	const struct namespace *ns = published->ns;
	bool labelled = ns && ns->label && ns->label[0];
	char *hint;

	if (object_of(goal) || uuid_is_set(&goal->volume->uuid))
		hint = planner_text(p, "choose another name.");
	else if (ns && uuid_is_set(&ns->uuid))
		hint = planner_text(p, "choose another name, or say by \"uuid\": \"%s\" that it is "
				       "this volume.", ns->uuid.text);
	else
		hint = planner_text(p, "choose another name, or say that it is this volume as "
				       "daxctl-ext export does.");
	goal_refuse(p, goal, "name", EEXIST, hint,
		    "Volume \"%s\" would take the link %s from %s%s%s, which this plan leaves "
		    "without one.", goal->volume->name, published->link,
		    ns ? ns->name : published->device->name, labelled ? " of label " : "",
		    labelled ? json_show(ns->label).text : "");
}

static void check_link(struct planner *p, struct goal *goal, const struct published *all, size_t n,
		       const struct claim *claims, size_t n_claims)
{
	_cleanup_(freep) char *link = goal_link(p, goal);
	const struct published key = { .link = link };
	const struct published *found = link ? bsearch(&key, all, n, sizeof(key),
						       compare_published) : NULL;

	for (; found && found > all && strcmp(found[-1].link, link) == 0; found--)
		;
	for (; found && found < all + n && strcmp(found->link, link) == 0; found++) {
		const void *object = published_object(found);

		if (object != object_of(goal) &&
		    !is_let_go(p, found, owner_of(claims, n_claims, object))) {
			refuse_link(p, goal, found);
			return;
		}
	}
}

void claims_check_links(struct planner *p)
{
	_cleanup_(freep) struct published *all = NULL;
	_cleanup_(freep) struct claim *claims = NULL;
	size_t n, n_claims;

	all = list_published(p, &n);
	claims = n ? list_claims(p, &n_claims) : NULL;
	for (size_t i = 0; claims && i < p->n_goals; i++)
		if (gets_link(&p->goals[i]))
			check_link(p, &p->goals[i], all, n, claims, n_claims);
}
