/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "core/json-read.h"
#include "core/json-write.h"
#include "exec/sysfs.h"

#define STATE_SIZE_MAX (64u << 20)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX 64

void state_clear(struct state *state)
{
	for (size_t i = 0; i < state->n_records; i++)
		record_clear(&state->records[i]);
	free(state->records);
	*state = (struct state){ 0 };
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return strcmp(x->volume, y->volume);
}

const struct record *state_find(const struct state *state, const char *volume)
{
	for (size_t i = 0; i < state->n_records; i++)
		if (strcmp(state->records[i].volume, volume) == 0)
			return &state->records[i];
	return NULL;
}

static int parse(const char *text, size_t length, struct state *ret, struct report *report)
{
	static const uint64_t version = STATE_VERSION;
	static const struct json_list ranges = { sizeof(struct range), json_range, NULL };
	static const struct json_field record_fields[] = {
		JSON_FIELD("volume", json_text, struct record, volume, .required = true),
		JSON_FIELD("mode", json_text, struct record, mode, .required = true),
		JSON_FIELD("ranges", json_array, struct record, ranges, .arg = &ranges,
			   .required = true),
		JSON_FIELD("boot", json_text, struct record, boot),
	};
	static const struct json_table record = JSON_TABLE("a record", record_fields);
	static const struct json_list records = { sizeof(struct record), json_object, &record };
	static const struct json_field fields[] = {
		{ .key = "daxd-state", .read = json_version, .arg = &version, .required = true },
		JSON_FIELD("records", json_array, struct state, records, .arg = &records,
			   .required = true),
	};
	static const struct json_table table = JSON_TABLE("a records file", fields);

	return json_read_document(text, length, &table, ret, report);
}

static int read_boot(char boot[BOOT_MAX], struct error *reterr)
{
	int r = sysfs_read(AT_FDCWD, BOOT_ID, boot, BOOT_MAX);

	return r < 0 ? error_set(reterr, -r, "Cannot read " BOOT_ID ": %s.", strerror(-r)) : 0;
}

/* What was to be there until the end of another boot is gone with it. */
static void drop_ended(struct state *state, const char *boot)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->n_records; i++) {
		struct record *record = &state->records[i];

		if (record->boot && strcmp(record->boot, boot) != 0) {
			record_clear(record);
			continue;
		}
		record->until_reboot = record->boot;
		state->records[kept++] = *record;
	}
	state->n_records = kept;
}

/* What no writer of ours leaves behind: two records of one volume, none of whose names count. */
static bool has_duplicates(const struct state *state)
{
	for (size_t i = 1; i < state->n_records; i++)
		if (strcmp(state->records[i - 1].volume, state->records[i].volume) == 0)
			return true;
	return false;
}

static int damaged(const char *path, const char *why, struct error *reterr)
{
	(void)error_set(reterr, EBADMSG, "The records file %s is damaged: %s", path, why);
	return error_hint(reterr, "Mend it, or move it away to start without records: devices in "
			  "dynamic regions are then nobody's.");
}

int state_read(const char *path, struct state *ret, struct error *reterr)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(state_clear) struct state state = { 0 };
	_cleanup_(freep) char *text = NULL;
	char boot[BOOT_MAX];
	size_t length;
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*ret = state;
		return 0;
	}
	r = file_read(path, STATE_SIZE_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	r = parse(text, length, &state, &report);
	if (r < 0)
		return damaged(path, error_message(&report.errors[0]), reterr);
	if (state.n_records > 1)
		qsort(state.records, state.n_records, sizeof(state.records[0]), compare_records);
	if (has_duplicates(&state))
		return damaged(path, "it records a volume twice.", reterr);
	r = read_boot(boot, reterr);
	if (r < 0)
		return r;
	drop_ended(&state, boot);
	*ret = state;
	state = (struct state){ 0 };
	return 0;
}

static int write_state(const char *path, const struct state *state, struct error *reterr)
{
	struct json_out out = { .indent = true };
	_cleanup_(freep) char *text = NULL, *line = NULL;

	json_open(&out, NULL, '{');
	json_put_u64(&out, "daxd-state", STATE_VERSION);
	json_open(&out, "records", '[');
	for (size_t i = 0; i < state->n_records; i++) {
		const struct record *record = &state->records[i];

		json_open(&out, NULL, '{');
		json_put_text(&out, "volume", record->volume);
		json_put_text(&out, "mode", record->mode);
		json_put_ranges(&out, "ranges", &record->ranges);
		json_put_text(&out, "boot", record->boot);
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
	text = json_out_finish(&out);
	if (!text)
		return error_oom(reterr);
	if (asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
		return error_oom(reterr);
	}
	return file_replace(path, line, strlen(line), reterr);
}

/* Records are steps too, and independent steps run side by side: one changes the file at a time. */
static int lock_folder(const char *path, struct error *reterr)
{
	_cleanup_(freep) char *folder = strdup(path);
	char *slash;
	int fd, r;

	if (!folder)
		return error_oom(reterr);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	r = slash ? file_make_folders(folder, reterr) : 0;
	if (r < 0)
		return r;
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(reterr, errno, "Cannot open the folder of %s: %s.", path,
				 strerror(errno));
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			r = errno;
			closep(&fd);
			return error_set(reterr, r, "Cannot lock the folder of %s: %s.", path,
					 strerror(r));
		}
	return fd;
}

static void drop(struct state *state, const char *volume)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->n_records; i++) {
		if (strcmp(state->records[i].volume, volume) == 0)
			record_clear(&state->records[i]);
		else
			state->records[kept++] = state->records[i];
	}
	state->n_records = kept;
}

static int add(struct state *state, const struct state_change *change, const char *boot)
{
	struct record *copy, *record;

	/* array_grow() must find the room it made: after drop() the number may have fallen. */
	copy = calloc(state->n_records + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (state->n_records)
		memcpy(copy, state->records, state->n_records * sizeof(*copy));
	free(state->records);
	state->records = copy;
	record = &copy[state->n_records++];
	record->volume = strdup(change->volume);
	record->mode = strdup(change->mode);
	record->boot = change->until_reboot ? strdup(boot) : NULL;
	if (!record->volume || !record->mode || (change->until_reboot && !record->boot) ||
	    range_list_copy(&record->ranges, change->ranges) < 0)
		return -ENOMEM;
	qsort(copy, state->n_records, sizeof(*copy), compare_records);
	return 0;
}

int state_change(const char *path, const struct state_change *changes, size_t n,
		 struct error *reterr)
{
	_cleanup_(state_clear) struct state state = { 0 };
	_cleanup_(closep) int lock = lock_folder(path, reterr);
	char boot[BOOT_MAX];
	bool changed = false;
	int r;

	if (lock < 0)
		return lock;
	r = state_read(path, &state, reterr);
	if (r == 0)
		r = read_boot(boot, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct state_change *change = &changes[i];

		changed = changed || change->mode || state_find(&state, change->volume);
		drop(&state, change->volume);
		if (change->mode && add(&state, change, boot) < 0)
			return error_oom(reterr);
	}
	return changed ? write_state(path, &state, reterr) : 0;
}
