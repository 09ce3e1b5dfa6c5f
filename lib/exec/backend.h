/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where steps take effect: the kernel, a simulator that obeys the kernel's rules, or a
 * decorator that fails chosen steps of either.  Few, coarse operations, called through the
 * checked doors below and never through the table.
 */
#ifndef DAXD_EXEC_BACKEND_H
#define DAXD_EXEC_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/scope.h"
#include "core/step.h"
#include "core/topology.h"

struct backend;

/*
 * Steps of one kind that do not depend on one another: a backend may do them side by side, or
 * share among them what is the same for all.
 */
struct step_group {
	const struct step **steps;
	struct error *errors; /* of each step, clear: filled when it fails */
	size_t n;
	/*
	 * Told once for each step when it is over, its effect read back; in any order, but from
	 * the thread of the caller.  It may fill the step's error.
	 */
	void (*over)(void *userdata, size_t index);
	void *userdata;
};

struct backend_ops {
	const char *name;
	int (*scan)(struct backend *backend, const struct scope *scope, struct topology **ret,
		    struct error *reterr);
	/* NULL: the scan has found them already. */
	int (*scan_holders)(struct backend *backend, struct topology *topology,
			    const struct scope *scope, struct error *reterr);
	int (*check)(struct backend *backend, const struct step *step, struct error *reterr);
	int (*apply)(struct backend *backend, const struct step *step, struct error *reterr);
	int (*verify)(struct backend *backend, const struct step *step, struct error *reterr);
	/* Apply and verify each; NULL: one after another. */
	void (*run)(struct backend *backend, struct step_group *group);
	void (*free)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
	/* Told while one step runs: done of total blocks; may be NULL. */
	void (*progress)(void *userdata, uint64_t done, uint64_t total);
	void *progress_data;
};

/* The state of the machine now; not who holds what, which takes longer than all the rest. */
int backend_scan_objects(struct backend *backend, const struct scope *scope,
			 struct topology **ret, struct error *reterr);
/* Who holds what, in those regions of the topology that are in the scope. */
int backend_scan_holders(struct backend *backend, struct topology *topology,
			 const struct scope *scope, struct error *reterr);
/* Both, of all regions. */
int backend_scan(struct backend *backend, struct topology **ret, struct error *reterr);
/*
 * Before the first step of a plan: does this one lack what no other step can bring about, such
 * as an account?
 */
int backend_check(struct backend *backend, const struct step *step, struct error *reterr);
/*
 * Do one step completely, or leave things as they were and say why not.  A step whose effect is
 * already there succeeds.
 */
int backend_apply(struct backend *backend, const struct step *step, struct error *reterr);
/* Read back whether a step's effect is there; -EIO with what was found instead. */
int backend_verify(struct backend *backend, const struct step *step, struct error *reterr);
/* Apply and verify each step of a group. */
void backend_run(struct backend *backend, struct step_group *group);
/* The same one after another: what backends do with steps that gain nothing as a group. */
void backend_run_serially(struct backend *backend, struct step_group *group);
void backend_report_progress(struct backend *backend, uint64_t done, uint64_t total);
void backend_free(struct backend *backend);
DEFINE_FREEP(struct backend, backend)

/* state_file: records of volumes in dynamic regions, see state.h. */
int kernel_backend_new(const char *state_file, struct backend **ret, struct error *reterr);
/*
 * From now on scans are for a list of dax devices, never for a plan: without DIMMs, regions that
 * have no dax device, nodes, records, and who holds what.
 */
void kernel_backend_be_brief(struct backend *backend);
/* Put back what a writer that was killed had changed for a moment; for the holder of the lock. */
void kernel_backend_recover(void);
/* Is there anything to put back? */
bool kernel_backend_must_recover(void);
/* Takes the topology; sim_topology() lends what it has become. */
int sim_backend_new(struct topology *topology, struct backend **ret, struct error *reterr);
const struct topology *sim_topology(const struct backend *backend);

#endif
