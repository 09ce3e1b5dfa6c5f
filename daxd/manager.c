/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "bus.h"
#include "core/topology-json.h"
#include "host/folders.h"
#include "disks.h"
#include "job.h"
#include "log.h"
#include "monitor.h"
#include "queue.h"
#include "rivals.h"
#include "scanner.h"
#include "service.h"
#include "watch.h"
#include "windows.h"
#include "worker-spares.h"

#define SECOND UINT64_C(1000000)
#define TRIES 3		     /* of the same change */
#define BUSY_DELAY (5 * SECOND) /* somebody else's apply */
#define BUSY_TRIES 24		/* two minutes of that hold up the boot, no more */
#define BLIND_DELAY_MAX (60 * SECOND)
#define SETTLE (3 * SECOND)	/* what is half probed looks as if it could not be had */
#define UDEV_PATIENCE (10 * SECOND)
#define UDEV_TICK (SECOND / 20)
#define START_MARGIN (120 * SECOND) /* for work that follows a wait */

static uint64_t now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec / 1000;
}

static void ask_for_scan(struct manager *manager)
{
	int r = scanner_request(manager->scanner, NULL, NULL);

	if (r < 0)
		log_line(LOG_ERR, "Cannot look at the machine: %s.", strerror(-r));
}

/* The daemon cannot be right without memory; the next one begins with a look at the machine. */
static void out_of_memory(struct manager *manager)
{
	log_line(LOG_CRIT, "There is no memory left; giving up.");
	(void)sd_event_exit(manager->event, -ENOMEM); /* it fails only when it is exiting */
}

bool manager_is_configured(const struct manager *manager)
{
	return manager->topology && !manager->mistakes.n &&
	       standings_all_present(&manager->standings);
}

/*
 * Take over what is new (NULL: as it was), judge, and tell the world what has changed.  Old and
 * new exist side by side until that is done.  What the topology leaves out, because its scope
 * (NULL: all) does, is as it was.
 */
static void update(struct manager *manager, struct config *config, struct topology *topology,
		   const struct scope *scope)
{
	struct config *old_config = config ? manager->config : NULL;
	struct topology *old_topology = topology ? manager->topology : NULL;
	uint64_t elapsed = (now_usec() - manager->since) / SECOND;
	struct standings standings = { 0 }, old_standings = manager->standings;
	struct view view = { 0 }, old_view = manager->view;
	struct plan *old_disks = TAKE(manager->disks);

	if (old_topology && topology_complete(topology, old_topology, scope) < 0) {
		topology_free(topology);
		out_of_memory(manager);
		return;
	}
	manager->config = config ? config : manager->config;
	manager->topology = topology ? topology : manager->topology;
	plan_free(TAKE(manager->plan));
	if (standings_judge(manager->config, manager->topology, elapsed, &standings,
			    &manager->plan) < 0 ||
	    (manager->topology && disks_plan(manager->topology, &manager->disks) < 0)) {
		out_of_memory(manager);
		return;
	}
	standings_add_failures(&standings, manager->config, &manager->failures);
	if (view_make(manager->config, &standings, manager->topology, manager->disks, &view) < 0) {
		standings_clear(&standings);
		out_of_memory(manager);
		return;
	}
	bus_objects_leave(manager->bus, &old_view, &view);
	if (topology)
		windows_publish(topology, &manager->twins);
	manager->standings = standings;
	manager->view = view;
	bus_objects_enter(manager->bus, &old_view, &view);
	bus_manager_changed(manager->bus);
	view_clear(&old_view);
	plan_free(old_disks);
	standings_clear(&old_standings);
	config_free(old_config);
	if (scope)
		topology_free_lender(old_topology, manager->topology);
	else
		topology_free(old_topology); /* nothing is lent */
}

/* What is to be done next: for the configuration, then for disks that need not be in it. */
static const struct plan *next_plan(const struct manager *manager)
{
	if (manager->plan && manager->plan->n_steps)
		return manager->plan;
	return manager->disks && manager->disks->n_steps ? manager->disks : NULL;
}

/* A job owns its plan, and the view needs that for disks. */
static int take_plan(struct manager *manager, struct plan **ret)
{
	if (next_plan(manager) == manager->disks)
		return disks_plan(manager->topology, ret);
	*ret = TAKE(manager->plan);
	return 0;
}

