/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exec/limit.h"

#define MEMORY "/sys/devices/system/memory"

int kernel_memory_block_size(uint64_t *ret, struct error *reterr)
{
	int r = sysfs_read_hex(AT_FDCWD, MEMORY "/block_size_bytes", ret);

	if (r == -ENOENT) {
		*ret = 0; /* a kernel without memory hotplug */
		return 0;
	}
	if (r == 0 && *ret == 0)
		r = -ERANGE;
	return r < 0 ? kernel_unreadable(reterr, "memory", "block_size_bytes", -r) : 0;
}

static void block_attribute(char *path, size_t size, uint64_t number, const char *attribute)
{
	(void)snprintf(path, size, MEMORY "/memory%" PRIu64 "/%s", number, attribute);
}

static enum zone zone_of(const char *zones)
{
	size_t length = strcspn(zones, " ");

	if (length == strlen("Movable") && strncmp(zones, "Movable", length) == 0)
		return ZONE_MOVABLE;
	if (length == strlen("Normal") && strncmp(zones, "Normal", length) == 0)
		return ZONE_NORMAL;
	if (length == strlen("none") && strncmp(zones, "none", length) == 0)
		return ZONE_NONE;
	return length ? ZONE_OTHER : ZONE_NONE;
}

int kernel_memory_state(uint64_t number)
{
	char path[128], text[64];
	int r;

	block_attribute(path, sizeof(path), number, "state");
	r = sysfs_read(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return r;
	if (strcmp(text, "offline") == 0)
		return MEMORY_OFFLINE;
	return strcmp(text, "going-offline") == 0 ? MEMORY_LEAVING : MEMORY_ONLINE;
}

/*
 * kmem that was unbound while blocks were online, by whatever program, has left them behind, and
 * the resource with them: bound again it does without those, and at the next unbinding goes to
 * where they should be, which is nowhere (a NULL dereference, 6.12).
 */
int kernel_check_memory_gone(int fd, const char *name, struct error *reterr)
{
	_cleanup_(range_list_clear) struct range_list ranges = { 0 };
	uint64_t block_size;
	int r = kernel_memory_block_size(&block_size, reterr);

	if (r == 0)
		r = kernel_read_ranges(fd, name, &ranges, reterr);
	if (r < 0 || block_size == 0)
		return r;
	for (size_t i = 0; i < ranges.n; i++) {
		struct range range = range_trim(ranges.ranges[i], block_size);

		for (uint64_t at = range.start; at < range_end(range); at += block_size) {
			if (kernel_memory_state(at / block_size) == -ENOENT)
				continue;
			(void)error_set(reterr, EBUSY, "The kernel could not take back memory block %"
					PRIu64 " when %s was unbound from kmem, and uses it still.",
					at / block_size, name);
			return error_hint(reterr, "Only a boot ends that; until then the device "
					  "can be nothing else.");
		}
	}
	return 0;
}

/* 0 when the block is not there (kmem skipped its range), 1 when it is. */
static int read_block(uint64_t number, struct memory_block *ret, struct error *reterr)
{
	char path[128], text[64];
	int r;

	*ret = (struct memory_block){ .number = number };
	r = kernel_memory_state(number);
	if (r == -ENOENT)
		return 0;
	block_attribute(path, sizeof(path), number, "state");
	if (r < 0)
		return kernel_unreadable(reterr, "memory", path, -r);
	ret->online = r != MEMORY_OFFLINE;
	if (!ret->online)
		return 1;
	block_attribute(path, sizeof(path), number, "valid_zones");
	r = sysfs_read(AT_FDCWD, path, text, sizeof(text));
	if (r >= 0)
		ret->zone = zone_of(text);
	return 1;
}

int kernel_read_blocks(int fd, struct dax_device *device, uint64_t block_size,
		       struct error *reterr)
{
	bool unplugged;

	if (device->driver != DRIVER_KMEM || block_size == 0)
		return 0;
	unplugged = kernel_is_unplugged(fd);
	for (size_t i = 0; i < device->ranges.n; i++) {
		struct range range = range_trim(device->ranges.ranges[i], block_size);

		for (uint64_t at = range.start; at < range_end(range); at += block_size) {
			struct memory_block *block =
				ARRAY_APPEND(device->blocks, device->n_blocks);
			int r;

			if (!block)
				return error_oom(reterr);
			r = read_block(at / block_size, block, reterr);
			if (r < 0)
				return r;
			/* What is not there while all is unplugged is offline. */
			device->n_blocks += unplugged ? 1 : (size_t)r;
		}
	}
	return 0;
}

/* The blocks of the device of a step, as they are now. */
static int blocks_of(const struct kernel_device *found, struct dax_device *device,
		     struct error *reterr)
{
	uint64_t block_size;
	int r;

	r = kernel_memory_block_size(&block_size, reterr);
	if (r < 0)
		return r;
	r = kernel_read_driver(found->fd, found->name, &device->driver, NULL, reterr);
	if (r < 0)
		return r;
	r = kernel_read_ranges(found->fd, found->name, &device->ranges, reterr);
	if (r < 0)
		return r;
	return kernel_read_blocks(found->fd, device, block_size, reterr);
}

static int find_blocks(const struct step *step, struct kernel_device *found,
		       struct dax_device *device, struct error *reterr)
{
	int r;

	r = kernel_find_device(step, found, reterr);
	if (r < 0)
		return r;
	r = blocks_of(found, device, reterr);
	if (r < 0)
		return r;
	if (device->driver != DRIVER_KMEM)
		return error_set(reterr, EINVAL, "%s has no memory blocks: the driver kmem is "
				 "not bound to it.", found->name);
	return 0;
}

/* The same with its name, and a mark for each block that is taken offline on the way. */
static int find_to_change(const struct step *step, struct kernel_device *found,
			  struct dax_device *device, bool **taken, struct error *reterr)
{
	int r = find_blocks(step, found, device, reterr);

	if (r < 0)
		return r;
	device->name = strdup(found->name);
	*taken = calloc(device->n_blocks + 1, sizeof(**taken));
	return device->name && *taken ? 0 : error_oom(reterr);
}

/* " 32 33 and 6 more" of the blocks that are online; "" when none is. */
static size_t list_online(const struct dax_device *device, char *text, size_t size)
{
	size_t n = 0, used = 0;

	text[0] = 0;
	for (size_t i = 0; i < device->n_blocks; i++)
		if (device->blocks[i].online && n++ < 4)
			used += (size_t)snprintf(text + used, size - used, " %" PRIu64,
						 device->blocks[i].number);
	if (n > 4)
		(void)snprintf(text + used, size - used, " and %zu more", n - 4);
	return n;
}

int kernel_check_offline(const struct kernel_device *found, struct error *reterr)
{
	_cleanup_(dax_device_clear) struct dax_device device = { 0 };
	char list[160];
	int r;

	r = blocks_of(found, &device, reterr);
	if (r < 0)
		return r;
	if (list_online(&device, list, sizeof(list)) == 0)
		return 0;
	(void)error_set(reterr, EBUSY, "The memory blocks%s of %s are online: taking kmem from it "
			"now would lose them until the next boot.", list, found->name);
	return error_hint(reterr, "Take the memory offline first.");
}

const char *kernel_online_word(enum zone zone)
{
	switch (zone) {
	case ZONE_MOVABLE:
		return "online_movable";
	case ZONE_NORMAL:
		return "online_kernel";
	case ZONE_NONE:
	case ZONE_OTHER:
		break;
	}
	return "online";
}

static int write_state(uint64_t number, const char *state)
{
	char path[128];

	block_attribute(path, sizeof(path), number, "state");
	return sysfs_write(AT_FDCWD, path, state);
}

/* "Memory block 33 of dax0.0", or what is known when the kernel does not say which it is. */
static const char *name_memory(const struct dax_device *device, const struct memory_block *block,
			       char *text, size_t size)
{
	if (block)
		(void)snprintf(text, size, "Memory block %" PRIu64 " of %s", block->number,
			       device->name);
	else if (device->n_blocks)
		(void)snprintf(text, size, "One of the %zu memory blocks of %s, from %" PRIu64
			       " to %" PRIu64 ",", device->n_blocks, device->name,
			       device->blocks[0].number,
			       device->blocks[device->n_blocks - 1].number);
	else
		(void)snprintf(text, size, "The memory of %s", device->name);
	return text;
}

static bool is_movable(const struct dax_device *device, const struct memory_block *block)
{
	if (block)
		return block->zone == ZONE_MOVABLE;
	for (size_t i = 0; i < device->n_blocks; i++)
		if (device->blocks[i].online && device->blocks[i].zone != ZONE_MOVABLE)
			return false;
	return true;
}

int kernel_refuse_offline(const struct dax_device *device, const struct memory_block *block,
			  int code, uint64_t within, struct error *reterr)
{
	char text[192];
	const char *name = name_memory(device, block, text, sizeof(text));

	if (code == EINTR && within) {
		(void)error_set(reterr, ETIMEDOUT, "%s did not go offline within %" PRIu64
				" seconds.", name, within);
		return error_hint(reterr, "Its pages are in use or pinned: free memory on that "
				  "node, or allow more time.");
	}
	if (code == EBUSY)
		(void)error_set(reterr, EBUSY, "%s cannot go offline: the kernel keeps something "
				"in it that cannot be moved.", name);
	else if (code == EINVAL)
		(void)error_set(reterr, EINVAL, "%s cannot go offline: it is not removable.",
				name);
	else
		(void)error_set(reterr, code, "%s cannot go offline: %s.", name, strerror(code));
	if (!is_movable(device, block))
		return error_hint(reterr, "It is not in zone Movable: the kernel may keep it for "
				  "itself until the next boot.");
	return error_hint(reterr, "Free memory on that node, unpin its pages, or try again later.");
}

/* Bring back what this step took offline, in the zones it had. */
static void put_back(const struct dax_device *device, const bool *taken)
{
	for (size_t i = 0; i < device->n_blocks; i++)
		if (taken[i])
			/* The step fails already; a block that stays offline is seen by a scan. */
			(void)write_state(device->blocks[i].number,
					  kernel_online_word(device->blocks[i].zone));
}

/* Take every online block for which wanted says no offline; which is told in taken. */
static int take_offline(struct backend *backend, const struct dax_device *device,
			enum zone unless, uint64_t within, bool *taken, struct error *reterr)
{
	_cleanup_(limit_disarm) struct limit limit = { .armed = false };

	if (limit_arm(&limit, within, reterr) < 0)
		return -reterr->code;
	for (size_t i = device->n_blocks; i-- > 0;) {
		const struct memory_block *block = &device->blocks[i];
		int r;

		if (block->online && (unless == ZONE_NONE || block->zone != unless)) {
			r = write_state(block->number, "offline");
			if (r < 0)
				return kernel_refuse_offline(device, block, -r, within, reterr);
			taken[i] = true;
		}
		backend_report_progress(backend, device->n_blocks - i, device->n_blocks);
	}
	return 0;
}

int kernel_offline(struct backend *backend, const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device found = KERNEL_DEVICE_INIT;
	_cleanup_(dax_device_clear) struct dax_device device = { 0 };
	_cleanup_(freep) bool *taken = NULL;
	int r;

	r = find_to_change(step, &found, &device, &taken, reterr);
	if (r < 0)
		return r;
	if (kernel_has_memory_state(found.fd))
		return kernel_unplug(backend, found.fd, &device, step->within, reterr);
	r = take_offline(backend, &device, ZONE_NONE, step->within, taken, reterr);
	if (r < 0)
		put_back(&device, taken);
	return r;
}

int kernel_refuse_online(const struct dax_device *device, const struct memory_block *block,
			 enum zone zone, int code, struct error *reterr)
{
	char text[192];

	(void)error_set(reterr, code, "%s cannot go online in zone %s: %s.",
			name_memory(device, block, text, sizeof(text)), zone_word(zone),
			code == EINVAL ? "the zone does not fit beside what is online around it" :
					 strerror(code));
	if (code == ENOMEM)
		return error_hint(reterr, "Page structures take 64 bytes for each 4 KiB.");
	return -code;
}

static int bring_online(struct backend *backend, const struct dax_device *device,
			enum zone zone, const bool *taken, struct error *reterr)
{
	/*
	 * Upwards: a block may go to a kernel zone only where no movable one lies below it, and
	 * each of them says "Normal" as long as nothing of its node is online.
	 */
	for (size_t i = 0; i < device->n_blocks; i++) {
		const struct memory_block *block = &device->blocks[i];
		int r;

		if (!block->online || taken[i]) {
			r = write_state(block->number, kernel_online_word(zone));
			/* Somebody was quicker; zones are read back in the end. */
			if (r == -EINVAL && kernel_memory_state(block->number) == MEMORY_ONLINE)
				r = 0;
			if (r < 0)
				return kernel_refuse_online(device, block, zone, -r, reterr);
		}
		backend_report_progress(backend, i + 1, device->n_blocks);
	}
	return 0;
}

/* What was offline before a failed step goes offline again, then the rest comes back. */
static void undo_online(const struct dax_device *device, const bool *taken)
{
	for (size_t i = 0; i < device->n_blocks; i++)
		if (!device->blocks[i].online || taken[i])
			(void)write_state(device->blocks[i].number, "offline"); /* as put_back() */
	put_back(device, taken);
}

/* Block by block what is online as it is to be stays so; at once all of it would have to leave. */
static bool is_all_to_change(const struct dax_device *device, enum zone zone)
{
	const struct memory_block *first = device->blocks;

	for (size_t i = 1; i < device->n_blocks; i++)
		if (first[i].online != first->online || first[i].zone != first->zone)
			return false;
	return device->n_blocks && !(first->online && first->zone == zone);
}

static int online_at_once(struct backend *backend, const struct step *step, int fd,
			  const struct dax_device *device, struct error *reterr)
{
	int r = kernel_unplug(backend, fd, device, step->within, reterr);

	if (r < 0)
		return r;
	r = kernel_plug(backend, fd, device, step->zone, reterr);
	if (r == 0)
		r = kernel_verify_online(step, reterr);
	if (r < 0)
		kernel_replug(fd, device->blocks[0].online, device->blocks[0].zone);
	return r;
}

int kernel_online(struct backend *backend, const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device found = KERNEL_DEVICE_INIT;
	_cleanup_(dax_device_clear) struct dax_device device = { 0 };
	_cleanup_(freep) bool *taken = NULL;
	int r;

	r = find_to_change(step, &found, &device, &taken, reterr);
	if (r < 0)
		return r;
	if (kernel_has_memory_state(found.fd) && is_all_to_change(&device, step->zone))
		return online_at_once(backend, step, found.fd, &device, reterr);
	r = take_offline(backend, &device, step->zone, step->within, taken, reterr);
	if (r < 0) {
		put_back(&device, taken);
		return r;
	}
	r = bring_online(backend, &device, step->zone, taken, reterr);
	if (r == 0)
		r = kernel_verify_online(step, reterr);
	if (r < 0)
		undo_online(&device, taken);
	return r;
}

int kernel_verify_online(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device found = KERNEL_DEVICE_INIT;
	_cleanup_(dax_device_clear) struct dax_device device = { 0 };
	int r;

	r = find_blocks(step, &found, &device, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < device.n_blocks; i++) {
		const struct memory_block *block = &device.blocks[i];

		if (!block->online)
			return error_set(reterr, EIO, "Memory block %" PRIu64 " of %s is offline.",
					 block->number, found.name);
		if (block->zone != step->zone)
			return error_set(reterr, EIO, "Memory block %" PRIu64 " of %s is online in "
					 "zone %s instead of %s.", block->number, found.name,
					 zone_word(block->zone), zone_word(step->zone));
	}
	return 0;
}

int kernel_verify_offline(const struct step *step, struct error *reterr)
{
	_cleanup_(kernel_device_close) struct kernel_device found = KERNEL_DEVICE_INIT;
	_cleanup_(dax_device_clear) struct dax_device device = { 0 };
	char list[160];
	int r;

	r = find_blocks(step, &found, &device, reterr);
	if (r < 0)
		return r;
	if (list_online(&device, list, sizeof(list)) == 0)
		return 0;
	return error_set(reterr, EIO, "The memory blocks%s of %s are online still.", list,
			 found.name);
}
