/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine in memory that obeys the rules of the kernel: the same steps succeed, the others
 * fail with the same errno, and what is left looks the same.  Shared by sim*.c only.
 */
#ifndef DAXD_EXEC_SIM_H
#define DAXD_EXEC_SIM_H

#include "core/step.h"
#include "core/topology.h"
#include "exec/backend.h"

struct sim {
	struct backend backend;
	struct topology *topology;
};

/* The object of a step, or -ENOENT with a sentence. */
int sim_find_region(struct sim *sim, const struct step *step, struct region **ret,
		    struct error *reterr);
int sim_find_device(struct sim *sim, const struct step *step, struct dax_device **ret,
		    struct error *reterr);
int sim_find_namespace(struct sim *sim, const struct step *step, struct namespace **ret,
		       struct error *reterr);

/* The lowest Y for which the region has no namespaceX.Y or daxX.Y, as the kernel's ida gives. */
int sim_free_id(const struct region *region, size_t *ret);

/* Set the node to what the kernel or udev gives a fresh one. */
int sim_reset_access(struct access *access, const char *group, unsigned int perm);
/* -EBUSY when somebody holds it. */
int sim_check_free(const char *name, const struct holder_list *holders, struct error *reterr);

int sim_init_labels(struct sim *sim, const struct step *step, struct error *reterr);
int sim_create_namespace(struct sim *sim, const struct step *step, struct error *reterr);
int sim_convert_namespace(struct sim *sim, const struct step *step, struct error *reterr);
int sim_enable_namespace(struct sim *sim, const struct step *step, struct error *reterr);
int sim_destroy_namespace(struct sim *sim, const struct step *step, struct error *reterr);

int sim_create_device(struct sim *sim, const struct step *step, struct error *reterr);
int sim_resize_device(struct sim *sim, const struct step *step, struct error *reterr);
int sim_destroy_device(struct sim *sim, const struct step *step, struct error *reterr);

int sim_bind(struct sim *sim, const struct step *step, struct error *reterr);
int sim_unbind(struct sim *sim, const struct step *step, struct error *reterr);
int sim_online(struct sim *sim, const struct step *step, struct error *reterr);
int sim_offline(struct sim *sim, const struct step *step, struct error *reterr);

int sim_write_table(struct sim *sim, const struct step *step, struct error *reterr);
int sim_policy(struct sim *sim, const struct step *step, struct error *reterr);
int sim_drop_partition(struct sim *sim, const struct step *step, struct error *reterr);
int sim_add_partition(struct sim *sim, const struct step *step, struct error *reterr);
int sim_map(struct sim *sim, const struct step *step, struct error *reterr);
int sim_unmap(struct sim *sim, const struct step *step, struct error *reterr);
int sim_remap(struct sim *sim, const struct step *step, struct error *reterr);

#endif
