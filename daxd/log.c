/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "base/text.h"
#include "job.h"

#define FIELDS_MAX 80 /* of an entry: more volumes than that are counted, not named */

void log_line(int priority, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	(void)fprintf(stderr, "<%d>%s\n", priority, text ? text : format);
}

/* The sentence, with the document, the place in it ("" is all of it) and the hint; or NULL. */
static char *describe(const struct error *error)
{
	bool placed = error->pointer && *error->pointer;
	struct text text = { 0 };

	text_add(&text, "%s", error_message(error));
	if (error->file)
		text_add(&text, " In %s", error->file);
	if (placed)
		text_add(&text, "%s%s", error->file ? " at " : " At ", error->pointer);
	if (error->file || placed)
		text_add(&text, ".");
	if (error->hint)
		text_add(&text, " Hint: %s", error->hint);
	return text_finish(&text);
}

void log_error(int priority, const char *what, const struct error *error)
{
	_cleanup_(freep) char *text = describe(error);

	log_line(priority, "%s: %s", what, text ? text : error_message(error));
}

/* An entry is made of fields; the same field may be there more than once. */
struct entry {
	struct iovec fields[FIELDS_MAX];
	int n;
};

static void entry_clear(struct entry *entry)
{
	for (int i = 0; i < entry->n; i++)
		free(entry->fields[i].iov_base);
}

static void _printf_(2, 3) add_field(struct entry *entry, const char *format, ...)
{
	char *text;
	va_list args;
	int length;

	if (entry->n == FIELDS_MAX)
		return;
	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length >= 0)
		entry->fields[entry->n++] = (struct iovec){ text, (size_t)length };
}

static void add_volumes(struct entry *entry, const struct plan *plan)
{
	const char *last = "";

	for (size_t i = 0; plan && i < plan->n_steps && entry->n < FIELDS_MAX; i++) {
		const char *volume = plan->steps[i].volume;

		if (volume && strcmp(volume, last) != 0)
			add_field(entry, "DAXD_VOLUME=%s", last = volume);
	}
}

/* The first of the volumes that it was about; NULL: there is none. */
static const char *first_volume(const struct plan *plan, bool *others)
{
	const char *first = NULL;

	*others = false;
	for (size_t i = 0; plan && i < plan->n_steps && !*others; i++) {
		const char *volume = plan->steps[i].volume;

		*others = first && volume && strcmp(volume, first) != 0;
		first = first ? first : volume;
	}
	return first;
}

void log_job(const struct job *job)
{
	bool others;
	const char *volume = first_volume(job->plan, &others);
	_cleanup_(entry_clear) struct entry entry = { .n = 0 };
	bool good = job->outcome == JOB_DONE;
	const struct error *problem = job->problems.n ? &job->problems.errors[0] : NULL;

	add_field(&entry, "MESSAGE=Job %" PRIu64 " (%s) of user %u%s%s%s: %s, %zu of %zu steps.%s%s",
		  job->id, job_operation_word(job->operation), job->uid,
		  volume ? " for " : "", volume ? volume : "", others ? " and others" : "",
		  job_outcome_word(job->outcome), job->steps_done,
		  job->plan ? job->plan->n_steps : 0, problem ? " " : "",
		  problem ? error_message(problem) : "");
	add_field(&entry, "MESSAGE_ID=" LOG_ID_JOB_ENDED);
	add_field(&entry, "PRIORITY=%d", good ? LOG_NOTICE : LOG_WARNING);
	add_field(&entry, "SYSLOG_IDENTIFIER=daxd");
	add_field(&entry, "DAXD_JOB=%" PRIu64, job->id);
	add_field(&entry, "DAXD_OPERATION=%s", job_operation_word(job->operation));
	add_field(&entry, "DAXD_OUTCOME=%s", job_outcome_word(job->outcome));
	add_field(&entry, "DAXD_UID=%u", job->uid);
	add_field(&entry, "DAXD_STEPS=%zu", job->plan ? job->plan->n_steps : 0);
	add_field(&entry, "DAXD_STEPS_DONE=%zu", job->steps_done);
	add_volumes(&entry, job->plan);
	/* A journal that is not there must not stop the work. */
	(void)sd_journal_sendv(entry.fields, entry.n);
}

static const char *say_missing(enum volume_state state)
{
	switch (state) {
	case VOLUME_WAITING:
	case VOLUME_LATE:
		return "has not come";
	case VOLUME_REFUSED:
		return "cannot be had";
	case VOLUME_PRESENT:
	case VOLUME_DIFFERS:
		break;
	}
	return "is not as configured";
}

void log_volume(const struct volume *volume, enum volume_state state,
		const struct report *problems)
{
	_cleanup_(entry_clear) struct entry entry = { .n = 0 };
	_cleanup_(freep) char *text = describe(&problems->errors[0]);
	const char *why = text ? text : error_message(&problems->errors[0]);

	add_field(&entry, "MESSAGE=Volume \"%s\" %s: %s", volume->name, say_missing(state), why);
	add_field(&entry, "MESSAGE_ID=" LOG_ID_VOLUME_MISSING);
	add_field(&entry, "PRIORITY=%d", LOG_WARNING);
	add_field(&entry, "SYSLOG_IDENTIFIER=daxd");
	add_field(&entry, "DAXD_VOLUME=%s", volume->name);
	add_field(&entry, "DAXD_STATE=%s", volume_state_word(state));
	if (volume->file)
		add_field(&entry, "DAXD_FILE=%s", volume->file);
	for (size_t i = 0; i < problems->n; i++)
		add_field(&entry, "DAXD_REASON=%s", error_message(&problems->errors[i]));
	/* A journal that is not there must not stop the work. */
	(void)sd_journal_sendv(entry.fields, entry.n);
}
