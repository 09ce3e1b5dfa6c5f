/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/effect.h"
#include "core/topology-json.h"

int sim_find_region(struct sim *sim, const struct step *step, struct region **ret,
		    struct error *reterr)
{
	*ret = topology_find_region(sim->topology, step->region);
	return *ret ? 0 : error_set(reterr, ENOENT, "There is no region %s.", step->region);
}

int sim_find_device(struct sim *sim, const struct step *step, struct dax_device **ret,
		    struct error *reterr)
{
	struct region *region;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	*ret = region_device(region, &step->uuid, step->start);
	return *ret ? 0 : error_set(reterr, ENOENT, "%s has no such device.", region->name);
}

int sim_find_namespace(struct sim *sim, const struct step *step, struct namespace **ret,
		       struct error *reterr)
{
	struct region *region;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	*ret = region_find_namespace(region, &step->uuid);
	return *ret ? 0 : error_set(reterr, ENOENT, "%s has no such namespace.", region->name);
}

static void mark_id(bool *taken, size_t n, const char *name)
{
	const char *dot = strrchr(name, '.');
	unsigned long id = dot ? strtoul(dot + 1, NULL, 10) : n;

	if (id < n)
		taken[id] = true;
}

int sim_free_id(const struct region *region, size_t *ret)
{
	size_t n = region->n_namespaces + region->n_devices, id = 0;
	_cleanup_(freep) bool *taken = calloc(n + 1, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < region->n_namespaces; i++)
		mark_id(taken, n, region->namespaces[i].name);
	for (size_t i = 0; i < region->n_devices; i++)
		if (region->devices[i].name)
			mark_id(taken, n, region->devices[i].name);
	while (taken[id])
		id++;
	*ret = id;
	return 0;
}

int sim_reset_access(struct access *access, const char *group, unsigned int perm)
{
	access_clear(access);
	access->owner = strdup("root");
	access->group = strdup(group);
	access->perm = perm;
	return access->owner && access->group ? 0 : -ENOMEM;
}

int sim_check_free(const char *name, const struct holder_list *holders, bool ignore_open,
		   struct error *reterr)
{
	for (size_t i = 0; i < holders->n; i++) {
		const struct holder *holder = &holders->holders[i];

		if (!ignore_open || holder->kind != HOLDER_PROCESS || holder->mapped)
			return error_set(reterr, EBUSY, "%s is in use by %s.", name, holder->name);
	}
	return 0;
}

static int forget(struct sim *sim, const struct step *step)
{
	struct record *record = topology_find_record(sim->topology, step->label);

	if (!record)
		return 0;
	record_clear(record);
	ARRAY_REMOVE(sim->topology->records, sim->topology->n_records, record);
	return 0;
}

static int record(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct record made = { 0 }, *slot;

	(void)forget(sim, step); /* a record is replaced, and forgetting nothing is no error */
	made.volume = strdup(step->label);
	made.mode = strdup(step->record_mode ? step->record_mode : "");
	made.until_reboot = step->until_reboot;
	slot = ARRAY_APPEND(sim->topology->records, sim->topology->n_records);
	if (!slot || !made.volume || !made.mode ||
	    range_list_copy(&made.ranges, &step->ranges) < 0) {
		record_clear(&made);
		return error_oom(reterr);
	}
	*slot = made;
	sim->topology->n_records++;
	topology_sort(sim->topology);
	return 0;
}

