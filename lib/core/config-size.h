/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sizes in a configuration, with a word of help for every way in which people write them
 * that is not ours.
 */
#ifndef DAXD_CORE_CONFIG_SIZE_H
#define DAXD_CORE_CONFIG_SIZE_H

#include "core/json-read.h"

#define SIZE_HINT_MAX 128
struct size_hint {
	char text[SIZE_HINT_MAX];
};
/* What somebody may have had in mind who wrote what is no size. */
struct size_hint size_hint(const char *text, bool bytes_only);
/* The same of a size that is no multiple of step. */
struct size_hint size_hint_multiple(uint64_t size, uint64_t step);

json_read_fn config_read_size;	/* struct size_spec */
json_read_fn config_read_bytes; /* uint64_t: no percentage, no "all" */

#endif
