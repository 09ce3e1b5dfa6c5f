/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daxd-worker: the only program that touches the machine.  It does one job and ends.
 *
 *   daxd-worker [--sim FILE] scan     the topology as one line of JSON on standard output
 *   daxd-worker objects               the same without who holds what
 *   daxd-worker list                  the same, as far as a list of dax devices needs it
 *   daxd-worker [--sim FILE] apply    a plan on standard input, events on standard output
 *   daxd-worker [--sim FILE] apply-look
 *                                     the same, and after the last event, unless nothing was
 *                                     begun, what the regions of the plan and the records have
 *                                     become
 *
 * With --spare a scan, too, begins when its standard input ends: daxd starts workers before there
 * is work for them.  With --sim the machine is simulated: it is read from FILE, and apply writes back what it has
 * become.  A failed scan is one JSON object on standard error and exit status 1; apply tells
 * everything by its events and ends with 0 once the last one is written.  SIGTERM and SIGINT
 * cancel an apply: it stops between two steps and takes back what is half made.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inherited.h"
#include "core/error-json.h"
#include "core/event.h"
#include "core/plan.h"
#include "core/topology-json.h"
#include "exec/backend.h"
#include "exec/executor.h"
#include "exec/journal.h"
#include "exec/lock.h"

#define PLAN_SIZE_MAX (512u << 20)
#define LOCK_FOLDER "/run/daxd"

struct options {
	const char *sim;   /* topology file, NULL: the kernel */
	const char *state; /* folder of records and journal */
	bool spare;	   /* there is no work yet: begin when stdin ends */
};

/* A report of a document that should have been right is passed on as its first error. */
static int first_of(struct report *report, struct error *reterr)
{
	int r = report_code(report);

	error_move(reterr, &report->errors[0]);
	report_clear(report);
	return r;
}

static int load_simulation(const char *path, struct backend **ret, struct error *reterr)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(topology_freep) struct topology *topology = NULL;
	struct report report = REPORT_INIT;
	size_t length;
	int r;

	r = file_read(path, TOPOLOGY_SIZE_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	if (topology_parse(text, length, &topology, &report) < 0)
		return first_of(&report, reterr);
	r = sim_backend_new(topology, ret, reterr);
	if (r == 0)
		topology = NULL;
	return r;
}

static int open_backend(const struct options *options, struct backend **ret, struct error *reterr)
{
	_cleanup_(freep) char *records = NULL;

	if (options->sim)
		return load_simulation(options->sim, ret, reterr);
	if (asprintf(&records, "%s/state.json", options->state) < 0)
		return error_oom(reterr);
	return kernel_backend_new(records, ret, reterr);
}

static int print_line(const char *text)
{
	return printf("%s\n", text) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

/*
 * A writer that was killed may have left a region without its driver.  It must not look as if
 * that were so for good, so whoever looks next puts it back, unless somebody writes now.
 */
static void recover(void)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(closep) int lock = -1;

	if (geteuid() != 0 || !kernel_backend_must_recover())
		return;
	lock = lock_take(LOCK_FOLDER "/lock", &error);
	if (lock >= 0)
		kernel_backend_recover();
}

/* Until stdin ends; what it says to a scan does not matter. */
static void wait_for_work(void)
{
	char bytes[64];

	while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
		; /* as said above */
}

static int print_topology(const struct topology *topology, struct error *reterr)
{
	_cleanup_(freep) char *text = topology_to_json(topology, false);
	int r;

	if (!text)
		return error_oom(reterr);
	r = print_line(text);
	return r < 0 ? error_set(reterr, -r, "Cannot write the topology.") : 0;
}

/* How much is asked for. */
enum look { LOOK_ALL, LOOK_OBJECTS, LOOK_LIST };

static int scan(const struct options *options, enum look look, struct error *reterr)
{
	_cleanup_(backend_freep) struct backend *backend = NULL;
	_cleanup_(topology_freep) struct topology *topology = NULL;
	int r;

	if (options->spare)
		wait_for_work();
	if (!options->sim)
		recover();
	r = open_backend(options, &backend, reterr);
	if (r == 0 && look == LOOK_LIST && !options->sim)
		kernel_backend_be_brief(backend);
	if (r == 0)
		r = look == LOOK_ALL ? backend_scan(backend, &topology, reterr) :
					 backend_scan_objects(backend, NULL, &topology, reterr);
	return r < 0 ? r : print_topology(topology, reterr);
}

/*
 * Whoever listens may go away; the work is finished all the same, since stopping between two
 * steps would help nobody.
 */
static void tell(void *userdata, const struct event *event)
{
	_cleanup_(freep) char *line = event_to_json(event);

	(void)userdata;
	if (line)
		(void)printf("%s\n", line);
}

static void told(void *userdata)
{
	(void)userdata;
	(void)fflush(stdout); /* see tell() */
}

/*
 * Signals that cancel stay blocked and are asked for, because one that is delivered would make
 * the kernel give up what waits: offlining memory fails with EINTR then.
 */
