/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daxwindow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libpmem2.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/size.h"
#include "description.h"
#include "window-bus.h"

struct mapping {
	struct pmem2_map *map;
	pmem2_persist_fn persist;
	char *address;
	size_t length;
};

struct daxwindow {
	struct description description;
	char *name;
	bool read_only;
	int fd;
	struct mapping *mappings;
	size_t n_mappings;
};

/* The sentence to the caller, who may not want it. */
static int tell(struct error *error, int r, char **message)
{
	if (message)
		*message = error->message ? TAKE(error->message) : strdup(error_message(error));
	error_clear(error);
	return r;
}

static int ask(struct daxwindow *w, struct error *reterr)
{
	struct window_answer answer;
	int r = window_ask(w->name, w->read_only, &answer, reterr);

	if (r < 0)
		return r;
	w->fd = answer.fd;
	if (answer.offset != w->description.offset || answer.size != w->description.size)
		return error_set(reterr, ESTALE, "The window \"%s\" has moved meanwhile.",
				 w->name);
	return 0;
}

static int open_device(struct daxwindow *w, struct error *reterr)
{
	const struct description *d = &w->description;

	w->fd = open(d->path, (w->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
	if (w->fd >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return ask(w, reterr);
	if (errno == ENOENT || errno == ENXIO)
		return error_set(reterr, ESTALE, "The device of the window \"%s\", %s, is gone: %s.",
				 w->name, d->path, strerror(errno));
	return error_set(reterr, errno, "Cannot open %s for the window \"%s\": %s.", d->path,
			 w->name, strerror(errno));
}

static int open_window(struct daxwindow *w, struct error *reterr)
{
	int r = description_read(w->name, &w->description, reterr);

	if (r == 0)
		r = open_device(w, reterr);
	return r < 0 ? r : description_check_device(&w->description, w->name, w->fd, reterr);
}

int daxwindow_open(const char *name, unsigned int flags, struct daxwindow **ret, char **message)
{
	struct daxwindow *w = calloc(1, sizeof(*w));
	struct error error = ERROR_INIT;
	int r;

	if (!w)
		return tell(&error, error_oom(&error), message);
	w->fd = -1;
	w->read_only = flags & DAXWINDOW_READ_ONLY;
	w->name = strdup(name);
	if (!w->name)
		r = error_oom(&error);
	else if (flags & ~DAXWINDOW_READ_ONLY)
		r = error_set(&error, EINVAL, "The flags %#x are not known.", flags);
	else
		r = open_window(w, &error);
	if (r < 0) {
		daxwindow_close(w);
		return tell(&error, r, message);
	}
	*ret = w;
	return 0;
}

void daxwindow_close(struct daxwindow *w)
{
	if (!w)
		return;
	while (w->n_mappings)
		(void)daxwindow_unmap(w, w->mappings[0].address); /* it is ours */
	free(w->mappings);
	closep(&w->fd);
	description_clear(&w->description);
	free(w->name);
	free(w);
}

/* pmem2's own codes are below every errno. */
static int pmem2_failed(struct error *reterr, int r, const struct daxwindow *w)
{
	int code = r > -4096 ? -r : EIO;

	return error_set(reterr, code, "Cannot map the window \"%s\": %s.", w->name,
			 pmem2_errormsg());
}

static int configure(struct pmem2_config *config, const struct daxwindow *w, uint64_t offset,
		     size_t length)
{
	unsigned int protection = PMEM2_PROT_READ | (w->read_only ? 0 : PMEM2_PROT_WRITE);
	int r = pmem2_config_set_required_store_granularity(config, PMEM2_GRANULARITY_CACHE_LINE);

	if (r == 0)
		r = pmem2_config_set_offset(config, w->description.offset + offset);
	if (r == 0)
		r = pmem2_config_set_length(config, length);
	return r ?: pmem2_config_set_protection(config, protection);
}

static int make_map(const struct daxwindow *w, uint64_t offset, size_t length,
		    struct pmem2_map **ret, struct error *reterr)
{
	struct pmem2_source *source = NULL;
	struct pmem2_config *config = NULL;
	int r;

	r = pmem2_source_from_fd(&source, w->fd);
	if (r == 0)
		r = pmem2_config_new(&config);
	if (r == 0)
		r = configure(config, w, offset, length);
	if (r == 0)
		r = pmem2_map_new(ret, config, source);
	if (r < 0)
		r = pmem2_failed(reterr, r, w);
	(void)pmem2_config_delete(&config); /* cannot fail */
	(void)pmem2_source_delete(&source);
	return r;
}

static int map(struct daxwindow *w, uint64_t offset, size_t length, void **ret,
	       struct error *reterr)
{
	const struct description *d = &w->description;
	struct mapping *mapping;
	uint64_t whole;
	int r;

	if (offset % d->align != 0)
		return error_set(reterr, EINVAL, "The offset %" PRIu64 " is not a multiple of the "
				 "page size of the window \"%s\", %" PRIu64 ".", offset, w->name,
				 d->align);
	if (offset >= d->size || length > d->size - offset)
		return error_set(reterr, ERANGE, "%zu bytes at %" PRIu64 " would end beyond the "
				 "window \"%s\" of %" PRIu64 " bytes.", length, offset, w->name,
				 d->size);
	/* Whole pages, which end in the window, since it does on a page. */
	if (length == 0)
		whole = d->size - offset;
	else if (round_up_to(length, d->align, &whole) < 0)
		return error_set(reterr, ERANGE, "%zu bytes are too many.", length);
	/* The kernel would map what another device has become, or pages past its end. */
	r = description_check_device(d, w->name, w->fd, reterr);
	if (r < 0)
		return r;
	mapping = ARRAY_APPEND(w->mappings, w->n_mappings);
	if (!mapping)
		return error_oom(reterr);
	r = make_map(w, offset, whole, &mapping->map, reterr);
	if (r < 0)
		return r;
	mapping->persist = pmem2_get_persist_fn(mapping->map);
	mapping->address = pmem2_map_get_address(mapping->map);
	mapping->length = pmem2_map_get_size(mapping->map);
	w->n_mappings++;
	*ret = mapping->address;
	return 0;
}

int daxwindow_map(struct daxwindow *w, uint64_t offset, size_t length, void **ret, char **message)
{
	struct error error = ERROR_INIT;
	int r = map(w, offset, length, ret, &error);

	return r < 0 ? tell(&error, r, message) : 0;
}

int daxwindow_unmap(struct daxwindow *w, void *address)
{
	for (size_t i = 0; i < w->n_mappings; i++) {
		struct mapping *mapping = &w->mappings[i];

		if (mapping->address != address)
			continue;
		(void)pmem2_map_delete(&mapping->map); /* it fails for maps that are not there */
		*mapping = w->mappings[--w->n_mappings];
		return 0;
	}
	return -EINVAL;
}

int daxwindow_persist(struct daxwindow *w, const void *address, size_t length)
{
	for (size_t i = 0; i < w->n_mappings; i++) {
		const struct mapping *mapping = &w->mappings[i];
		uintptr_t offset = (uintptr_t)address - (uintptr_t)mapping->address;

		if (offset > mapping->length || length > mapping->length - offset)
			continue;
		mapping->persist(address, length);
		return 0;
	}
	return -ERANGE;
}

uint64_t daxwindow_size(const struct daxwindow *w)
{
	return w->description.size;
}

uint64_t daxwindow_align(const struct daxwindow *w)
{
	return w->description.align;
}

const char *daxwindow_path(const struct daxwindow *w)
{
	return w->description.path;
}

uint64_t daxwindow_offset(const struct daxwindow *w)
{
	return w->description.offset;
}

const char *daxwindow_uuid(const struct daxwindow *w)
{
	return w->description.uuid;
}

int daxwindow_fd(const struct daxwindow *w)
{
	return w->fd;
}
