/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel-window-map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/size.h"
#include "exec/kernel-pmem-library.h"

#define SECTOR 512

static int failed(const struct window_map *map, int code, const char *why, struct error *reterr)
{
	return error_set(reterr, code, "Cannot map the partition table of %s: %s.", map->name, why);
}

/* 0 is the start. */
static uint64_t offset_of(const struct window_map *map, size_t end)
{
	return end ? map->size - map->length : 0;
}

static int map_to_read(struct window_map *map, size_t end, struct error *reterr)
{
	void *at = mmap(NULL, map->length, PROT_READ, MAP_SHARED, map->fd,
			(off_t)offset_of(map, end));

	if (at == MAP_FAILED)
		return failed(map, errno, strerror(errno), reterr);
	map->ends[end] = at;
	return 0;
}

static int configure(struct pmem2_config *config, const struct window_map *map, size_t end)
{
	int r = pmem2_config_set_required_store_granularity(config, PMEM2_GRANULARITY_CACHE_LINE);

	if (r == 0)
		r = pmem2_config_set_offset(config, offset_of(map, end));
	return r ?: pmem2_config_set_length(config, map->length);
}

static int map_to_write(struct window_map *map, size_t end, struct error *reterr)
{
	struct pmem2_source *source = NULL;
	struct pmem2_config *config = NULL;
	int r = pmem2_source_from_fd(&source, map->fd);

	if (r == 0)
		r = pmem2_config_new(&config);
	if (r == 0)
		r = configure(config, map, end);
	if (r == 0)
		r = pmem2_map_new(&map->maps[end], config, source);
	if (r < 0) /* its own codes are below every errno */
		(void)failed(map, r > -4096 ? -r : EIO, pmem2_errormsg(), reterr);
	else
		map->ends[end] = pmem2_map_get_address(map->maps[end]);
	(void)pmem2_config_delete(&config); /* cannot fail */
	(void)pmem2_source_delete(&source);
	return -reterr->code;
}

int window_map_open(struct window_map *map, const char *name, uint64_t size, uint64_t align,
		    bool write, struct error *reterr)
{
	char node[300];
	uint64_t length;
	int r = write ? pmem_library_load(reterr) : 0;

	if (r < 0)
		return r;
	*map = (struct window_map){ .fd = -1, .name = name, .size = size, .align = align };
	if (round_up_to(TABLE_IMAGE_END, align, &length) < 0 || length > size)
		return error_set(reterr, ENOSPC, "%s is too small for partitions.", name);
	map->length = length;
	(void)snprintf(node, sizeof(node), "/dev/%s", name);
	map->fd = open(node, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (map->fd < 0)
		return error_set(reterr, errno, "Cannot open %s: %s.", node, strerror(errno));
	for (size_t end = 0; r == 0 && end < 2; end++)
		r = write ? map_to_write(map, end, reterr) : map_to_read(map, end, reterr);
	return r;
}

void window_map_close(struct window_map *map)
{
	for (size_t end = 0; end < 2; end++) {
		if (map->maps[end])
			(void)pmem2_map_delete(&map->maps[end]); /* it fails for what is none */
		else if (map->ends[end])
			(void)munmap(map->ends[end], map->length);
		map->ends[end] = NULL;
	}
	closep(&map->fd);
}

/* Where it is mapped. */
static unsigned char *find(const struct window_map *map, uint64_t offset, size_t n, size_t *end)
{
	*end = offset + n > map->length;
	return map->ends[*end] + (offset - offset_of(map, *end));
}

static int read_end(void *userdata, uint64_t offset, void *to, size_t n)
{
	size_t end;

	memcpy(to, find(userdata, offset, n, &end), n);
	return 0;
}

static int write_end(void *userdata, uint64_t offset, const void *from, size_t n)
{
	struct window_map *map = userdata;
	size_t end;
	unsigned char *at = find(map, offset, n, &end);

	memcpy(at, from, n);
	pmem2_get_persist_fn(map->maps[end])(at, n);
	return 0;
}

struct table_device window_map_device(struct window_map *map)
{
	return (struct table_device){ .name = map->name, .size = map->size,
				      .sector_size = SECTOR, .userdata = map, .read = read_end,
				      .write = write_end };
}