/*
 * The machine is as the last job found it, though that was done: somebody undoes it, or it cannot
 * be seen.  It is done again and again, but ever more seldom.
 */
static bool is_vain(struct manager *manager)
{
	if (manager->digest != manager->done_digest || manager->again) {
		manager->again = false;
		return false;
	}
	manager->again = true;
	manager->hold = HOLD_TIME;
	manager->retry = now_usec() + (SECOND << (manager->n_vain < 6 ? manager->n_vain : 6));
	manager->n_vain++;
	return true;
}

/* May what a plan of the last look says be tried now? */
static bool may_try(struct manager *manager)
{
	switch (manager->hold) {
	case HOLD_NONE:
		return !is_vain(manager);
	case HOLD_TIME:
		return false;
	case HOLD_CHANGE:
		if (!manager->failed_digest || manager->digest == manager->failed_digest)
			return false;
		manager->hold = HOLD_NONE;
		manager->n_failures = 0;
		return true;
	}
	return false;
}

static void start_job(struct manager *manager)
{
	struct plan *plan = NULL;
	int r = take_plan(manager, &plan);
	struct job *job = r < 0 ? NULL : job_new(manager, JOB_CONFIGURATION, 0, NULL, plan);

	manager->tried_digest = manager->digest;
	r = job ? queue_add(manager->queue, job) : -ENOMEM;

	if (r < 0)
		log_line(LOG_ERR, "Cannot begin with the configuration: %s.", strerror(-r));
}

/* Something cannot be had, but the machine has changed only just now: it may be half probed. */
static bool is_in_doubt(const struct manager *manager)
{
	return !standings_all_present(&manager->standings) && now_usec() < manager->settled;
}