static void block_cancelling(void)
{
	sigset_t set;

	/* None of these can fail with signals that exist. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_cancelled(void *userdata)
{
	sigset_t pending;

	(void)userdata;
	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static int read_plan(struct plan **ret, struct error *reterr)
{
	_cleanup_(freep) char *text = NULL;
	struct report report = REPORT_INIT;
	size_t length;
	int r;

	r = file_read("-", PLAN_SIZE_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	if (plan_parse(text, length, ret, &report) < 0)
		return first_of(&report, reterr);
	return 0;
}

static int save_simulation(const struct options *options, const struct backend *backend,
			   struct error *reterr)
{
	_cleanup_(freep) char *text = topology_to_json(sim_topology(backend), true);

	if (!text)
		return error_oom(reterr);
	return file_replace(options->sim, text, strlen(text), reterr);
}

static int open_journal(const struct options *options, struct journal **ret, struct error *reterr)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s/journal", options->state) < 0)
		return error_oom(reterr);
	return journal_open(path, ret, reterr);
}

static int prepare(const struct options *options, int *lock, struct journal **journal,
		   struct error *reterr)
{
	int r;

	if (options->sim)
		return 0;
	if (geteuid() != 0) {
		(void)error_set(reterr, EPERM, "Changing devices needs root.");
		return error_hint(reterr, "run it with sudo.");
	}
	r = file_make_folders(LOCK_FOLDER, reterr);
	if (r == 0)
		r = file_make_folders(options->state, reterr);
	if (r == 0)
		r = *lock = lock_take(LOCK_FOLDER "/lock", reterr);
	if (r < 0)
		return r;
	kernel_backend_recover();
	return open_journal(options, journal, reterr);
}

/* Whoever asks next what the machine is like need not look; without it they will. */
static void tell_machine(struct backend *backend, const struct plan *plan)
{
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(scope_clear) struct scope scope = { 0 };
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	if (scope_of_plan(plan, false, &scope) == 0 &&
	    backend_scan_objects(backend, &scope, &topology, &error) == 0)
		(void)print_topology(topology, &error);
}

static int apply(const struct options *options, bool looks, struct error *reterr)
{
	_cleanup_(closep) int lock = -1; /* given back last: what a backend puts back is under it */
	_cleanup_(backend_freep) struct backend *backend = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(journal_freep) struct journal *journal = NULL;
	struct executor executor = { .tell = tell, .told = told,
				     .cancelled = is_cancelled };
	enum outcome outcome;
	int r;

	r = read_plan(&plan, reterr);
	block_cancelling();
	if (r == 0)
		r = prepare(options, &lock, &journal, reterr);
	if (r == 0)
		r = open_backend(options, &backend, reterr);
	if (r < 0)
		return r;
	executor.backend = backend;
	executor.journal = journal;
	outcome = executor_run(&executor, plan); /* which it has told */
	r = options->sim ? save_simulation(options, backend, reterr) : 0;
	if (r == 0 && looks && outcome != OUTCOME_STALE)
		tell_machine(backend, plan);
	return r;
}

static int run_apply(const struct options *options, bool looks)
{
	struct event end = { .kind = EVENT_END };

	if (apply(options, looks, &end.error) < 0) {
		end.outcome = end.error.code == EBUSY ? OUTCOME_BUSY : OUTCOME_FAILED;
		tell(NULL, &end);
		told(NULL);
		event_clear(&end);
	}
	return 0;
}

static int run_scan(const struct options *options, enum look look)
{
	struct error error = ERROR_INIT;
	_cleanup_(freep) char *text = NULL;

	if (scan(options, look, &error) == 0)
		return 0;
	text = error_to_json(&error);
	(void)fprintf(stderr, "%s\n", text ? text : "{}");
	error_clear(&error);
	return 1;
}

/* false: there is no such verb. */
static bool run_verb(const struct options *options, const char *verb, int *status)
{
	if (strcmp(verb, "scan") == 0)
		*status = run_scan(options, LOOK_ALL);
	else if (strcmp(verb, "objects") == 0)
		*status = run_scan(options, LOOK_OBJECTS);
	else if (strcmp(verb, "list") == 0)
		*status = run_scan(options, LOOK_LIST);
	else if (strcmp(verb, "apply") == 0)
		*status = run_apply(options, false);
	else if (strcmp(verb, "apply-look") == 0)
		*status = run_apply(options, true);
	else
		return false;
	return true;
}

int main(int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "sim", required_argument, NULL, 's' },
		{ "state", required_argument, NULL, 'd' },
		{ "spare", no_argument, NULL, 'w' },
		{ 0 },
	};
	struct options options = { .state = STATEDIR };
	int c, status;

	(void)signal(SIGPIPE, SIG_IGN); /* see tell() */
	inherited_close_devices();
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		if (c == 's')
			options.sim = optarg;
		else if (c == 'd')
			options.state = optarg;
		else if (c == 'w')
			options.spare = true;
		else
			return 2;
	}
	if (argc - optind == 1 && run_verb(&options, argv[optind], &status))
		return status;
	(void)fprintf(stderr, "usage: daxd-worker [--sim FILE] [--state FOLDER] "
		      "scan|objects|list|apply|apply-look\n");
	return 2;
}
