/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "core/error-json.h"
#include "core/topology-json.h"

#define CMDLINE_MAX 65536
#define SWITCHED_OFF "switched off (daxd=off on the kernel's command line)"
#define WORKER LIBEXECDIR "/daxd-worker"
#define RUN_FOLDER "/run/daxd"
#define QUEUE RUN_FOLDER "/queue"

void client_init(struct client *client, const char *topology)
{
	*client = (struct client){ .worker = getenv("DAXD_WORKER"), .simulation = topology,
				   .queue = -1 };
}

void client_leave_queue(struct client *client)
{
	closep(&client->queue);
}

void client_queue(struct client *client)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	if (client->bus || client->simulation || client->queue >= 0 || geteuid() != 0 ||
	    file_make_folders(RUN_FOLDER, &error) < 0)
		return;
	client->queue = open(QUEUE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (client->queue >= 0 && flock(client->queue, LOCK_EX) < 0)
		if (errno != EINTR)
			client_leave_queue(client);
}

void client_clear(struct client *client)
{
	client_leave_queue(client);
	worker_free(TAKE(client->spare));
	topology_free(TAKE(client->after));
	scope_clear(&client->scope);
	bus_free(TAKE(client->bus));
}

/* Asking for a daxd that systemd will not start takes as long as the bus has patience. */
bool client_is_switched_off(void)
{
	_cleanup_(freep) char *words = NULL;
	struct error error = ERROR_INIT;
	char *rest, *word;
	size_t length;
	bool off = false;

	if (file_read("/proc/cmdline", CMDLINE_MAX, &words, &length, &error) < 0) {
		error_clear(&error);
		return false;
	}
	rest = words;
	while ((word = strsep(&rest, " \n")))
		off = off || strcmp(word, "daxd=off") == 0;
	return off;
}

static enum cli_exit open_bus(struct client *client, bool shortest, bool *off,
			      struct report *problems)
{
	*off = client_is_switched_off();
	return *off ? CLI_DONE : bus_open(client->ask_password, shortest, &client->bus, problems);
}

enum cli_exit client_connect(struct client *client, struct report *problems)
{
	enum cli_exit status;
	bool off;

	if (client->worker || client->simulation || client->bus)
		return CLI_DONE;
	status = open_bus(client, true, &off, problems);
	if (status != CLI_DONE || client->bus || geteuid() == 0)
		return status;
	problem_add(problems, EPERM,
		    off ? "run it with sudo" :
			  "\"systemctl start daxd\", or run it with sudo: root can do without",
		    "daxd is %s, and without it this needs root.",
		    off ? SWITCHED_OFF : "not running");
	return CLI_NOT_PERMITTED;
}

enum cli_exit client_need_daemon(struct client *client, struct report *problems)
{
	enum cli_exit status;
	bool off;

	if (client->bus)
		return CLI_DONE;
	status = open_bus(client, false, &off, problems);
	if (status != CLI_DONE || client->bus)
		return status;
	problem_add(problems, ENOTCONN,
		    off ? "boot without that word" : "systemctl start daxd",
		    "daxd is %s, and nothing else can do this.",
		    off ? SWITCHED_OFF : "not running");
	return CLI_FAILED;
}

/* What comes back, while the worker runs. */
struct answer {
	const char *from; /* whose it is */
	struct topology *topology; /* of scan */
	client_event *callback;	   /* of apply */
	void *userdata;
	bool ended; /* apply: there was an end event */
	enum outcome outcome;
	struct report *problems;
};

/* The worker is ours: words it should not say are a fault, or an old version. */
static int add_nonsense(struct answer *answer, struct report *report)
{
	struct error error = ERROR_INIT;
	int r;

	r = error_set(&error, EPROTO, "The answer of %s cannot be understood: %s",
		      answer->from, error_message(&report->errors[0]));
	(void)error_hint(&error, "daxctl-ext and %s must be of the same version",
			 answer->from);
	(void)report_take(answer->problems, &error);
	return r;
}

