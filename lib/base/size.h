/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sizes in bytes as people write them: decimal digits and one optional suffix K, M, G, T, P
 * (powers of 1024; a trailing "iB" or "B" is not accepted, a lower-case letter is).
 */
#ifndef DAXD_BASE_SIZE_H
#define DAXD_BASE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* -EINVAL: not a size; -ERANGE: does not fit 64 bits. */
int size_parse(const char *text, uint64_t *ret);

/* The shortest exact text that size_parse() reads back: "16G", "2M", "12345". */
#define SIZE_TEXT_MAX 32
struct size_text {
	char text[SIZE_TEXT_MAX];
};
struct size_text size_format(uint64_t size);
/* For a person: at most two decimals, "15.63 GiB"; not exact. */
struct size_text size_format_human(uint64_t size);
#define SIZE_STR(size) (size_format(size).text)

static inline bool is_power_of_2(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* step: any positive number, not only powers of two (interleave widths are not). */
static inline uint64_t round_down_to(uint64_t n, uint64_t step)
{
	return n - n % step;
}

/* -ERANGE when the result does not fit. */
int round_up_to(uint64_t n, uint64_t step, uint64_t *ret);

#endif
