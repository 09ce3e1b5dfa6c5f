/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error-json.h"
#include "core/json-read.h"
#include "core/json-write.h"
#include "core/words.h"

static const char *const event_kinds[] = { "begin", "step", "end" };
static const char *const step_states[] = { "started", "progress", "done",
					   "failed",  "skipped",  "undone" };
static const char *const outcomes[] = { "done", "failed", "stale", "busy", "cancelled" };

static const char *event_kind_word(unsigned int kind)
{
	return event_kinds[kind];
}

static const char *step_state_word(unsigned int state)
{
	return step_states[state];
}

static const char *outcome_word(unsigned int outcome)
{
	return outcomes[outcome];
}

void event_clear(struct event *event)
{
	error_clear(&event->error);
	*event = (struct event){ 0 };
}

static void put_step(struct json_out *out, const struct event *event)
{
	json_put_u64(out, "step", event->step);
	json_put_text(out, "state", step_state_word(event->state));
	switch (event->state) {
	case STEP_PROGRESS:
		json_put_u64(out, "done", event->done);
		json_put_u64(out, "total", event->total);
		break;
	case STEP_FAILED:
	case STEP_UNDONE:
		if (event->error.code)
			json_put_error(out, "error", &event->error);
		break;
	case STEP_STARTED:
	case STEP_DONE:
	case STEP_SKIPPED:
		break;
	}
}

char *event_to_json(const struct event *event)
{
	struct json_out out = { 0 };

	json_open(&out, NULL, '{');
	json_put_text(&out, "event", event_kind_word(event->kind));
	switch (event->kind) {
	case EVENT_BEGIN:
		json_put_u64(&out, "steps", event->step);
		break;
	case EVENT_STEP:
		put_step(&out, event);
		break;
	case EVENT_END:
		json_put_text(&out, "outcome", outcome_word(event->outcome));
		if (event->outcome != OUTCOME_DONE && event->error.code)
			json_put_error(&out, "error", &event->error);
		break;
	}
	json_close(&out, '}');
	return json_out_finish(&out);
}

static const struct json_words kind_words = { event_kind_word, 0, N_EVENT_KINDS };
static const struct json_words state_words = { step_state_word, 0, N_STEP_STATES };
static const struct json_words outcome_words = { outcome_word, 0, N_OUTCOMES };

enum event_key {
	KEY_EVENT,
	KEY_STEPS,
	KEY_STEP,
	KEY_STATE,
	KEY_DONE,
	KEY_TOTAL,
	KEY_OUTCOME,
	KEY_ERROR,
};

#define BIT(key) (UINT64_C(1) << (key))

static const struct json_field event_fields[] = {
	[KEY_EVENT] = JSON_FIELD("event", json_word, struct event, kind, .arg = &kind_words,
				 .required = true),
	[KEY_STEPS] = JSON_FIELD("steps", json_count, struct event, step),
	[KEY_STEP] = JSON_FIELD("step", json_count, struct event, step),
	[KEY_STATE] = JSON_FIELD("state", json_word, struct event, state, .arg = &state_words),
	[KEY_DONE] = JSON_FIELD("done", json_u64, struct event, done),
	[KEY_TOTAL] = JSON_FIELD("total", json_u64, struct event, total),
	[KEY_OUTCOME] = JSON_FIELD("outcome", json_word, struct event, outcome,
				   .arg = &outcome_words),
	[KEY_ERROR] = JSON_FIELD("error", json_object, struct event, error, .arg = &error_json_table),
};

/* The keys that an event must have, "event" aside; some may have "error" or not. */
static uint64_t wanted_keys(const struct event *event, uint64_t seen)
{
	switch (event->kind) {
	case EVENT_BEGIN:
		return BIT(KEY_STEPS);
	case EVENT_STEP:
		if (event->state == STEP_PROGRESS)
			return BIT(KEY_STEP) | BIT(KEY_STATE) | BIT(KEY_DONE) | BIT(KEY_TOTAL);
		if (event->state == STEP_FAILED)
			return BIT(KEY_STEP) | BIT(KEY_STATE) | BIT(KEY_ERROR);
		if (event->state == STEP_UNDONE)
			return BIT(KEY_STEP) | BIT(KEY_STATE) | (seen & BIT(KEY_ERROR));
		return BIT(KEY_STEP) | BIT(KEY_STATE);
	case EVENT_END:
		if (event->outcome != OUTCOME_DONE)
			return BIT(KEY_OUTCOME) | (seen & BIT(KEY_ERROR));
		return BIT(KEY_OUTCOME);
	}
	abort();
}

static void read_event(struct report *report, const struct json_value *value, struct event *event)
{
	static const struct json_table table = JSON_TABLE("an event", event_fields);
	size_t before = report->n;
	uint64_t seen, wanted;

	seen = json_read_members(report, value, NULL, &table, event);
	if (report->n > before)
		return;
	wanted = wanted_keys(event, seen) | BIT(KEY_EVENT);
	for (size_t i = 0; i < ARRAY_SIZE(event_fields); i++)
		if ((seen ^ wanted) & BIT(i))
			(void)report_add(report, NULL, EINVAL, NULL, "\"%s\" %s this event.",
					 event_fields[i].key,
					 seen & BIT(i) ? "does not belong to" :
							 "is missing from");
	if (event->done > event->total)
		(void)report_add(report, NULL, EINVAL, NULL, "More is done than there is.");
}

int event_parse(const char *line, size_t length, struct event *ret, struct report *report)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	struct event event = { 0 };
	size_t before = report->n;
	int r;

	r = json_scan(line, length, &json, report);
	if (r < 0)
		return r;
	read_event(report, json.values, &event);
	if (report->n > before) {
		event_clear(&event);
		return -report->errors[before].code;
	}
	*ret = event;
	return 0;
}
