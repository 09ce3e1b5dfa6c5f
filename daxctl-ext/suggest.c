/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suggest.h"

#include <string.h>

#define LENGTH_MAX 32

/* How many letters must be inserted, removed or replaced to make b of a (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[LENGTH_MAX + 1], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t replaced = corner + (a[i] != b[j]);
			size_t best = row[j] < row[j + 1] ? row[j] : row[j + 1];

			corner = row[j + 1];
			row[j + 1] = replaced < best + 1 ? replaced : best + 1;
		}
	}
	return row[length];
}

const char *suggest(const char *word, const char *const words[], size_t n)
{
	size_t nearest = 0, least = LENGTH_MAX, length = strlen(word);

	if (length < 2 || length > LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d;

		if (strlen(words[i]) > LENGTH_MAX)
			continue;
		/* The beginning of a word is as good as two letters changed. */
		d = strncmp(word, words[i], length) == 0 ? 1 : distance(word, words[i]);
		if (d < least) {
			least = d;
			nearest = i;
		}
	}
	return least <= (length < 5 ? 1 : 2) ? words[nearest] : NULL;
}
