/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/topology-check.h"
#include "exec/state.h"

/* Looks after the first, when what was seen cannot be. */
#define SCANS_MAX 5

/* Space of names for this host's seed, made from its machine id. */
static const struct uuid seed_space = { "6c3ef7f4-24f7-4995-80cc-d619640def06" };

static struct kernel *kernel_of(struct backend *backend)
{
	return (struct kernel *)backend; /* its first member */
}

static int read_seed(struct topology *topology, struct error *reterr)
{
	char id[64];
	int r;

	r = sysfs_read(AT_FDCWD, "/etc/machine-id", id, sizeof(id));
	if (r == 0)
		r = -ENODATA;
	if (r < 0) {
		(void)error_set(reterr, -r, "Cannot read /etc/machine-id, from which uuids of new "
				"namespaces are made: %s.", strerror(-r));
		return error_hint(reterr, "systemd-machine-id-setup makes one.");
	}
	topology->seed = uuid_derive(&seed_space, id);
	return 0;
}

static int read_memory(struct topology *topology, struct error *reterr)
{
	int r;

	r = kernel_memory_block_size(&topology->memory_block_size, reterr);
	if (r < 0)
		return r;
	r = sysfs_read_text(AT_FDCWD, "/sys/devices/system/memory/auto_online_blocks",
			    &topology->auto_online);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? kernel_unreadable(reterr, "memory", "auto_online_blocks", -r) : 0;
}

static int read_records(const char *path, struct topology *topology, struct error *reterr)
{
	struct state state = { 0 };
	int r;

	r = state_read(path, &state, reterr);
	if (r < 0)
		return r;
	topology->records = state.records;
	topology->n_records = state.n_records;
	return 0;
}

static int scan_all(struct kernel *kernel, struct topology *topology, struct error *reterr)
{
	struct kernel_names *names = &kernel->names;
	int r = read_seed(topology, reterr);

	if (r == 0 && !names->brief)
		r = kernel_read_links(names, reterr);
	if (r == 0)
		r = read_memory(topology, reterr);
	if (r == 0)
		r = kernel_scan_nd(topology, names, reterr);
	if (r == 0)
		r = kernel_scan_dax(topology, names, reterr);
	if (r == 0 && !names->brief)
		r = read_records(kernel->state_file, topology, reterr);
	return r;
}

static bool can_be(const struct topology *topology)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;

	topology_check(topology, &report);
	return report.n == 0;
}

static int scan_once(struct kernel *kernel, struct topology **ret, struct error *reterr)
{
	_cleanup_(topology_freep) struct topology *topology = calloc(1, sizeof(*topology));
	int r;

	if (!topology)
		return error_oom(reterr);
	r = scan_all(kernel, topology, reterr);
	if (r == 0)
		*ret = TAKE(topology);
	return r;
}

/*
 * A device that goes while another comes in its place may be seen with it, or without both: what no
 * machine can have is looked at again.
 */
static int kernel_scan(struct backend *backend, const struct scope *scope, struct topology **ret,
		       struct error *reterr)
{
	struct kernel *kernel = kernel_of(backend);
	_cleanup_(topology_freep) struct topology *topology = NULL;
	int r;

	/* Steps are known from the scan before a run to its end. */
	kernel_notices_clear(&kernel->notices);
	kernel->names.scope = scope;
	r = scan_once(kernel, &topology, reterr);
	for (int i = 0; r == 0 && i < SCANS_MAX && !can_be(topology); i++) {
		topology_free(TAKE(topology));
		r = scan_once(kernel, &topology, reterr);
	}
	kernel->names.scope = NULL; /* it is the caller's */
	if (r < 0)
		return r;
	topology_sort(topology);
	*ret = TAKE(topology);
	return 0;
}

static int kernel_holders(struct backend *backend, struct topology *topology,
			  const struct scope *scope, struct error *reterr)
{
	return kernel_of(backend)->names.brief ? 0 :
						 kernel_scan_holders(topology, scope, reterr);
}

