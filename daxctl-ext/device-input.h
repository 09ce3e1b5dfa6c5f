/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device that "daxctl list -M" printed, to be made again (--input). */
#ifndef DAXCTL_EXT_DEVICE_INPUT_H
#define DAXCTL_EXT_DEVICE_INPUT_H

#include "cli.h"
#include "core/range.h"

struct device_input {
	char *name;		  /* daxX.Y; X is its region, Y is the kernel's choice again */
	uint64_t align;
	struct range_list ranges; /* in order of page_offset */
};

void device_input_clear(struct device_input *input);
/*
 * Read an object, or an array of one; numbers, or strings in hexadecimal, as list -u has them.
 * All problems go to the report; CLI_FAILED: the file cannot be read.
 */
enum cli_exit device_input_load(const char *file, struct device_input *ret, struct report *problems);

#endif
