/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"

static bool is_daxds(const struct namespace *ns)
{
	return ns->disk && ns->disk->policy != PARTITIONING_KERNEL && ns->mode == NAMESPACE_FSDAX;
}

/* As somebody else's, of which everything stays as it is. */
static int add_volume(struct config *config, const struct region *region,
		      const struct namespace *ns)
{
	struct volume *volume = ARRAY_APPEND(config->volumes, config->n_volumes);

	if (!volume)
		return -ENOMEM;
	*volume = (struct volume){
		.foreign = true,
		.enabled = true,
		.online = true,
		.mode = MODE_FSDAX,
		.size = { .kind = SIZE_ALL },
		.index = config->n_volumes++,
	};
	volume_select(volume, region);
	if (region->labels == LABELS_VALID) {
		volume->size = (struct size_spec){ .kind = SIZE_BYTES, .bytes = ns->range.size };
		volume->uuid = ns->uuid;
	}
	volume->name = strdup(ns->name);
	return volume->name ? 0 : -ENOMEM;
}

static int add_volumes(struct config *config, const struct topology *topology)
{
	int r = 0;

	for (size_t i = 0; i < topology->n_regions; i++) {
		const struct region *region = &topology->regions[i];

		for (size_t j = 0; r == 0 && j < region->n_namespaces; j++)
			if (is_daxds(&region->namespaces[j]))
				r = add_volume(config, region, &region->namespaces[j]);
	}
	return r;
}

int disks_plan(const struct topology *topology, struct plan **ret)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	int r = config ? add_volumes(config, topology) : -ENOMEM;

	*ret = NULL;
	if (r < 0 || !config->n_volumes)
		return r;
	/* What is refused stays as it is; nobody but the table asks for it. */
	return plan_build_possible(config, topology, true, ret, &report);
}