static int kernel_check(struct backend *backend, const struct step *step, struct error *reterr)
{
	struct kernel *kernel = kernel_of(backend);
	int r;

	if (step->kind == STEP_WRITE_TABLE && step->mode == NAMESPACE_DEVDAX)
		return kernel_check_windows(step, reterr);
	if (step->kind != STEP_PUBLISH)
		return 0;
	r = kernel_check_publish(step, reterr);
	if (r < 0)
		return r;
	return kernel_notice_add(&kernel->notices, step) < 0 ? error_oom(reterr) : 0;
}

static void begin(struct kernel *kernel, const struct step *step)
{
	if (step->kind == STEP_CREATE_DEVICE && !kernel->makes_devices) {
		kernel->makes_devices = true;
		kernel_begin_making();
	}
	if (!kernel->hurries && kernel_waits_for_grace(step)) {
		kernel->hurries = true;
		kernel_hurry();
	}
}

static int kernel_apply(struct backend *backend, const struct step *step, struct error *reterr)
{
	const char *state_file = kernel_of(backend)->state_file;
	struct kernel_notices *notices = &kernel_of(backend)->notices;

	begin(kernel_of(backend), step);
	switch (step->kind) {
	case STEP_INIT_LABELS:
		return kernel_init_labels(step, reterr);
	case STEP_CREATE_NAMESPACE:
		return kernel_create_namespace(notices, step, reterr);
	case STEP_CONVERT_NAMESPACE:
		return kernel_convert_namespace(notices, step, reterr);
	case STEP_ENABLE_NAMESPACE:
		return kernel_enable_namespace(step, reterr);
	case STEP_DESTROY_NAMESPACE:
		return kernel_destroy_namespace(step, reterr);
	case STEP_RECORD:
	case STEP_FORGET:
		return kernel_change_record(state_file, step, reterr);
	case STEP_CREATE_DEVICE:
		return kernel_create_device(step, reterr);
	case STEP_RESIZE_DEVICE:
		return kernel_resize_device(step, reterr);
	case STEP_DESTROY_DEVICE:
		return kernel_destroy_device(step, reterr);
	case STEP_BIND:
		return kernel_bind(step, reterr);
	case STEP_UNBIND:
		return kernel_unbind(step, reterr);
	case STEP_ONLINE:
		return kernel_online(backend, step, reterr);
	case STEP_OFFLINE:
		return kernel_offline(backend, step, reterr);
	case STEP_PUBLISH:
		return kernel_publish(step, reterr);
	case STEP_WITHDRAW:
		return kernel_withdraw(step, reterr);
	case STEP_WRITE_TABLE:
		if (step->mode == NAMESPACE_DEVDAX)
			return kernel_write_windows(step, reterr);
		return kernel_write_partitions(step, reterr);
	case STEP_POLICY:
		return kernel_set_partitioning(step, reterr);
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_REMAP:
		return kernel_change_partition(step, reterr);
	}
	return error_set(reterr, EINVAL, "There is no step of kind %d.", (int)step->kind);
}

static int verify(struct kernel *kernel, const struct step *step, struct error *reterr)
{
	switch (step->kind) {
	case STEP_INIT_LABELS:
		return kernel_verify_labels(step, reterr);
	case STEP_CREATE_NAMESPACE:
	case STEP_CONVERT_NAMESPACE:
	case STEP_ENABLE_NAMESPACE:
		return kernel_verify_namespace(step, reterr);
	case STEP_DESTROY_NAMESPACE:
		return kernel_verify_destroyed_namespace(step, reterr);
	case STEP_RECORD:
	case STEP_FORGET:
		return kernel_verify_record(kernel->state_file, step, reterr);
	case STEP_CREATE_DEVICE:
	case STEP_RESIZE_DEVICE:
		return kernel_verify_ranges(step, reterr);
	case STEP_DESTROY_DEVICE:
		return kernel_verify_destroyed_device(step, reterr);
	case STEP_BIND:
		return kernel_verify_driver(step, step->driver, reterr);
	case STEP_UNBIND:
		return kernel_verify_driver(step, DRIVER_NONE, reterr);
	case STEP_ONLINE:
		return kernel_verify_online(step, reterr);
	case STEP_OFFLINE:
		return kernel_verify_offline(step, reterr);
	case STEP_PUBLISH:
		return kernel_verify_publish(step, reterr);
	case STEP_WITHDRAW:
		return kernel_verify_withdraw(step, reterr);
	case STEP_WRITE_TABLE:
		if (step->mode == NAMESPACE_DEVDAX)
			return kernel_verify_windows(step, reterr);
		return kernel_verify_table(step, reterr);
	case STEP_POLICY:
		return kernel_verify_partitioning(step, reterr);
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_REMAP:
		return kernel_verify_partition(step, reterr);
	}
	return error_set(reterr, EINVAL, "There is no step of kind %d.", (int)step->kind);
}