static int take_topology(void *userdata, char *line, size_t length)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	struct answer *answer = userdata;

	topology_free(TAKE(answer->topology)); /* a second line replaces the first */
	if (topology_parse(line, length, &answer->topology, &report) < 0)
		return add_nonsense(answer, &report);
	return 0;
}

static int take_event(void *userdata, char *line, size_t length)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(event_clear) struct event event = { 0 };
	struct answer *answer = userdata;

	if (topology_is_line(line))
		return take_topology(answer, line, length);
	if (event_parse(line, length, &event, &report) < 0)
		return add_nonsense(answer, &report);
	if (event.kind == EVENT_END) {
		answer->ended = true;
		answer->outcome = event.outcome;
	}
	answer->callback(answer->userdata, &event, line);
	return 0;
}

static void fill_argv(const struct client *client, const char *verb, char *argv[5])
{
	const char *words[] = { client->worker ? client->worker : WORKER, verb,
				client->simulation ? "--sim" : NULL, client->simulation, NULL };

	/* posix_spawn() takes char *const[] and changes nothing. */
	memcpy(argv, words, sizeof(words));
}

/* It ended without its answer. Why it says on stderr, unless it could not even do that. */
static enum cli_exit add_death(const struct worker_end *end, const char *hint,
			       struct report *problems)
{
	const char *said = end->last ? end->last : "it said nothing";
	_cleanup_(report_clear) struct report not_json = REPORT_INIT;
	struct error error = ERROR_INIT;
	enum cli_exit status;

	if (end->last && error_parse(end->last, strlen(end->last), &error, &not_json) == 0)
		hint = NULL; /* the worker's own is better */
	else if (WIFSIGNALED(end->status))
		(void)error_set(&error, EIO, "The worker was killed by signal %d (%s).",
				WTERMSIG(end->status), strsignal(WTERMSIG(end->status)));
	else
		(void)error_set(&error, EIO,
				"The worker gave up with status %d before it was done: %s.",
				WEXITSTATUS(end->status), said);
	if (hint)
		(void)error_hint(&error, "%s", hint);
	status = cli_exit_of(error.code);
	(void)report_take(problems, &error);
	return status;
}

static int start_worker(const struct client *client, const char *verb, bool own_group,
			struct worker **ret, struct error *reterr)
{
	char *argv[5];

	fill_argv(client, verb, argv);
	return worker_start(argv, own_group, ret, reterr);
}

/* To start takes it longer than most of what it does; it waits for its plan. */
static int start_applier(const struct client *client, struct worker **ret, struct error *reterr)
{
	return start_worker(client, client->recalls ? "apply-look" : "apply", true, ret, reterr);
}

static void start_spare(struct client *client)
{
	struct error error = ERROR_INIT;

	if (client->applies && !client->bus && !client->spare &&
	    start_applier(client, &client->spare, &error) < 0)
		error_clear(&error); /* it is tried again, and told, when there is a plan */
}

static enum cli_exit talk_to_worker(struct worker *worker, const char *input,
				    lines_take *callback, struct answer *answer,
				    struct interrupt *interrupt, struct worker_end *end)
{
	struct error error = ERROR_INIT;
	int r = worker_talk(worker, input, strlen(input), callback, answer, interrupt, end, &error);

	if (r == 0)
		return CLI_DONE;
	if (r == -EINTR)
		problem_add(answer->problems, EINTR,
			    "\"daxctl-ext status\" shows what it has done",
			    "The worker goes on with its plan, and nobody listens any more.");
	/* What a callback refused is in the problems; the rest is in the error. */
	if (r != -EPROTO && r != -EINTR)
		(void)report_take(answer->problems, &error);
	error_clear(&error);
	return CLI_FAILED;
}

static enum cli_exit no_worker(struct report *problems, struct error *error)
{
	(void)report_take(problems, error);
	return CLI_FAILED;
}

