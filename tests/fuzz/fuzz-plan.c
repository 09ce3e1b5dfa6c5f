/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a plan and as an event: no crash; what is taken is written and read back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "core/event.h"
#include "core/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_plan(const char *text, size_t size)
{
	_cleanup_(plan_freep) struct plan *plan = NULL, *again = NULL;
	_cleanup_(freep) char *first = NULL, *second = NULL;
	struct report report = REPORT_INIT;

	if (plan_parse(text, size, &plan, &report) < 0) {
		report_clear(&report);
		return;
	}
	first = plan_to_json(plan, size % 2);
	if (plan_parse(first, strlen(first), &again, &report) < 0)
		abort();
	second = plan_to_json(again, size % 2);
	if (strcmp(first, second) != 0)
		abort();
}

static void try_event(const char *text, size_t size)
{
	_cleanup_(event_clear) struct event event = { 0 }, again = { 0 };
	_cleanup_(freep) char *first = NULL, *second = NULL;
	struct report report = REPORT_INIT;

	if (event_parse(text, size, &event, &report) < 0) {
		report_clear(&report);
		return;
	}
	first = event_to_json(&event);
	if (event_parse(first, strlen(first), &again, &report) < 0)
		abort();
	second = event_to_json(&again);
	if (strcmp(first, second) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_plan((const char *)data, size);
	try_event((const char *)data, size);
	return 0;
}