static int kernel_verify(struct backend *backend, const struct step *step,
			 struct error *reterr)
{
	return verify(kernel_of(backend), step, reterr);
}

/* What can be shared or waited for together; the rest one after another. */
static void kernel_run(struct backend *backend, struct step_group *group)
{
	struct kernel *kernel = kernel_of(backend);

	begin(kernel, group->steps[0]);
	switch (group->steps[0]->kind) {
	case STEP_RECORD:
	case STEP_FORGET:
		kernel_change_records(kernel->state_file, group);
		return;
	case STEP_CREATE_DEVICE:
	case STEP_DESTROY_DEVICE:
	case STEP_BIND:
	case STEP_UNBIND:
	case STEP_PUBLISH:
		kernel_run_on_devices(kernel, group);
		return;
	case STEP_DROP_PARTITION:
	case STEP_ADD_PARTITION:
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_REMAP:
		kernel_run_on_partitions(group);
		return;
	case STEP_INIT_LABELS:
	case STEP_CREATE_NAMESPACE:
	case STEP_CONVERT_NAMESPACE:
	case STEP_ENABLE_NAMESPACE:
	case STEP_DESTROY_NAMESPACE:
	case STEP_RESIZE_DEVICE:
	case STEP_ONLINE:
	case STEP_OFFLINE:
	case STEP_WITHDRAW:
	case STEP_WRITE_TABLE:
	case STEP_POLICY:
		backend_run_serially(backend, group);
		return;
	}
}

static void kernel_free(struct backend *backend)
{
	if (kernel_of(backend)->makes_devices)
		kernel_end_making();
	if (kernel_of(backend)->hurries)
		kernel_stop_hurrying();
	kernel_index_clear(&kernel_of(backend)->index);
	kernel_notices_clear(&kernel_of(backend)->notices);
	kernel_names_clear(&kernel_of(backend)->names);
	free(kernel_of(backend)->state_file);
	free(backend);
}

bool kernel_backend_must_recover(void)
{
	return access(HELD_POLICY, F_OK) == 0 || access(HELD_REGION, F_OK) == 0 ||
	       access(MAKING_DEVICES, F_OK) == 0 || access(HURRIED, F_OK) == 0;
}

void kernel_backend_be_brief(struct backend *backend)
{
	kernel_of(backend)->names.brief = true;
}

void kernel_backend_recover(void)
{
	kernel_release_policy();
	kernel_release_region();
	kernel_end_making();
	kernel_stop_hurrying();
}

int kernel_backend_new(const char *state_file, struct backend **ret, struct error *reterr)
{
	static const struct backend_ops ops = {
		.name = "kernel",
		.scan = kernel_scan,
		.scan_holders = kernel_holders,
		.check = kernel_check,
		.apply = kernel_apply,
		.verify = kernel_verify,
		.run = kernel_run,
		.free = kernel_free,
	};
	_cleanup_(freep) struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return error_oom(reterr);
	kernel->state_file = strdup(state_file);
	if (!kernel->state_file)
		return error_oom(reterr);
	kernel->backend.ops = &ops;
	*ret = &TAKE(kernel)->backend;
	return 0;
}
