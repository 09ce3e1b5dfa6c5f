/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json-read.h"
#include "core/json-write.h"
#include "core/table-json.h"

#define PLAN_VERSION 1
#define DIGEST_DIGITS 16

/* Members that are not set are left out; absent reads back as not set. */
static void put_access(struct json_out *out, const struct step *step)
{
	if (!step->access.link)
		return;
	json_open(out, "access", '{');
	json_put_text(out, "link", step->access.link);
	json_put_text(out, "owner", step->access.owner);
	json_put_text(out, "group", step->access.group);
	if (step->has_perm)
		json_put_perm(out, "perm", step->access.perm);
	json_close(out, '}');
}

static void put_u64_if(struct json_out *out, const char *key, uint64_t value)
{
	if (value)
		json_put_u64(out, key, value);
}

static void put_users(struct json_out *out, const struct step *step)
{
	json_open(out, "users", '[');
	for (size_t i = 0; i < step->n_users; i++) {
		json_open(out, NULL, '{');
		json_put_text(out, "window", step->users[i].window);
		json_put_text(out, "owner", step->users[i].owner);
		json_put_text(out, "group", step->users[i].group);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_partition(struct json_out *out, const struct step *step)
{
	if (step->kind == STEP_WRITE_TABLE) {
		json_put_table(out, "before_table", &step->before_table);
		json_put_table(out, "after_table", &step->after_table);
		if (step->n_users)
			put_users(out, step);
	}
	if (step->kind == STEP_POLICY) {
		json_put_text(out, "policy", partitioning_word(step->policy));
		json_put_bool(out, "managed", step->managed);
	}
	put_u64_if(out, "number", step->number);
	if (step->extent.size)
		json_put_extent(out, "extent", step->extent);
	if (step->read_only)
		json_put_bool(out, "read_only", true);
	if (step->fresh)
		json_put_bool(out, "fresh", true);
}

static int put_step(struct json_out *out, const struct step *step)
{
	_cleanup_(freep) char *describe = step_describe(step);

	if (!describe)
		return -ENOMEM;
	json_open(out, NULL, '{');
	json_put_text(out, "kind", step_kind_word(step->kind));
	if (step->destructive)
		json_put_bool(out, "destructive", true);
	json_put_text(out, "volume", step->volume);
	json_put_text(out, "region", step->region);
	json_put_text(out, "object", step->object);
	json_put_text(out, "reason", step->reason);
	json_put_text(out, "uuid", step->uuid.text);
	json_put_text(out, "info_uuid", step->info_uuid.text);
	json_put_text(out, "label", step->label);
	json_put_text(out, "record_mode", step->record_mode);
	if (step->until_reboot)
		json_put_bool(out, "until_reboot", true);
	if (step->mode != NAMESPACE_RAW)
		json_put_text(out, "mode", namespace_mode_word(step->mode));
	if (step->map != MAP_NONE)
		json_put_text(out, "map", map_location_word(step->map));
	put_u64_if(out, "size", step->size);
	put_u64_if(out, "align", step->align);
	put_u64_if(out, "start", step->start);
	json_put_ranges(out, "ranges", &step->ranges);
	if (step->driver != DRIVER_NONE)
		json_put_text(out, "driver", driver_word(step->driver));
	if (step->zone != ZONE_NONE)
		json_put_text(out, "zone", zone_word(step->zone));
	if (step->ignore_open)
		json_put_bool(out, "ignore_open", true);
	if (step->within)
		json_put_u64(out, "within", step->within);
	put_access(out, step);
	put_partition(out, step);
	if (step->n_after) {
		json_open(out, "after", '[');
		for (size_t i = 0; i < step->n_after; i++)
			json_put_u64(out, NULL, step->after[i]);
		json_close(out, ']');
	}
	json_put_text(out, "describe", describe);
	json_close(out, '}');
	return 0;
}

static void put_digest(struct json_out *out, const char *key, uint64_t digest)
{
	char text[DIGEST_DIGITS + 1];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, digest);
	json_put_text(out, key, text);
}

char *plan_to_json(const struct plan *plan, bool indent)
{
	struct json_out out = { .indent = indent };

	json_open(&out, NULL, '{');
	json_put_u64(&out, "plan", PLAN_VERSION);
	put_digest(&out, "digest", plan->digest);
	if (plan->holders)
		put_digest(&out, "holders", plan->holders);
	json_open(&out, "regions", '[');
	for (size_t i = 0; i < plan->n_regions; i++)
		json_put_text(&out, NULL, plan->regions[i]);
	json_close(&out, ']');
	json_put_u64(&out, "destructive", plan->n_destructive);
	json_open(&out, "steps", '[');
	for (size_t i = 0; i < plan->n_steps; i++)
		if (put_step(&out, &plan->steps[i]) < 0)
			out.failed = true;
	json_close(&out, ']');
	json_open(&out, "drift", '[');
	for (size_t i = 0; i < plan->n_drifts; i++) {
		json_open(&out, NULL, '{');
		json_put_text(&out, "volume", plan->drifts[i].volume);
		json_put_text(&out, "attribute", plan->drifts[i].attribute);
		json_put_text(&out, "have", plan->drifts[i].have);
		json_put_text(&out, "want", plan->drifts[i].want);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	return json_out_finish(&out);
}

static const struct json_words kinds = { step_kind_word, 0, N_STEP_KINDS };
static const struct json_words modes = { namespace_mode_word, 0, N_NAMESPACE_MODES };
static const struct json_words maps = { map_location_word, 0, N_MAP_LOCATIONS };
static const struct json_words drivers = { driver_word, 0, N_DRIVERS };
static const struct json_limits seconds = { 0, INT_MAX };
static const struct json_words zones = { zone_word, 0, N_ZONES };
static const struct json_list range_list = { sizeof(struct range), json_range, NULL };
static const struct json_list after_list = { sizeof(size_t), json_count, NULL };

static const struct json_field user_fields[] = {
	JSON_FIELD("window", json_text, struct window_user, window, .required = true),
	JSON_FIELD("owner", json_text, struct window_user, owner),
	JSON_FIELD("group", json_text, struct window_user, group),
};
static const struct json_table user_table = JSON_TABLE("a user", user_fields);
static const struct json_list user_list = { sizeof(struct window_user), json_object, &user_table };

/* Its members live in the step itself: perm has a flag there. */
static const struct json_field access_fields[] = {
	JSON_FIELD("link", json_text, struct step, access.link),
	JSON_FIELD("owner", json_text, struct step, access.owner),
	JSON_FIELD("group", json_text, struct step, access.group),
	JSON_FIELD("perm", json_perm, struct step, access.perm,
		   .has = offsetof(struct step, has_perm)),
};
static const struct json_table access_table = JSON_TABLE("an access", access_fields);

/* What people were shown must be what the step does. */
static void check_describe(struct report *report, const struct path *at, const struct step *step,
			   const char *shown)
{
	_cleanup_(freep) char *describe = step_describe(step);
	const struct path describe_at = { .parent = at, .key = "describe" };

	if (!describe)
		json_no_memory(report);
	else if (strcmp(describe, shown) != 0)
		(void)report_add(report, &describe_at, EINVAL, NULL,
				 "The description does not fit the step, which is: %s.", describe);
}

static void check_step(struct report *report, const struct path *at, const struct step *step)
{
	const struct path after = { .parent = at, .key = "after" };
	struct error error = ERROR_INIT;

	if (step_check(step, &error) < 0) {
		(void)report_add(report, at, error.code, error.hint, "%s", error_message(&error));
		error_clear(&error);
	}
	for (size_t i = 0; i < step->n_after; i++) {
		const struct path element = { .parent = &after, .index = i };

		if (step->after[i] >= at->index)
			(void)report_add(report, &element, EINVAL, NULL,
					 "Step %zu cannot come after step %zu.", at->index,
					 step->after[i]);
	}
}

/* A step and what only the document has. */
struct step_document {
	struct step step;
	char *describe;
};

#define STEP(key, read, member, ...) \
	JSON_FIELD(key, read, struct step_document, step.member, __VA_ARGS__)

static void read_step(struct report *report, const struct json_value *value, const struct path *at,
		      void *to, const void *arg)
{
	static const struct json_field fields[] = {
		STEP("kind", json_word, kind, .arg = &kinds, .required = true),
		STEP("destructive", json_bool, destructive),
		STEP("volume", json_text, volume),
		STEP("region", json_text, region),
		STEP("object", json_text, object),
		STEP("reason", json_text, reason),
		STEP("uuid", json_uuid, uuid),
		STEP("info_uuid", json_uuid, info_uuid),
		STEP("label", json_text, label),
		STEP("record_mode", json_text, record_mode),
		STEP("until_reboot", json_bool, until_reboot),
		STEP("mode", json_word, mode, .arg = &modes),
		STEP("map", json_word, map, .arg = &maps),
		STEP("size", json_u64, size),
		STEP("align", json_u64, align),
		STEP("start", json_u64, start),
		STEP("ranges", json_array, ranges, .arg = &range_list),
		STEP("driver", json_word, driver, .arg = &drivers),
		STEP("ignore_open", json_bool, ignore_open),
		STEP("within", json_u64, within, .arg = &seconds),
		STEP("zone", json_word, zone, .arg = &zones),
		{ .key = "access", .read = json_object, .arg = &access_table },
		STEP("before_table", json_table_of_partitions, before_table),
		STEP("after_table", json_table_of_partitions, after_table),
		STEP("users", json_array, users, .arg = &user_list),
		STEP("fresh", json_bool, fresh),
		STEP("policy", json_word, policy, .arg = &json_partitionings),
		STEP("managed", json_bool, managed),
		STEP("number", json_unsigned, number),
		STEP("extent", json_extent, extent),
		STEP("read_only", json_bool, read_only),
		STEP("after", json_array, after, .arg = &after_list),
		JSON_FIELD("describe", json_text, struct step_document, describe),
	};
	static const struct json_table table = JSON_TABLE("a step", fields);
	struct step_document document = { 0 };
	size_t before = report->n;

	(void)arg;
	json_object(report, value, at, &document, &table);
	if (report->n == before)
		check_step(report, at, &document.step);
	if (report->n == before && document.describe)
		check_describe(report, at, &document.step, document.describe);
	free(document.describe);
	*(struct step *)to = document.step;
}

static void read_digest(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	uint64_t *digest = to;
	const char *text = value->type == JSON_STRING ? value->text : "";
	size_t n = strspn(text, "0123456789abcdef");

	(void)arg;
	*digest = 0;
	if (n != DIGEST_DIGITS || text[n]) {
		json_wrong_type(report, value, at, "16 hexadecimal digits in small letters", NULL);
		return;
	}
	for (const char *c = text; *c; c++)
		*digest = *digest << 4 | (uint64_t)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
}

static const struct json_field drift_fields[] = {
	JSON_FIELD("volume", json_text, struct drift, volume, .required = true),
	JSON_FIELD("attribute", json_text, struct drift, attribute, .required = true),
	JSON_FIELD("have", json_text, struct drift, have),
	JSON_FIELD("want", json_text, struct drift, want),
};
static const struct json_table drift_table = JSON_TABLE("a drift", drift_fields);
static const struct json_list drift_list = { sizeof(struct drift), json_object, &drift_table };
static const struct json_list step_list = { sizeof(struct step), read_step, NULL };
static const struct json_list text_list = { sizeof(char *), json_text, NULL };
static const uint64_t version = PLAN_VERSION;

static const struct json_field plan_fields[] = {
	{ .key = "plan", .read = json_version, .arg = &version, .required = true },
	JSON_FIELD("digest", read_digest, struct plan, digest, .required = true),
	JSON_FIELD("holders", read_digest, struct plan, holders),
	JSON_FIELD("regions", json_array, struct plan, regions, .arg = &text_list),
	JSON_FIELD("destructive", json_count, struct plan, n_destructive, .required = true),
	JSON_FIELD("steps", json_array, struct plan, steps, .arg = &step_list, .required = true),
	JSON_FIELD("drift", json_array, struct plan, drifts, .arg = &drift_list),
};

int plan_parse(const char *text, size_t length, struct plan **ret, struct report *report)
{
	static const struct json_table table = JSON_TABLE("a plan", plan_fields);
	static const struct path destructive_at = { .key = "destructive" };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	size_t n = 0;
	int r;

	plan = calloc(1, sizeof(*plan));
	if (!plan) {
		json_no_memory(report);
		return -ENOMEM;
	}
	r = json_read_document(text, length, &table, plan, report);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->n_steps; i++)
		n += plan->steps[i].destructive;
	if (n != plan->n_destructive)
		return report_add(report, &destructive_at, EINVAL, NULL,
				  "%zu steps lose data, not %zu.", n, plan->n_destructive);
	*ret = TAKE(plan);
	return 0;
}