static enum cli_exit read_simulation(const char *file, struct topology **ret,
				     struct report *problems)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(freep) char *text = NULL;
	struct error error = ERROR_INIT;
	size_t length;

	if (file_read(file, TOPOLOGY_SIZE_MAX, &text, &length, &error) < 0) {
		(void)report_take(problems, &error);
		return CLI_FAILED;
	}
	if (topology_parse(text, length, ret, &report) < 0) {
		report_name_file(&report, 0, file);
		problems_take(problems, &report);
		return CLI_INVALID;
	}
	return CLI_DONE;
}

/* daxd's answer is read as the worker's is, from whom it has it. */
static enum cli_exit scan_by_daemon(struct client *client, enum client_look look,
				    struct answer *answer)
{
	_cleanup_(freep) char *text = NULL;
	enum cli_exit status = bus_get_topology(client->bus, look == LOOK_QUICK, &text,
					       answer->problems);

	answer->from = "daxd";
	if (status != CLI_DONE)
		return status;
	return take_topology(answer, text, strlen(text)) < 0 ? CLI_FAILED : CLI_DONE;
}

static enum cli_exit scan_by_worker(struct client *client, enum client_look look,
				    struct answer *answer)
{
	static const char *const verbs[] = { "scan", "list", "objects" };
	_cleanup_(worker_end_clear) struct worker_end end = { 0 };
	_cleanup_(worker_freep) struct worker *worker = NULL;
	struct error error = ERROR_INIT;
	enum cli_exit status;

	if (start_worker(client, verbs[look], false, &worker, &error) < 0)
		return no_worker(answer->problems, &error);
	start_spare(client);
	status = talk_to_worker(worker, "", take_topology, answer, NULL, &end);
	if (status == CLI_DONE && (!answer->topology || end.status != 0))
		status = add_death(&end, NULL, answer->problems);
	return status;
}

bool client_recall(struct client *client, struct topology *before, struct topology **ret)
{
	if (!client->after || !before ||
	    topology_complete(client->after, before, &client->scope) < 0)
		return false;
	topology_free_lender(before, client->after);
	*ret = TAKE(client->after);
	return true;
}

enum cli_exit client_scan(struct client *client, enum client_look look, struct topology **ret,
			  struct report *problems)
{
	struct answer answer = { .from = "daxd-worker", .problems = problems };
	enum cli_exit status;

	topology_free(TAKE(client->after)); /* what is seen now is newer */
	if (client->simulation)
		return read_simulation(client->simulation, ret, problems);
	/* Root need not ask: a worker of its own answers sooner, and to look starts no daemon. */
	status = geteuid() == 0 ? CLI_DONE : client_connect(client, problems);
	if (status != CLI_DONE)
		return status;
	status = client->bus ? scan_by_daemon(client, look, &answer) :
			       scan_by_worker(client, look, &answer);
	if (status != CLI_DONE) {
		topology_free(answer.topology);
		return status;
	}
	*ret = answer.topology;
	return CLI_DONE;
}

enum cli_exit client_apply(struct client *client, const struct plan *plan,
			   client_event *callback, void *userdata, struct interrupt *interrupt,
			   enum outcome *ret, struct report *problems)
{
	_cleanup_(worker_end_clear) struct worker_end end = { 0 };
	_cleanup_(worker_freep) struct worker *worker = TAKE(client->spare);
	_cleanup_(freep) char *text = plan_to_json(plan, false);
	struct error error = ERROR_INIT;
	struct answer answer = {
		.from = "daxd-worker",
		.callback = callback,
		.userdata = userdata,
		.problems = problems,
	};
	enum cli_exit status;

	if (!text) {
		problem_add(problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	if (!worker && start_applier(client, &worker, &error) < 0)
		return no_worker(problems, &error);
	status = talk_to_worker(worker, text, take_event, &answer, interrupt, &end);
	topology_free(TAKE(client->after));
	scope_clear(&client->scope);
	if (scope_of_plan(plan, false, &client->scope) == 0)
		client->after = TAKE(answer.topology);
	topology_free(answer.topology);
	if (status == CLI_DONE && !answer.ended)
		status = add_death(&end,
				   "nothing is lost: run it again, and it goes on from what "
				   "the machine has now",
				   problems);
	if (status == CLI_DONE)
		*ret = answer.outcome;
	return status;
}