static int replace_text(char **text, const char *with)
{
	char *copy;

	if (!with)
		return 0;
	copy = strdup(with);
	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static int find_node(struct sim *sim, const struct step *step, struct access **ret,
		     const char **links, struct error *reterr)
{
	struct region *region;
	struct dax_device *device;
	struct namespace *ns;
	int r = sim_find_region(sim, step, &region, reterr);

	if (r < 0)
		return r;
	device = region_device(region, &step->uuid, step->start);
	*links = device ? DAX_LINKS : PMEM_LINKS;
	if (device) {
		if (step->kind == STEP_PUBLISH && device->driver != DRIVER_DEVICE_DAX)
			return error_set(reterr, ENXIO, "%s is not bound to device_dax.",
					 device->name);
		*ret = &device->node;
		return 0;
	}
	r = sim_find_namespace(sim, step, &ns, reterr);
	if (r < 0)
		return r;
	if (!ns->blockdev)
		return error_set(reterr, ENOENT, "%s is not enabled.", ns->name);
	*ret = &ns->node;
	return 0;
}

static int publish(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct access *access;
	const char *links;
	int r = find_node(sim, step, &access, &links, reterr);

	if (r < 0)
		return r;
	if (strncmp(step->access.link, links, strlen(links)) != 0)
		return error_set(reterr, EINVAL, "%s is no link for this kind of node.",
				 step->access.link);
	if (replace_text(&access->link, step->access.link) < 0 ||
	    replace_text(&access->owner, step->access.owner) < 0 ||
	    replace_text(&access->group, step->access.group) < 0)
		return error_oom(reterr);
	/* Who has which number only a host knows. */
	free(TAKE(access->uid));
	free(TAKE(access->gid));
	if (step->has_perm)
		access->perm = step->access.perm;
	return 0;
}

static int withdraw(struct sim *sim, const struct step *step, struct error *reterr)
{
	struct access *access;
	const char *links;
	int r = find_node(sim, step, &access, &links, reterr);

	if (r == 0)
		free(TAKE(access->link));
	return r;
}

/* What is there already needs no work, and gives no trouble. */
static bool is_done(const struct sim *sim, const struct step *step)
{
	struct error error = ERROR_INIT;
	bool done = step_effect(sim->topology, step, &error) == 0;

	error_clear(&error);
	return done;
}

static int sim_apply(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct sim *sim = (struct sim *)backend;

	if (is_done(sim, step))
		return 0;
	switch (step->kind) {
	case STEP_INIT_LABELS:
		return sim_init_labels(sim, step, reterr);
	case STEP_CREATE_NAMESPACE:
		return sim_create_namespace(sim, step, reterr);
	case STEP_CONVERT_NAMESPACE:
		return sim_convert_namespace(sim, step, reterr);
	case STEP_ENABLE_NAMESPACE:
		return sim_enable_namespace(sim, step, reterr);
	case STEP_DESTROY_NAMESPACE:
		return sim_destroy_namespace(sim, step, reterr);
	case STEP_RECORD:
		return record(sim, step, reterr);
	case STEP_FORGET:
		return forget(sim, step);
	case STEP_CREATE_DEVICE:
		return sim_create_device(sim, step, reterr);
	case STEP_RESIZE_DEVICE:
		return sim_resize_device(sim, step, reterr);
	case STEP_DESTROY_DEVICE:
		return sim_destroy_device(sim, step, reterr);
	case STEP_BIND:
		return sim_bind(sim, step, reterr);
	case STEP_UNBIND:
		return sim_unbind(sim, step, reterr);
	case STEP_ONLINE:
		return sim_online(sim, step, reterr);
	case STEP_OFFLINE:
		return sim_offline(sim, step, reterr);
	case STEP_PUBLISH:
		return publish(sim, step, reterr);
	case STEP_WITHDRAW:
		return withdraw(sim, step, reterr);
	case STEP_WRITE_TABLE:
		return sim_write_table(sim, step, reterr);
	case STEP_POLICY:
		return sim_policy(sim, step, reterr);
	case STEP_DROP_PARTITION:
		return sim_drop_partition(sim, step, reterr);
	case STEP_ADD_PARTITION:
		return sim_add_partition(sim, step, reterr);
	case STEP_MAP:
		return sim_map(sim, step, reterr);
	case STEP_UNMAP:
		return sim_unmap(sim, step, reterr);
	case STEP_REMAP:
		return sim_remap(sim, step, reterr);
	}
	return error_set(reterr, EINVAL, "Unknown step.");
}

static int sim_verify(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct sim *sim = (struct sim *)backend;

	return step_effect(sim->topology, step, reterr);
}

static void forget_others(struct topology *topology, const struct scope *scope)
{
	bool dimms = false;

	for (size_t i = topology->n_regions; i-- > 0;) {
		struct region *region = &topology->regions[i];

		if (scope_has(scope, region->path)) {
			dimms = dimms || region->n_dimms;
			continue;
		}
		region_clear(region);
		ARRAY_REMOVE(topology->regions, topology->n_regions, region);
	}
	while (!dimms && topology->n_dimms)
		dimm_clear(&topology->dimms[--topology->n_dimms]);
}

/* The caller owns what a scan gives, so it gets a copy: through the text, which is exact. */
static int sim_scan(struct backend *backend, const struct scope *scope, struct topology **ret,
		    struct error *reterr)
{
	struct sim *sim = (struct sim *)backend;
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(freep) char *text = topology_to_json(sim->topology, false);
	int r;

	if (!text)
		return error_oom(reterr);
	r = topology_parse(text, strlen(text), ret, &report);
	if (r < 0)
		error_move(reterr, &report.errors[0]);
	else if (scope)
		forget_others(*ret, scope);
	return r;
}

static void sim_free(struct backend *backend)
{
	struct sim *sim = (struct sim *)backend;

	topology_free(sim->topology);
	free(sim);
}

static const struct backend_ops sim_ops = {
	.name = "sim",
	.scan = sim_scan,
	.apply = sim_apply,
	.verify = sim_verify,
	.free = sim_free,
};

int sim_backend_new(struct topology *topology, struct backend **ret, struct error *reterr)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return error_oom(reterr);
	sim->backend.ops = &sim_ops;
	sim->topology = topology;
	*ret = &sim->backend;
	return 0;
}

const struct topology *sim_topology(const struct backend *backend)
{
	return ((const struct sim *)backend)->topology;
}
