/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/macro.h"

#include <string.h>
#include <unistd.h>

void closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing can be done about a failed close at scope exit */
	*fd = -1;
}

void *array_grow(void *array, size_t n, size_t element_size)
{
	void **at = array, *grown;
	size_t room, bytes;

	if (n == 0 || (n & (n - 1)) == 0) {
		if (__builtin_mul_overflow(n ? n : 1, 2, &room) ||
		    __builtin_mul_overflow(room, element_size, &bytes))
			return NULL;
		grown = realloc(*at, bytes);
		if (!grown)
			return NULL;
		*at = grown;
	}
	grown = (char *)*at + n * element_size;
	return memset(grown, 0, element_size);
}

void array_remove(void *array, size_t *n, size_t at, size_t element_size)
{
	char *element = (char *)array + at * element_size;

	(*n)--;
	memmove(element, element + element_size, (*n - at) * element_size);
}
