/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is what a step was to bring about there?  Judged from a topology alone. */
#ifndef DAXD_CORE_EFFECT_H
#define DAXD_CORE_EFFECT_H

#include "base/error.h"
#include "core/step.h"
#include "core/topology.h"

/* 0, or -EIO with what was found instead. */
int step_effect(const struct topology *topology, const struct step *step, struct error *reterr);

#endif
