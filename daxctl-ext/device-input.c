/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "core/json-read.h"

#define INPUT_SIZE_MAX (1u << 20)
#define PAGE UINT64_C(4096)

struct mapping {
	uint64_t page_offset, start, end, size;
	bool has_size;
};

struct input {
	char *chardev;
	uint64_t size, align;
	bool has_size, has_align;
	struct mapping *mappings;
	size_t n_mappings;
};

static void input_clear(struct input *input)
{
	free(input->chardev);
	free(input->mappings);
}

void device_input_clear(struct device_input *input)
{
	free(input->name);
	range_list_clear(&input->ranges);
	*input = (struct device_input){ 0 };
}

/* 4096, "0x1000" or "0". */
static void read_number(struct report *report, const struct json_value *value,
			const struct path *at, void *to, const void *arg)
{
	if (value->type == JSON_STRING && strcmp(value->text, "0") == 0)
		*(uint64_t *)to = 0;
	else if (value->type == JSON_STRING)
		json_hex(report, value, at, to, arg);
	else
		json_u64(report, value, at, to, arg);
}

/* "16.00 GiB (17.18 GB)" is for people, and not exact: the addresses are. */
static void read_size(struct report *report, const struct json_value *value,
		      const struct path *at, void *to, const void *arg)
{
	if (value->type == JSON_STRING)
		*(uint64_t *)to = 0;
	else
		json_u64(report, value, at, to, arg);
}

static const struct json_field mapping_fields[] = {
	JSON_FIELD("page_offset", read_number, struct mapping, page_offset, .required = true),
	JSON_FIELD("start", read_number, struct mapping, start, .required = true),
	JSON_FIELD("end", read_number, struct mapping, end, .required = true),
	JSON_FIELD("size", read_size, struct mapping, size,
		   .has = offsetof(struct mapping, has_size)),
};
static const struct json_table mapping_table = JSON_TABLE("a mapping", mapping_fields);
static const struct json_list mapping_list = { sizeof(struct mapping), json_object,
					       &mapping_table };

static const struct json_field fields[] = {
	JSON_FIELD("chardev", json_text, struct input, chardev, .required = true),
	JSON_FIELD("size", read_size, struct input, size,
		   .has = offsetof(struct input, has_size)),
	JSON_FIELD("align", read_size, struct input, align,
		   .has = offsetof(struct input, has_align)),
	JSON_FIELD("mappings", json_array, struct input, mappings, .arg = &mapping_list,
		   .required = true, .hint = "daxctl-ext list -M prints them"),
	JSON_FIELD("target_node", json_skip, struct input, chardev),
	JSON_FIELD("mode", json_skip, struct input, chardev),
	JSON_FIELD("online_memblocks", json_skip, struct input, chardev),
	JSON_FIELD("total_memblocks", json_skip, struct input, chardev),
	JSON_FIELD("movable", json_skip, struct input, chardev),
	JSON_FIELD("state", json_skip, struct input, chardev),
};
static const struct json_table table = JSON_TABLE("a device", fields);

static int by_offset(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return (x->page_offset > y->page_offset) - (x->page_offset < y->page_offset);
}

/* The ranges in their order, which must follow one another without a gap. */
static void take_mappings(struct input *input, struct range_list *ranges, struct report *report)
{
	const struct path list = { .key = "mappings" };
	uint64_t offset = 0;

	if (input->n_mappings)
		qsort(input->mappings, input->n_mappings, sizeof(*input->mappings), by_offset);
	for (size_t i = 0; i < input->n_mappings; i++) {
		const struct mapping *m = &input->mappings[i];
		const struct path at = { .parent = &list, .index = i };
		struct range range = { m->start, m->end - m->start + 1 };

		if (m->end < m->start || m->end == UINT64_MAX ||
		    (m->size && m->size != range.size)) {
			(void)report_add(report, &at, EINVAL, "\"end\" is the last byte",
					 "From 0x%" PRIx64 " to 0x%" PRIx64
					 " is not the range that its size says.",
					 m->start, m->end);
			return;
		}
		if (m->page_offset != offset / PAGE) {
			(void)report_add(report, &at, EINVAL, NULL,
					 "page_offset is 0x%" PRIx64
					 ", and the mappings before it take 0x%" PRIx64 " pages.",
					 m->page_offset, offset / PAGE);
			return;
		}
		offset += range.size;
		if (range_list_add(ranges, range) < 0)
			abort();
	}
	if (!input->n_mappings)
		(void)report_add(report, &list, EINVAL, NULL, "The device has no mapping.");
	else if (input->size && input->size != offset)
		(void)report_add(report, &(struct path){ .key = "size" }, EINVAL, NULL,
				 "The size is %s, and the mappings have %s.",
				 SIZE_STR(input->size), SIZE_STR(offset));
}

static int parse(const char *text, size_t length, struct input *input, struct report *report)
{
	_cleanup_(json_clear) struct json json = JSON_INIT;
	const struct json_value *value;
	int r;

	r = json_scan(text, length, &json, report);
	if (r < 0)
		return r;
	value = json.values;
	if (value->type == JSON_ARRAY && value->n != 1)
		return report_add(report, NULL, EINVAL,
				  "\"daxctl-ext list -M -d DEVICE\" prints that of one",
				  "It holds %u devices, and one is what --input takes.", value->n);
	if (value->type == JSON_ARRAY)
		value = json_first(value);
	json_object(report, value, NULL, input, &table);
	return report_code(report);
}

enum cli_exit device_input_load(const char *file, struct device_input *ret, struct report *problems)
{
	_cleanup_(device_input_clear) struct device_input device = { 0 };
	_cleanup_(input_clear) struct input input = { 0 };
	_cleanup_(freep) char *text = NULL;
	struct error error = ERROR_INIT;
	size_t length, before = problems->n;

	if (file_read(file, INPUT_SIZE_MAX, &text, &length, &error) < 0) {
		(void)report_take(problems, &error);
		return CLI_FAILED;
	}
	if (parse(text, length, &input, problems) == 0)
		take_mappings(&input, &device.ranges, problems);
	if (problems->n > before) {
		report_name_file(problems, before, file);
		return CLI_INVALID;
	}
	device.name = TAKE(input.chardev);
	device.align = input.align;
	*ret = device;
	device = (struct device_input){ 0 };
	return CLI_DONE;
}
