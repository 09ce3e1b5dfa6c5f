/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases that the kernel and the simulator must answer alike. */
#ifndef DAXD_TESTS_AGREE_H
#define DAXD_TESTS_AGREE_H

#include <stddef.h>

#include "core/step.h"
#include "core/topology.h"

#define MIB (UINT64_C(1) << 20)

/* The regions the cases speak of; found by what they are, since names and numbers move. */
enum which {
	BLANK_PMEM, /* labels never initialised at first */
	PLAIN_PMEM, /* no label area */
	SMALL_HMEM, /* the smaller dynamic region, 512M */
};

struct agree_case {
	const char *what;
	enum which which;
	enum step_kind kind;
	int code; /* positive errno that both must give, 0: success */
	/* Offsets from the region's start; of CREATE and RESIZE up to two ranges. */
	uint64_t start;
	struct range ranges[2];
	uint64_t size, align;
	enum namespace_mode mode;
	enum map_location map;
	enum driver driver;
	enum zone zone;
	/* Of PUBLISH and WITHDRAW; perm 0: not said. */
	const char *link, *group;
	unsigned int perm;
	/* Of partitions: where from the start of the disk; entries of the tables before and after. */
	unsigned int number;
	struct range extent;
	unsigned int before, after;
	enum partitioning policy;
	bool managed;
	unsigned int ns; /* which made-up namespace: its uuid and label come from this number */
};

extern const struct agree_case agree_cases[];
extern const size_t n_agree_cases;

#endif
