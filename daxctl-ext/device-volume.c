/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device-volume.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "problem.h"

char *device_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort(); /* nothing has begun */
	return copy;
}

void device_volume_init(struct volume *volume)
{
	*volume = (struct volume){
		.enabled = true,
		.online = true,
		.wait = VOLUME_WAIT,
	};
}

char *device_keep_path(const struct volume *volume)
{
	char *path;

	if (asprintf(&path, DEVICE_KEEP_FOLDER "/%s.json", volume->name) < 0)
		abort(); /* as in device_text() */
	return path;
}

bool device_is_unnamed(const char *name)
{
	return strncmp(name, DEVICE_UNNAMED, strlen(DEVICE_UNNAMED)) == 0;
}

static bool all_in_zone(const struct dax_device *device, enum zone zone)
{
	for (size_t i = 0; i < device->n_blocks; i++)
		if (!device->blocks[i].online || device->blocks[i].zone != zone)
			return false;
	return device->n_blocks > 0;
}

static void set_memory(struct volume *volume, const struct dax_device *device)
{
	volume->mode = MODE_SYSTEM_RAM;
	volume->persist = PERSIST_KMEM;
	volume->online = dax_device_any_online(device);
	volume->zone = all_in_zone(device, ZONE_NORMAL) ? ZONE_NORMAL : ZONE_MOVABLE;
}

/* The mode that its label says; false: it is none of ours. */
static bool find_own_mode(const struct topology *topology, const struct volume_view *view,
			  enum volume_mode *ret)
{
	const char *name = volume_name(view);

	for (enum volume_mode mode = MODE_DEVDAX; name && mode < N_VOLUME_MODES; mode++) {
		struct uuid uuid = volume_uuid(&topology->seed, name, mode);

		*ret = mode;
		if (uuid_equal(&view->ns->uuid, &uuid))
			return true;
	}
	return false;
}

/* Labels of others may have the same name: then only the uuid says which it is. */
static bool shares_name(const struct topology *topology, const struct namespace *ns)
{
	size_t n = 0;

	for (size_t i = 0; i < topology->n_regions; i++)
		for (size_t j = 0; j < topology->regions[i].n_namespaces; j++) {
			const char *label = topology->regions[i].namespaces[j].label;

			n += label && strcmp(label, ns->label) == 0;
		}
	return n > 1;
}

static int fill_namespace(const struct topology *topology, const struct volume_view *view,
			  struct volume *volume, struct report *problems)
{
	const struct namespace *ns = view->ns;
	enum volume_mode own;

	if (view->region->labels == LABELS_BLANK) {
		problem_add(problems, EOPNOTSUPP, "ndctl can change it",
			    "%s has labels that were never initialised, so nothing tells its "
			    "namespace from others.", view->region->name);
		return -EOPNOTSUPP;
	}
	volume->size.kind = view->region->labels == LABELS_VALID ? SIZE_BYTES : SIZE_ALL;
	volume->size.bytes = ns->range.size;
	volume->align = ns->align;
	volume->map = ns->map;
	if (ns->mode == NAMESPACE_FSDAX)
		volume->mode = MODE_FSDAX;
	volume->foreign = view->region->labels != LABELS_VALID ||
			  !find_own_mode(topology, view, &own);
	if (!volume->foreign && shares_name(topology, ns))
		volume->uuid = ns->uuid;
	if (!volume->foreign && !ns->device)
		return 0;
	if (!volume->foreign && ns->device->driver == DRIVER_NONE && own == MODE_SYSTEM_RAM)
		set_memory(volume, ns->device);
	/* What it is now and what it was made for differ: to keep it so is not our business. */
	else if (!volume->foreign && own != volume->mode)
		volume->foreign = true;
	if (volume->foreign && view->region->labels == LABELS_VALID)
		volume->uuid = ns->uuid;
	return 0;
}

static void fill_dynamic(const struct volume_view *view, struct volume *volume)
{
	const struct dax_device *device = view->device;

	volume->size.bytes = device->size;
	volume->align = device->align;
	volume->foreign = !view->record;
	volume->until_reboot = view->record && view->record->until_reboot;
	volume->unlinked = volume->until_reboot && device_is_unnamed(view->record->volume);
	if (view->record && device->driver == DRIVER_NONE &&
	    strcmp(view->record->mode, volume_mode_word(MODE_SYSTEM_RAM)) == 0)
		set_memory(volume, device);
	if (!view->record && range_list_copy(&volume->ranges, &device->ranges) < 0)
		abort(); /* nothing has begun */
}

int device_volume_fill(const struct topology *topology, const struct volume_view *view,
		       struct volume *volume, struct report *problems)
{
	const struct dax_device *device = view->device;
	int r = 0;

	device_volume_init(volume);
	volume_select(volume, view->region);
	volume->mode = MODE_DEVDAX;
	if (device && device->driver == DRIVER_KMEM)
		set_memory(volume, device);
	if (view->ns)
		r = fill_namespace(topology, view, volume, problems);
	else
		fill_dynamic(view, volume);
	if (r < 0)
		return r;
	volume->enabled = !device || device->driver != DRIVER_NONE;
	volume->name = device_text(!volume->foreign ? volume_name(view) :
				   device           ? device->name :
						      view->ns->name);
	return 0;
}

bool device_volume_is(const struct volume *volume, const struct volume_view *view)
{
	const char *name = volume_name(view);

	if (!volume->foreign && !uuid_is_set(&volume->uuid))
		return name && strcmp(name, volume->name) == 0;
	if (volume->ranges.n)
		return !view->ns && view->device->ranges.n &&
		       view->device->ranges.ranges[0].start == volume->ranges.ranges[0].start;
	if (uuid_is_set(&volume->uuid))
		return view->ns && uuid_equal(&view->ns->uuid, &volume->uuid);
	return view->ns && view->region->labels == LABELS_NONE &&
	       view->region->range.start == volume->region.range.start;
}

int device_size_parse(const char *text, struct size_spec *ret)
{
	static const char units[] = "kmgt";
	unsigned long long n;
	const char *unit;
	char *end;

	if (strncmp(text, "0x", 2) != 0 && strncmp(text, "0X", 2) != 0)
		return size_spec_parse(text, ret);
	if (!isxdigit((unsigned char)text[2]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 16);
	if (errno)
		return -ERANGE;
	*ret = (struct size_spec){ .kind = SIZE_BYTES, .bytes = n };
	if (!*end)
		return 0;
	unit = strchr(units, tolower((unsigned char)*end));
	if (!unit || end[1])
		return -EINVAL;
	return __builtin_mul_overflow(n, UINT64_C(1024) << (10 * (unit - units)), &ret->bytes) ?
		       -ERANGE :
		       0;
}
