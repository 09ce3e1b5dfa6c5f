/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gpt.h"

#include <endian.h>
#include <string.h>

#define HEADER_MIN 92
#define HEADER_MAX 512

static uint32_t crc32(const unsigned char *bytes, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t get_u32(const unsigned char *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return le32toh(number);
}

void gpt_put_u32(unsigned char *at, uint32_t number)
{
	number = htole32(number);
	memcpy(at, &number, sizeof(number));
}

void gpt_sign(unsigned char *header, const unsigned char *entries, size_t max)
{
	uint64_t n = (uint64_t)get_u32(header + 80) * get_u32(header + 84);
	uint32_t length = get_u32(header + 12);

	if (n <= max)
		gpt_put_u32(header + 88, crc32(entries, n));
	if (length >= HEADER_MIN && length <= HEADER_MAX) {
		gpt_put_u32(header + 16, 0);
		gpt_put_u32(header + 16, crc32(header, length));
	}
}
