/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where steps take effect: the kernel, a simulator that obeys the kernel's rules, or a
 * decorator that fails chosen steps of either.  Few, coarse operations, called through the
 * checked doors below and never through the table.
 */
#ifndef DAXD_EXEC_BACKEND_H
#define DAXD_EXEC_BACKEND_H

#include <stdint.h>

#include "base/error.h"
#include "core/step.h"
#include "core/topology.h"

struct backend;

struct backend_ops {
	const char *name;
	int (*scan)(struct backend *backend, struct topology **ret, struct error *reterr);
	int (*check)(struct backend *backend, const struct step *step, struct error *reterr);
	int (*apply)(struct backend *backend, const struct step *step, struct error *reterr);
	int (*verify)(struct backend *backend, const struct step *step, struct error *reterr);
	void (*free)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
	/* Told while one step runs: done of total blocks; may be NULL. */
	void (*progress)(void *userdata, uint64_t done, uint64_t total);
	void *progress_data;
};

/* The state of the machine now. */
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
void backend_report_progress(struct backend *backend, uint64_t done, uint64_t total);
void backend_free(struct backend *backend);
DEFINE_FREEP(struct backend, backend)

/* state_file: records of volumes in dynamic regions, see state.h. */
int kernel_backend_new(const char *state_file, struct backend **ret, struct error *reterr);
/* Put back what a writer that was killed had changed for a moment; for the holder of the lock. */
void kernel_backend_recover(void);
/* Takes the topology; sim_topology() lends what it has become. */
int sim_backend_new(struct topology *topology, struct backend **ret, struct error *reterr);
const struct topology *sim_topology(const struct backend *backend);

#endif
