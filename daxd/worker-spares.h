/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers that were started before there is work: one for each verb that was asked for, waiting
 * for its stdin.  To start a process takes longer than most of what one does, and so it is done
 * when nobody waits.  Each still does one job, and ends.
 */
#ifndef DAXD_WORKER_SPARES_H
#define DAXD_WORKER_SPARES_H

#include <systemd/sd-event.h>

#include "base/child.h"

struct worker_spares;

int worker_spares_new(sd_event *event, const char *program, struct worker_spares **ret);
void worker_spares_free(struct worker_spares *spares);
const char *worker_spares_program(const struct worker_spares *spares);
sd_event *worker_spares_event(const struct worker_spares *spares);
/* One that waits, or a new one. verb: lives as long as the spares. -errno */
int worker_spares_take(struct worker_spares *spares, const char *verb, struct child *ret);

#endif
