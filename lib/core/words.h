/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enum values and their words: one table each, looked up both ways. */
#ifndef DAXD_CORE_WORDS_H
#define DAXD_CORE_WORDS_H

#include <stddef.h>

/* The index of word in words, or -EINVAL. */
int word_find(const char *const words[], size_t n, const char *word);

/* Define NAME_word() and NAME_from_word() for an enum whose values count from 0. */
#define DEFINE_WORDS(name, type, words)                                        \
	const char *name##_word(type value)                                    \
	{                                                                      \
		return (words)[value];                                         \
	}                                                                      \
	int name##_from_word(const char *word, type *ret)                      \
	{                                                                      \
		int r = word_find((words), ARRAY_SIZE(words), word);           \
                                                                               \
		if (r < 0)                                                     \
			return r;                                              \
		*ret = (type)r;                                                \
		return 0;                                                      \
	}

#endif
