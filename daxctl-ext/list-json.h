/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "daxctl list" prints, made from a topology: the same keys, types and layout, down to
 * the slashes that json-c escapes, so that whatever reads daxctl's output reads this.
 *
 * daxctl knows dax regions.  A dynamic region is one, and so is each devdax namespace of a pmem
 * region while it is enabled.  Their order, and that of devices and ranges, is daxctl's when
 * that is asked for: backwards as the folders of sysfs have them, which look shuffled.
 */
#ifndef DAXCTL_EXT_LIST_JSON_H
#define DAXCTL_EXT_LIST_JSON_H

#include <stdbool.h>

#include "core/topology.h"

struct list_request {
	const char *region, *device; /* "all", names or numbers; NULL: no matter which */
	const char *const *only;     /* names of devices, to show no others; NULL: no matter */
	size_t n_only;
	bool regions, devices, mappings, idle, human;
	bool shuffled; /* daxctl's order */
};

struct list_answer {
	char *text;	    /* without a newline; NULL: there is nothing to print */
	bool region_found;  /* some region is as request.region */
	bool device_found;  /* some device that may be shown is as request.device */
	bool device_hidden; /* ... or one is there, but it has no size */
};

void list_answer_clear(struct list_answer *answer);
/* -ENOMEM */
int list_json(const struct topology *topology, const struct list_request *request,
	      struct list_answer *ret);

/* "16.00 GiB (17.18 GB)" with the quotes, or the plain number below 5000 KiB. */
struct list_size {
	char text[64];
};
struct list_size list_size_human(uint64_t bytes);

#endif
