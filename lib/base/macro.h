/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few macros that every file may use: clean-up on scope exit, ownership hand-over,
 * array length, checked growth of arrays.  Nothing here allocates behind the caller's back
 * except array_grow(), which says so in its name.
 */
#ifndef DAXD_BASE_MACRO_H
#define DAXD_BASE_MACRO_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f) __attribute__((__cleanup__(f)))
#define _printf_(f, a) __attribute__((__format__(printf, f, a)))

/* Hand over what a pointer owns: yields the pointer and leaves NULL behind. */
#define TAKE(p)                                                                \
	({                                                                     \
		__typeof__(p) *_take_at = &(p);                                \
		__typeof__(p) _take_value = *_take_at;                         \
		*_take_at = NULL;                                              \
		_take_value;                                                   \
	})

/* Define TYPE_freep(), the function _cleanup_() wants, from TYPE_free(). */
#define DEFINE_FREEP(type, name)                                               \
	static inline void name##_freep(type **p)                              \
	{                                                                      \
		name##_free(*p);                                               \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* -1 is passed over, and is left behind: the number may be somebody else's next. */
void closep(int *fd);

/*
 * Make room for element number n of *array (n elements are in use) and zero it.
 * Room doubles at powers of two, so *array must only ever have been grown here.
 * Returns the new element, or NULL when there is no memory; *array is then as before.
 */
void *array_grow(void *array, size_t n, size_t element_size);
#define ARRAY_APPEND(array, n)                                                 \
	((__typeof__(array))array_grow(&(array), (n), sizeof(*(array))))
/* Those behind element number at move up, and there is one less; what it owns is cleared before. */
void array_remove(void *array, size_t *n, size_t at, size_t element_size);
#define ARRAY_REMOVE(array, n, element)                                        \
	array_remove((array), &(n), (size_t)((element) - (array)), sizeof(*(array)))

#endif
