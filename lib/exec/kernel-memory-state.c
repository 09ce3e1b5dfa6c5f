/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All memory of a device at once, by the attribute "state" that devices have while kmem is bound
 * to them (7.3, Documentation/ABI/testing/sysfs-bus-dax).  "unplugged" takes every block offline
 * and away, or none: nobody can bring one online in between, and the kernel puts back itself what
 * it took when it fails or is interrupted.  Its memory comes back by "online_movable" and the
 * like, from "unplugged" only.  What the file says is what was written to it last: blocks that
 * somebody changes one by one do not change it.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "exec/limit.h"

#define STATE "state"
#define UNPLUGGED "unplugged"
#define LOOK_NS 20000000

bool kernel_has_memory_state(int device)
{
	char text[32];

	return sysfs_read(device, STATE, text, sizeof(text)) >= 0;
}

bool kernel_is_unplugged(int device)
{
	char text[32];

	return sysfs_read(device, STATE, text, sizeof(text)) >= 0 && strcmp(text, UNPLUGGED) == 0;
}

/*
 * The kernel says nothing while it works, but its blocks do: another thread looks at them and
 * tells how many are done.  The one that would tell it else waits for the kernel meanwhile.
 */
struct watch {
	struct backend *backend;
	const struct dax_device *device;
	int goal;
	size_t done;
	const struct memory_block *busy; /* the last that was seen on its way offline */
	sem_t over;
	pthread_t thread;
	bool watching;
};

static void look(struct watch *watch)
{
	const struct dax_device *device = watch->device;
	size_t done = 0;

	for (size_t i = 0; i < device->n_blocks; i++) {
		int state = kernel_memory_state(device->blocks[i].number);

		if (state == MEMORY_LEAVING)
			watch->busy = &device->blocks[i];
		done += (state == -ENOENT ? MEMORY_OFFLINE : state) == watch->goal;
	}
	if (done <= watch->done)
		return;
	watch->done = done;
	backend_report_progress(watch->backend, done, device->n_blocks);
}

static void *look_on(void *userdata)
{
	struct watch *watch = userdata;
	struct timespec next;

	do {
		look(watch);
		(void)clock_gettime(CLOCK_MONOTONIC, &next); /* the clock exists */
		next.tv_nsec += LOOK_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
	} while (sem_clockwait(&watch->over, CLOCK_MONOTONIC, &next) < 0);
	return NULL;
}

/* Without a thread it is only that nothing is told.  Signals are for those who write. */
static void watch_begin(struct watch *watch)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	if (watch->device->n_blocks == 0 || sem_init(&watch->over, 0, 0) < 0)
		return;
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* cannot fail with valid sets */
	watch->watching = pthread_create(&watch->thread, NULL, look_on, watch) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void watch_end(struct watch *watch)
{
	if (!watch->watching)
		return;
	(void)sem_post(&watch->over);
	(void)pthread_join(watch->thread, NULL); /* cannot fail for a thread of our own */
	(void)sem_destroy(&watch->over);
}

static int write_watched(struct watch *watch, int device, const char *word)
{
	size_t total = watch->device->n_blocks;
	int r;

	watch_begin(watch);
	r = sysfs_write(device, STATE, word);
	watch_end(watch);
	if (r == 0 && watch->done < total)
		backend_report_progress(watch->backend, total, total);
	return r;
}

int kernel_unplug(struct backend *backend, int device, const struct dax_device *memory,
		  uint64_t within, struct error *reterr)
{
	struct watch watch = { .backend = backend, .device = memory, .goal = MEMORY_OFFLINE };
	_cleanup_(limit_disarm) struct limit limit = { .armed = false };
	int r;

	if (kernel_is_unplugged(device))
		return 0;
	r = limit_arm(&limit, within, reterr);
	if (r < 0)
		return r;
	r = write_watched(&watch, device, UNPLUGGED);
	return r < 0 ? kernel_refuse_offline(memory, watch.busy, -r, within, reterr) : 0;
}

int kernel_plug(struct backend *backend, int device, const struct dax_device *memory,
		enum zone zone, struct error *reterr)
{
	struct watch watch = { .backend = backend, .device = memory, .goal = MEMORY_ONLINE };
	int r = write_watched(&watch, device, kernel_online_word(zone));

	return r < 0 ? kernel_refuse_online(memory, NULL, zone, -r, reterr) : 0;
}

void kernel_replug(int device, bool online, enum zone zone)
{
	/* The step fails already; what is not as it was is seen by a scan. */
	(void)sysfs_write(device, STATE, UNPLUGGED);
	if (online)
		(void)sysfs_write(device, STATE, kernel_online_word(zone));
}
