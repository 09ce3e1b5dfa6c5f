/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/file.h"
#include "base/macro.h"
#include "log.h"

#define NODE_MAX 64

struct watch {
	char node[NODE_MAX]; /* /dev/pmem0 */
	sd_event_source *source;
	bool wanted, gone;
};

struct watches {
	sd_event *event;
	void (*written)(void *userdata);
	void *userdata;
	struct watch **watches; /* each stays where it is: its source points to it */
	size_t n;
	int mountinfo;
	sd_event_source *mounts; /* NULL: nobody waits for one that goes */
};

static void watch_free(struct watch *watch)
{
	(void)sd_event_source_disable_unref(watch->source);
	free(watch);
}

static int on_written(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct watches *watches = userdata;

	for (size_t i = 0; i < watches->n; i++)
		if (watches->watches[i]->source == source && event->mask & IN_IGNORED)
			watches->watches[i]->gone = true;
	watches->written(watches->userdata);
	return 0;
}

/* What cannot be watched is seen all the same when the kernel makes partitions. */
static void add(struct watches *watches, const char *blockdev, uint32_t events)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct watch **slot = watch ? ARRAY_APPEND(watches->watches, watches->n) : NULL;
	int r = -ENOMEM;

	if (slot) {
		(void)snprintf(watch->node, sizeof(watch->node), "/dev/%s", blockdev);
		watch->wanted = true;
		r = sd_event_add_inotify(watches->event, &watch->source, watch->node,
					 events | IN_DELETE_SELF, on_written, watches);
	}
	if (r >= 0) {
		*slot = watch;
		watches->n++;
		watches->written(watches->userdata); /* who knows since when it is ours */
		return;
	}
	log_line(LOG_WARNING, "Cannot watch /dev/%s: %s.", blockdev, strerror(-r));
	free(watch);
}

static void want(struct watches *watches, const char *blockdev, uint32_t events)
{
	char node[NODE_MAX];

	(void)snprintf(node, sizeof(node), "/dev/%s", blockdev);
	for (size_t i = 0; i < watches->n; i++) {
		struct watch *watch = watches->watches[i];

		if (watch->gone || strcmp(watch->node, node) != 0)
			continue;
		watch->wanted = true;
		return;
	}
	add(watches, blockdev, events);
}

/* Of a map that waits for who has it open it is of interest when anybody closes it. */
static void want_disk(struct watches *watches, const struct namespace *ns, bool pending)
{
	if (!ns->disk || !ns->disk->managed)
		return;
	want(watches, ns->blockdev, IN_CLOSE_WRITE);
	for (size_t i = 0; pending && i < ns->disk->n_maps; i++)
		if (disk_map_is_open(&ns->disk->maps[i]))
			want(watches, ns->disk->maps[i].name, IN_CLOSE);
}

static int on_mount(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watches *watches = userdata;

	(void)source;
	(void)fd;
	(void)events;
	watches->written(watches->userdata);
	return 0;
}

/* Mounts and unmounts are of no interest but to who waits: a host may have many. */
static void watch_mounts(struct watches *watches, bool pending)
{
	int r;

	if (!pending) {
		watches->mounts = sd_event_source_disable_unref(watches->mounts);
		closep(&watches->mountinfo);
		return;
	}
	if (watches->mounts)
		return;
	closep(&watches->mountinfo); /* of a time when it could not be watched */
	/* The host's: our own lack what is below /home. */
	watches->mountinfo = open("/proc/1/mountinfo", O_RDONLY | O_CLOEXEC);
	r = watches->mountinfo < 0 ? -errno : sd_event_add_io(watches->event, &watches->mounts,
							      watches->mountinfo, EPOLLPRI,
							      on_mount, watches);
	if (r < 0)
		log_line(LOG_WARNING, "Cannot watch /proc/1/mountinfo: %s.", strerror(-r));
}

void watches_follow(struct watches *watches, const struct topology *topology, bool pending)
{
	size_t kept = 0;

	for (size_t i = 0; i < watches->n; i++)
		watches->watches[i]->wanted = false;
	for (size_t i = 0; i < topology->n_regions; i++)
		for (size_t j = 0; j < topology->regions[i].n_namespaces; j++)
			want_disk(watches, &topology->regions[i].namespaces[j], pending);
	for (size_t i = 0; i < watches->n; i++) {
		struct watch *watch = watches->watches[i];

		if (watch->wanted)
			watches->watches[kept++] = watch;
		else
			watch_free(watch);
	}
	watches->n = kept;
	watch_mounts(watches, pending);
}

int watches_new(sd_event *event, void (*written)(void *userdata), void *userdata,
		struct watches **ret)
{
	struct watches *watches = calloc(1, sizeof(*watches));

	if (!watches)
		return -ENOMEM;
	*watches = (struct watches){
		.event = event, .written = written, .userdata = userdata, .mountinfo = -1,
	};
	*ret = watches;
	return 0;
}

void watches_free(struct watches *watches)
{
	if (!watches)
		return;
	for (size_t i = 0; i < watches->n; i++)
		watch_free(watches->watches[i]);
	free(watches->watches);
	watch_mounts(watches, false);
	free(watches);
}
