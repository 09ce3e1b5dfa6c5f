/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody may have meant who wrote a word that does not exist. */
#ifndef DAXCTL_EXT_SUGGEST_H
#define DAXCTL_EXT_SUGGEST_H

#include <stddef.h>

/* The nearest of words, or NULL when none is near. */
const char *suggest(const char *word, const char *const words[], size_t n);

#endif
