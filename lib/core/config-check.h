/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules that volumes and partitions share; for config-check.c and config-check-partition.c. */
#ifndef DAXD_CORE_CONFIG_CHECK_H
#define DAXD_CORE_CONFIG_CHECK_H

#include "core/config.h"

void config_check_name(struct report *report, const struct path *at, const char *name, size_t max);
/* dax1.0 (1.0 for short), namespace1.0, region1, pmem1, pmem1.1, pmem1p1: no volume's. */
bool config_is_kernels_name(const char *name);
/* all: what a verb takes for something else in place of a device is no volume's, either. */
bool config_is_verbs_word(const char *name);
/* A name of passwd or group, or a decimal number. */
void config_check_account(struct report *report, const struct path *at, const char *name);
void config_check_uuid(struct report *report, const struct path *at, const struct uuid *uuid);
/* align 0: pages will do; false: it is in the report. */
bool config_check_bytes(struct report *report, const struct path *at, const struct size_spec *size,
			uint64_t align);

void config_check_partitions(struct report *report, const struct volume *volume);
/* Windows of all volumes, which are found by name alone. */
void config_check_windows(struct report *report, const struct config *config);

#endif
