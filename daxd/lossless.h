/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a plan can run without anybody's consent: the steps that lose nothing, without those
 * that only make sense together with one that would.
 */
#ifndef DAXD_LOSSLESS_H
#define DAXD_LOSSLESS_H

#include "core/plan.h"

/* Take out all steps of the volumes that would lose data, and what comes after them; -ENOMEM. */
int plan_take_out_losses(struct plan *plan);

#endif
