/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy of a topology file that apply may change, gone at the end unless it is saved. */
#ifndef DAXCTL_EXT_SIMULATION_H
#define DAXCTL_EXT_SIMULATION_H

#include "base/error.h"

struct simulation {
	char *folder; /* NULL: there is none */
	char *file;
};

int simulation_open(struct simulation *simulation, const char *topology, struct error *reterr);
/* Write what it has become to path. */
int simulation_save(const struct simulation *simulation, const char *path, struct error *reterr);
void simulation_close(struct simulation *simulation);

#endif
