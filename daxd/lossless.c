/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lossless.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A step, and whose it is: volumes are numbered by the order of their names. */
struct mark {
	const char *volume;
	size_t step;
};

struct sieve {
	struct plan *plan;
	size_t *owner;	/* of each step: number of its volume, n_steps: none */
	bool *out;	/* of each step */
	bool *loser;	/* of each volume */
	size_t *number; /* of each step: where it is in what is left */
};

static void sieve_clear(struct sieve *sieve)
{
	free(sieve->owner);
	free(sieve->out);
	free(sieve->loser);
	free(sieve->number);
}

static int by_volume(const void *a, const void *b)
{
	return strcmp(((const struct mark *)a)->volume, ((const struct mark *)b)->volume);
}

static int number_volumes(struct sieve *sieve)
{
	size_t n_steps = sieve->plan->n_steps, n = 0, number = 0;
	_cleanup_(freep) struct mark *marks = calloc(n_steps, sizeof(*marks));

	if (!marks)
		return -ENOMEM;
	for (size_t i = 0; i < n_steps; i++) {
		sieve->owner[i] = n_steps;
		if (sieve->plan->steps[i].volume)
			marks[n++] = (struct mark){ sieve->plan->steps[i].volume, i };
	}
	qsort(marks, n, sizeof(*marks), by_volume);
	for (size_t i = 0; i < n; i++) {
		number += i > 0 && strcmp(marks[i - 1].volume, marks[i].volume) != 0;
		sieve->owner[marks[i].step] = number;
	}
	return 0;
}

static bool is_out(const struct sieve *sieve, size_t i)
{
	const struct step *step = &sieve->plan->steps[i];

	if (step->destructive ||
	    (sieve->owner[i] < sieve->plan->n_steps && sieve->loser[sieve->owner[i]]))
		return true;
	for (size_t j = 0; j < step->n_after; j++)
		if (sieve->out[step->after[j]])
			return true;
	return false;
}

/* A volume is all or nothing, so what is out grows until it takes no more with it. */
static void find_losses(struct sieve *sieve)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < sieve->plan->n_steps; i++) {
			if (sieve->out[i] || !is_out(sieve, i))
				continue;
			sieve->out[i] = more = true;
			if (sieve->owner[i] < sieve->plan->n_steps)
				sieve->loser[sieve->owner[i]] = true;
		}
	}
}

/* Nobody's steps make room for others: without those they have no purpose. */
static void find_idle(struct sieve *sieve)
{
	_cleanup_(freep) bool *needed = calloc(sieve->plan->n_steps, sizeof(*needed));

	for (size_t i = sieve->plan->n_steps; needed && i-- > 0;) {
		const struct step *step = &sieve->plan->steps[i];

		if (!step->volume && !needed[i])
			sieve->out[i] = true;
		for (size_t j = 0; !sieve->out[i] && j < step->n_after; j++)
			needed[step->after[j]] = true;
	}
}

static void keep_the_rest(struct sieve *sieve)
{
	struct plan *plan = sieve->plan;
	size_t n = 0;

	for (size_t i = 0; i < plan->n_steps; i++) {
		struct step *step = &plan->steps[i];

		sieve->number[i] = n;
		if (sieve->out[i]) {
			step_clear(step);
			continue;
		}
		for (size_t j = 0; j < step->n_after; j++)
			step->after[j] = sieve->number[step->after[j]];
		if (n != i)
			plan->steps[n] = *step;
		n++;
	}
	plan->n_steps = n;
	plan->n_destructive = 0;
}

int plan_take_out_losses(struct plan *plan)
{
	_cleanup_(sieve_clear) struct sieve sieve = { .plan = plan };
	size_t n = plan->n_steps;
	int r;

	if (plan->n_destructive == 0)
		return 0;
	sieve.owner = calloc(n, sizeof(*sieve.owner));
	sieve.out = calloc(n, sizeof(*sieve.out));
	sieve.loser = calloc(n, sizeof(*sieve.loser));
	sieve.number = calloc(n, sizeof(*sieve.number));
	if (!sieve.owner || !sieve.out || !sieve.loser || !sieve.number)
		return -ENOMEM;
	r = number_volumes(&sieve);
	if (r < 0)
		return r;
	find_losses(&sieve);
	find_idle(&sieve);
	keep_the_rest(&sieve);
	return 0;
}
