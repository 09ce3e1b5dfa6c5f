/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/words.h"

#include <errno.h>
#include <string.h>

int word_find(const char *const words[], size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -EINVAL;
}