static void arm_timer(struct manager *manager)
{
	uint64_t late = standings_next_late(&manager->standings, manager->config);
	uint64_t next = UINT64_MAX;

	if (late != UINT64_MAX)
		next = manager->since + late * SECOND;
	if (manager->hold == HOLD_TIME && manager->retry < next)
		next = manager->retry;
	if (manager->blindness.code && manager->look_again < next)
		next = manager->look_again;
	if (is_in_doubt(manager) && manager->settled < next)
		next = manager->settled;
	if (manager->check_files && manager->check_files < next)
		next = manager->check_files;
	/* Both fail only for a source that is not there. */
	(void)sd_event_source_set_time(manager->timer, next);
	(void)sd_event_source_set_enabled(manager->timer,
					  next == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

/* Which volumes are not there, and why: once for each reading of the configuration. */
static void log_missing(struct manager *manager)
{
	for (size_t i = 0; i < manager->standings.n; i++) {
		const struct standing *standing = &manager->standings.standings[i];

		if (manager->told[i] || !standing->problems.n ||
		    standing->state == VOLUME_WAITING)
			continue;
		manager->told[i] = true;
		log_volume(&manager->config->volumes[i], standing->state, &standing->problems);
	}
}

/*
 * systemd merges a reload that is asked for while daxd starts into the start: files that have
 * changed since they were read are read again before daxd says that it is ready, and once more
 * when systemd has heard of that.
 */
static bool reload_if_changed(struct manager *manager)
{
	_cleanup_(freep) char *stamp = folders_stamp(manager->folders);

	manager->check_files = 0;
	if (!stamp || !manager->stamp || strcmp(stamp, manager->stamp) == 0)
		return false;
	manager_reload(manager);
	return true;
}

/*
 * Nothing can be done as long as the machine cannot be seen.  A worker that was killed is no
 * reason to go on without any volume; something that hangs in the kernel is.
 */
static bool is_blind_for_now(const struct manager *manager)
{
	return manager->blindness.code != ETIMEDOUT && manager->n_blind < TRIES;
}

/* A job did not do what it should, and there will soon be another one. */
static bool is_trying(const struct manager *manager)
{
	return manager->hold == HOLD_TIME &&
	       (manager->n_failures || (manager->n_busy && manager->n_busy < BUSY_TRIES));
}

/* Everything that can be had is there, and who waits has waited long enough. */
static void tell_when_ready(struct manager *manager)
{
	uint64_t late = standings_next_late(&manager->standings, manager->config);

	if (manager->ready || !(manager->topology || manager->blindness.code))
		return;
	if (manager->blindness.code ? is_blind_for_now(manager) :
				      late != UINT64_MAX || is_trying(manager) ||
					      is_in_doubt(manager)) {
		(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64,
				 (late == UINT64_MAX ? 0 : late * SECOND) + START_MARGIN);
		return;
	}
	if (reload_if_changed(manager))
		return;
	manager->ready = true;
	(void)sd_notify(0, "READY=1");
	manager->check_files = now_usec() + SECOND;
	log_line(LOG_INFO, "Ready: %zu of %zu volume%s as configured.",
		 standings_count(&manager->standings, VOLUME_PRESENT), manager->standings.n,
		 manager->standings.n == 1 ? " is" : "s are");
}

/* Files that were written again, as an upgrade does, say what they said. */
static bool say_the_same(const struct manager *manager)
{
	_cleanup_(report_clear) struct report mistakes = REPORT_INIT;
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(freep) char *before = NULL, *now = NULL;

	if (folders_load(manager->folders, &config, &mistakes) < 0)
		return false;
	before = config_to_json(manager->config);
	now = config_to_json(config);
	return before && now && strcmp(before, now) == 0 && mistakes.n == manager->mistakes.n;
}

/*
 * What was read and is not so any more need not be wanted any more: a volume that was destroyed
 * after its file was removed would be made again, empty.  Somebody has to say what counts.
 */
static bool is_as_read(struct manager *manager)
{
	_cleanup_(freep) char *now = folders_stamp(manager->folders);
	bool kept = now && manager->stamp &&
		    (folders_are_kept(manager->stamp, now) || say_the_same(manager));

	if (kept == !manager->unread.n)
		return kept;
	report_clear(&manager->unread);
	if (!kept) {
		(void)report_add(&manager->unread, NULL, ESTALE,
				 "daxctl-ext apply (or systemctl reload daxd) reads them",
				 "Files of the configuration have changed since they were read, and "
				 "nothing is done by them until they are read again.");
		log_error(LOG_WARNING, "Configuration", &manager->unread.errors[0]);
	}
	bus_manager_changed(manager->bus);
	return kept;
}

static void converge(struct manager *manager)
{
	if (manager->stopping || !manager->begun || !queue_is_idle(manager->queue))
		return;
	if (next_plan(manager) && is_as_read(manager) && may_try(manager)) {
		start_job(manager);
	} else {
		if (!is_in_doubt(manager))
			log_missing(manager);
		tell_when_ready(manager);
		arm_timer(manager);
	}
	service_tell_status(manager);
}

static void be_blind(struct manager *manager, const struct error *error)
{
	uint64_t delay = SECOND << (manager->n_blind < 6 ? manager->n_blind : 6);

	manager->n_blind++;
	error_clear(&manager->blindness);
	if (error_copy(&manager->blindness, error) < 0)
		(void)error_oom(&manager->blindness);
	manager->look_again = now_usec() + (delay < BLIND_DELAY_MAX ? delay : BLIND_DELAY_MAX);
	log_error(LOG_ERR, "Cannot look at the machine", error);
	bus_manager_changed(manager->bus);
}

static void note_change(struct manager *manager, uint64_t digest)
{
	if (digest == manager->digest)
		return;
	manager->digest = digest;
	manager->settled = now_usec() + SETTLE;
}

static void look_for_rivals(struct manager *manager)
{
	if (manager->rivals_known)
		return;
	manager->rivals_known = true;
	rivals_find("", manager->config, manager->topology, &manager->rivals);
	for (size_t i = 0; i < manager->rivals.n; i++)
		log_error(LOG_WARNING, "Note", &manager->rivals.errors[i]);
	bus_manager_changed(manager->bus);
}

static void on_scan(void *userdata, struct topology *topology, const struct error *error)
{
	struct manager *manager = userdata;

	if (!topology) {
		be_blind(manager, error);
		converge(manager);
		return;
	}
	error_clear(&manager->blindness);
	manager->n_blind = 0;
	manager->since_job = true;
	update(manager, NULL, topology, NULL);
	watches_follow(manager->watches, topology, manager->disks && manager->disks->n_drifts);
	look_for_rivals(manager);
	note_change(manager, topology_digest(topology, NULL));
	if (manager->digest != manager->done_digest)
		manager->n_vain = 0;
	if (manager->n_failures && !manager->failed_digest && queue_is_idle(manager->queue))
		manager->failed_digest = manager->digest;
	converge(manager);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t now = now_usec();

	(void)source;
	(void)usec;
	if (manager->check_files && now >= manager->check_files && reload_if_changed(manager))
		return 0;
	if (manager->hold == HOLD_TIME && now >= manager->retry) {
		manager->hold = HOLD_NONE;
		ask_for_scan(manager);
	} else if ((manager->blindness.code && now >= manager->look_again) ||
		   (!manager->ready && now >= manager->settled)) {
		ask_for_scan(manager);
	} else {
		update(manager, NULL, NULL, NULL);
		converge(manager);
	}
	return 0;
}

static void on_written(void *userdata)
{
	struct manager *manager = userdata;

	monitor_note(manager->monitor);
}

static void on_devices(void *userdata)
{
	struct manager *manager = userdata;

	/* While jobs run, it is they who change things; there is a look when they are done. */
	if (manager->begun && queue_is_idle(manager->queue) && !manager->stopping)
		ask_for_scan(manager);
}

/*
 * At boot udev is at work on what was there before it: links and owners that it is about to
 * make would be missed, and made once more.
 */
static int on_starter(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t now = now_usec();

	(void)usec;
	if (!monitor_is_settled(manager->monitor) && now < manager->since + UDEV_PATIENCE) {
		/* Both fail only for a source that is not there. */
		(void)sd_event_source_set_time(source, now + UDEV_TICK);
		(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	manager->begun = true;
	ask_for_scan(manager);
	return 0;
}

static void take_failure(struct manager *manager, struct job *job)
{
	manager->n_failures++;
	manager->failed_digest = 0;
	report_clear(&manager->failures);
	for (size_t i = 0; i < job->problems.n; i++) {
		struct error copy = ERROR_INIT;

		/* Without memory for it, it is in the journal at least. */
		if (error_copy(&copy, &job->problems.errors[i]) == 0)
			(void)report_take(&manager->failures, &copy);
	}
	if (job->outcome == JOB_CANCELLED || manager->n_failures >= TRIES) {
		manager->hold = HOLD_CHANGE;
		return;
	}
	manager->hold = HOLD_TIME;
	manager->retry = now_usec() + SECOND * manager->n_failures * manager->n_failures;
}

/* No failure of the configuration's: the same may be done a little later. */
static void put_off(struct manager *manager, uint64_t delay)
{
	manager->n_busy++;
	manager->hold = HOLD_TIME;
	manager->retry = now_usec() + delay;
}

static void forget_failures(struct manager *manager)
{
	manager->n_failures = 0;
	manager->n_busy = 0;
	manager->hold = HOLD_NONE;
	report_clear(&manager->failures);
}

/* What the worker saw when it had done is all that the job has changed. */
static void take_machine(struct manager *manager, struct job *job)
{
	_cleanup_(scope_clear) struct scope scope = { 0 };

	manager->since_job = job->after && manager->topology &&
			     scope_of_plan(job->plan, false, &scope) == 0;
	if (!manager->since_job)
		return; /* what it has changed is seen with the next look */
	update(manager, NULL, TAKE(job->after), &scope);
	note_change(manager, topology_digest(manager->topology, NULL));
}

void manager_job_ended(struct manager *manager, struct job *job)
{
	scanner_expire(manager->scanner);
	take_machine(manager, job);
	manager->done_digest = 0;
	if (job->outcome == JOB_DONE && job->operation == JOB_CONFIGURATION)
		manager->done_digest = manager->tried_digest;
	if (job->outcome == JOB_DONE || job->outcome == JOB_PARTIAL) {
		forget_failures(manager);
	} else if (job->operation == JOB_CONFIGURATION && job->outcome == JOB_BUSY) {
		put_off(manager, BUSY_DELAY);
	} else if (job->operation == JOB_CONFIGURATION && job_was_stale(job)) {
		put_off(manager, manager->n_busy < BUSY_TRIES ? SECOND : BUSY_DELAY);
	} else if (job->operation == JOB_CONFIGURATION) {
		take_failure(manager, job);
	}
}

const struct topology *manager_memory(const struct manager *manager)
{
	return manager->since_job && !manager->blindness.code ? manager->topology : NULL;
}

/* What a job changes is looked at when it has ended; until then each event would only cost time. */
void manager_job_starts(struct manager *manager)
{
	service_job_starts(manager);
	monitor_listen(manager->monitor, false);
}

void manager_idle(struct manager *manager)
{
	monitor_listen(manager->monitor, true);
	if (manager->stopping)
		service_leave(manager);
	else if (manager->since_job && manager->ready)
		monitor_note(manager->monitor); /* there is no hurry: the worker has told */
	else
		ask_for_scan(manager);
}

static int load(struct manager *manager)
{
	struct config *config;
	bool *told;
	int r;

	report_clear(&manager->mistakes);
	report_clear(&manager->unread);
	free(manager->stamp);
	manager->stamp = folders_stamp(manager->folders);
	r = folders_load(manager->folders, &config, &manager->mistakes);
	if (r < 0)
		return r;
	told = calloc(config->n_volumes + 1, sizeof(*told));
	if (!told) {
		config_free(config);
		return -ENOMEM;
	}
	free(manager->told);
	manager->told = told;
	for (size_t i = 0; i < manager->mistakes.n; i++)
		log_error(LOG_ERR, "Configuration", &manager->mistakes.errors[i]);
	report_clear(&manager->rivals);
	manager->rivals_known = false;
	/* While it starts, volumes wait from the start on: files must not hold up the boot. */
	if (!manager->since || manager->ready)
		manager->since = now_usec();
	forget_failures(manager);
	update(manager, config, NULL, NULL);
	return 0;
}

void manager_reload(struct manager *manager)
{
	if (load(manager) < 0)
		out_of_memory(manager);
	else if (queue_is_idle(manager->queue))
		ask_for_scan(manager);
}

void manager_stop(struct manager *manager)
{
	if (manager->stopping)
		return;
	manager->stopping = true;
	service_stops(manager);
	queue_stop(manager->queue);
}

static int set_up(struct manager *manager, const struct manager_options *options,
		  struct error *reterr)
{
	int r;

	r = sd_event_add_time(manager->event, &manager->timer, CLOCK_MONOTONIC, UINT64_MAX, 0,
			      on_timer, manager);
	if (r >= 0)
		r = sd_event_source_set_enabled(manager->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(manager->event, &manager->starter, CLOCK_MONOTONIC, 0, 1000,
				      on_starter, manager);
	if (r >= 0)
		r = service_new(manager);
	if (r >= 0)
		r = worker_spares_new(manager->event, options->worker, &manager->spares);
	if (r >= 0)
		r = scanner_new(manager->event, manager->spares, options->scan_limit, on_scan,
				manager, &manager->scanner);
	if (r >= 0)
		r = queue_new(manager, manager->event, &manager->queue);
	if (r >= 0)
		r = watches_new(manager->event, on_written, manager, &manager->watches);
	if (r >= 0)
		r = load(manager);
	if (r < 0)
		return error_set(reterr, -r, "Cannot begin: %s.", strerror(-r));
	r = monitor_new(manager->event, on_devices, manager, &manager->monitor, reterr);
	if (r == 0)
		r = bus_new(manager, options->private_socket, &manager->bus, reterr);
	return r;
}

int manager_new(sd_event *event, const struct manager_options *options, struct manager **ret,
		struct error *reterr)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return error_oom(reterr);
	*manager = (struct manager){
		.event = event, .folders = options->folders,
	};
	r = set_up(manager, options, reterr);
	if (r < 0) {
		manager_free(manager);
		return r;
	}
	*ret = manager;
	return 0;
}

void manager_free(struct manager *manager)
{
	if (!manager)
		return;
	bus_free(TAKE(manager->bus));
	watches_free(manager->watches);
	monitor_free(manager->monitor);
	queue_free(manager->queue);
	scanner_free(manager->scanner);
	worker_spares_free(manager->spares);
	(void)sd_event_source_disable_unref(manager->timer);
	(void)sd_event_source_disable_unref(manager->starter);
	(void)sd_event_source_disable_unref(manager->patience);
	view_clear(&manager->view);
	standings_clear(&manager->standings);
	plan_free(manager->plan);
	plan_free(manager->disks);
	config_free(manager->config);
	topology_free(manager->topology);
	report_clear(&manager->twins);
	report_clear(&manager->unread);
	report_clear(&manager->mistakes);
	report_clear(&manager->rivals);
	report_clear(&manager->failures);
	error_clear(&manager->blindness);
	free(manager->told);
	free(manager->stamp);
	free(manager);
}
