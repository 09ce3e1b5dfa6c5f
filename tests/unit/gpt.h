/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums of a GPT, for tests that write one as somebody would who means harm. */
#ifndef DAXD_TESTS_GPT_H
#define DAXD_TESTS_GPT_H

#include <stddef.h>
#include <stdint.h>

/* Little-endian. */
void gpt_put_u32(unsigned char *at, uint32_t number);
/*
 * Put the sums of a header right, and that of its entries if they are not longer than max; where
 * the header's own numbers allow it.
 */
void gpt_sign(unsigned char *header, const unsigned char *entries, size_t max);

#endif
