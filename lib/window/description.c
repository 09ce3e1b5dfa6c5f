/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "description.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/size.h"
#include "core/json-scan.h"

#define FORM "1"
#define LENGTH_MAX 65536
#define PAGE_MIN 4096

void description_clear(struct description *description)
{
	free(description->path);
	free(description->uuid);
	free(description->device_uuid);
	*description = (struct description){ 0 };
}

/* Such names need no quoting anywhere, and lead to no other folder. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= DESCRIPTION_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") ==
		       length;
}

struct member {
	const char *key;
	size_t offset; /* in struct description */
	bool is_text, optional;
};

#define MEMBER(name, ...) { .key = #name, .offset = offsetof(struct description, name), __VA_ARGS__ }
static const struct member members[] = {
	MEMBER(path, .is_text = true),
	MEMBER(uuid, .is_text = true),
	MEMBER(device_uuid, .is_text = true, .optional = true),
	MEMBER(major),
	MEMBER(minor),
	MEMBER(offset),
	MEMBER(size),
	MEMBER(align),
	MEMBER(device_size),
};

static const struct json_value *find(const struct json *json, const char *key)
{
	const struct json_value *value = json_first(json->values);

	for (uint32_t i = 0; i < json->values->n; i++, value = json_next(value))
		if (strcmp(value->key, key) == 0)
			return value;
	return NULL;
}

static int read_member(const struct json_value *value, const struct member *member,
		       struct description *to)
{
	void *at = (char *)to + member->offset;
	char *text;

	if (member->is_text && value->type == JSON_STRING) {
		text = strdup(value->text);
		if (!text)
			return -ENOMEM;
		memcpy(at, &text, sizeof(text));
		return 0;
	}
	/* Digits alone are bytes to size_parse(). */
	if (!member->is_text && value->type == JSON_NUMBER &&
	    size_parse(value->text, at) == 0)
		return 0;
	return -EBADMSG;
}

static int read_members(const struct json *json, struct description *to)
{
	const struct json_value *version;

	if (json->values->type != JSON_OBJECT)
		return -EBADMSG;
	version = find(json, "daxd");
	if (!version || version->type != JSON_NUMBER || strcmp(version->text, FORM) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct json_value *value = find(json, members[i].key);
		int r = value ? read_member(value, &members[i], to) : -EBADMSG;

		if (r < 0 && (value || !members[i].optional))
			return r;
	}
	return 0;
}

/* Whatever goes wrong elsewhere: it lies in the device, on whole pages. */
static bool makes_sense(const struct description *d)
{
	uint64_t end;

	return is_power_of_2(d->align) && d->align >= PAGE_MIN && d->size > 0 &&
	       d->offset % d->align == 0 && d->size % d->align == 0 &&
	       !__builtin_add_overflow(d->offset, d->size, &end) && end <= d->device_size &&
	       strncmp(d->path, "/dev/", 5) == 0 && major(makedev(d->major, d->minor)) == d->major &&
	       minor(makedev(d->major, d->minor)) == d->minor;
}

static int parse(const char *text, size_t length, struct description *to)
{
	_cleanup_(report_clear) struct report report = REPORT_INIT;
	_cleanup_(json_clear) struct json json = JSON_INIT;

	if (json_scan(text, length, &json, &report) < 0 || report.n > 0)
		return -EBADMSG;
	return read_members(&json, to) ?: makes_sense(to) ? 0 : -EBADMSG;
}

int description_read(const char *name, struct description *ret, struct error *reterr)
{
	_cleanup_(description_clear) struct description description = DESCRIPTION_INIT;
	char file[sizeof(DESCRIPTION_FOLDER) + DESCRIPTION_NAME_MAX + 8];
	_cleanup_(freep) char *text = NULL;
	size_t length;
	int r;

	if (!is_name(name))
		return error_set(reterr, EINVAL, "\"%.64s\" is no name of a window.", name);
	(void)snprintf(file, sizeof(file), DESCRIPTION_FOLDER "/%s.json", name);
	if (access(file, F_OK) < 0 && errno == ENOENT)
		return error_set(reterr, ENOENT, "This host has no window \"%s\".", name);
	r = file_read(file, LENGTH_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	r = parse(text, length, &description);
	if (r == -ENOMEM)
		return error_oom(reterr);
	if (r < 0)
		return error_set(reterr, EBADMSG, "%s does not describe a window.", file);
	*ret = description;
	description = (struct description){ 0 };
	return 0;
}

static int stale(struct error *reterr, const struct description *d, const char *name,
		 const char *why)
{
	return error_set(reterr, ESTALE, "%s is not the device that the window \"%s\" was "
			 "described in: %s.", d->path, name, why);
}

/* An attribute of the device, without its newline; "" when there is none. */
static void read_attribute(dev_t dev, const char *attribute, char text[64])
{
	char path[96];
	_cleanup_(closep) int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/%s", major(dev), minor(dev),
		       attribute);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, 63);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
}

static bool number_is(dev_t dev, const char *attribute, uint64_t wanted)
{
	char text[64];
	uint64_t number;

	read_attribute(dev, attribute, text);
	return size_parse(text, &number) == 0 && number == wanted;
}

int description_check_device(const struct description *d, const char *name, int fd,
			     struct error *reterr)
{
	struct stat st;
	char text[64];

	if (fstat(fd, &st) < 0)
		return error_set(reterr, errno, "Cannot look at %s: %s.", d->path, strerror(errno));
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(d->major, d->minor))
		return stale(reterr, d, name, "it has another number");
	read_attribute(st.st_rdev, "size", text);
	if (!*text)
		return stale(reterr, d, name, "that one is gone");
	if (!number_is(st.st_rdev, "size", d->device_size))
		return stale(reterr, d, name, "it has another size");
	if (!number_is(st.st_rdev, "align", d->align))
		return stale(reterr, d, name, "it has another page size");
	read_attribute(st.st_rdev, "../uuid", text);
	if (strcmp(text, d->device_uuid ?: "") != 0)
		return stale(reterr, d, name, "it belongs to another namespace");
	return 0;
}
