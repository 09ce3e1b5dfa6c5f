/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

/* More would not wait any shorter. */
#define THREADS_MAX 32

struct pool {
	void (*job)(void *userdata, size_t index);
	void *userdata;
	size_t n;
	atomic_size_t next;
};

static void *work(void *argument)
{
	struct pool *pool = argument;

	for (;;) {
		size_t i = atomic_fetch_add(&pool->next, 1);

		if (i >= pool->n)
			return NULL;
		pool->job(pool->userdata, i);
	}
}

void parallel_run(void (*job)(void *userdata, size_t index), void *userdata, size_t n)
{
	struct pool pool = { .job = job, .userdata = userdata, .n = n };
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;

	while (n_threads + 1 < n && n_threads < THREADS_MAX &&
	       pthread_create(&threads[n_threads], NULL, work, &pool) == 0)
		n_threads++;
	(void)work(&pool);
	for (size_t i = 0; i < n_threads; i++)
		(void)pthread_join(threads[i], NULL); /* cannot fail for threads of our own */
}
