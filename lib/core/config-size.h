/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sizes in a configuration, with a word of help for every way in which people write them
 * that is not ours.
 */
#ifndef DAXD_CORE_CONFIG_SIZE_H
#define DAXD_CORE_CONFIG_SIZE_H

#include "core/json-read.h"

json_read_fn config_read_size;	/* struct size_spec */
json_read_fn config_read_bytes; /* uint64_t: no percentage, no "all" */

#endif
