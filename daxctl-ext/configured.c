/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "configured.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device-volume.h"
#include "host/folders.h"

/* Nobody has said how large all that is free will be. */
static bool same_size(const struct size_spec *a, const struct size_spec *b)
{
	return a->kind == SIZE_BYTES && b->kind == SIZE_BYTES && a->bytes == b->bytes;
}

/* What is there of it; NULL: nothing yet. */
static const struct volume_view *find_view(const struct device_run *run, const struct volume *want)
{
	for (size_t i = 0; i < run->volumes.n; i++)
		if (device_volume_is(want, &run->volumes.views[i]))
			return &run->volumes.views[i];
	return NULL;
}

/* The configuration may know by its name what the verb knows by its uuid. */
static const char *name_of(const struct volume_view *view, const struct partition *partition)
{
	const struct partition_table *table = !view		       ? NULL :
					      view->ns && view->ns->disk ? &view->ns->disk->table :
					      view->device	       ? view->device->table :
									 NULL;

	for (size_t i = 0; !partition->name && table && i < table->n_entries; i++)
		if (uuid_equal(&table->entries[i].uuid, &partition->uuid))
			return table->entries[i].name;
	return partition->name;
}

static bool partition_differs(const struct volume *host, const struct volume_view *view,
			      const struct partition *partition)
{
	const char *name = name_of(view, partition);

	for (size_t i = 0; i < host->n_partitions; i++) {
		const struct partition *other = &host->partitions[i];
		bool same = uuid_is_set(&other->uuid) ?
				    uuid_equal(&other->uuid, &partition->uuid) :
				    name && other->name && strcmp(name, other->name) == 0;

		if (same && partition->absent != other->absent)
			return true;
		if (same && !partition->absent && !same_size(&partition->size, &other->size))
			return true;
	}
	return false;
}

/* Is it to be larger or smaller than it is, and not as the configuration says? */
static bool size_differs(const struct volume *host, const struct volume_view *view,
			 const struct volume *want)
{
	return view && want->size.kind == SIZE_BYTES && want->size.bytes != view->size &&
	       !same_size(&host->size, &want->size);
}

static bool align_differs(const struct volume *host, const struct volume_view *view,
			  const struct volume *want)
{
	uint64_t now = !view ? 0 : view->ns ? view->ns->align : view->device->align;

	return now && host->align && want->align != now && want->align != host->align;
}

/* The key in which the two differ, or NULL. */
static const char *find_difference(const struct volume *host, const struct volume_view *view,
				   const struct volume *want)
{
	enum partitioning policy = host->has_partitioning ? host->partitioning : PARTITIONING_AUTO;

	if (host->absent || want->absent)
		return host->absent ? NULL : "ensure";
	if (host->mode != want->mode)
		return "mode";
	if (host->enabled != want->enabled)
		return "enabled";
	if (want->mode == MODE_SYSTEM_RAM && host->online != want->online)
		return "online";
	if (want->mode == MODE_SYSTEM_RAM && want->online && host->zone != want->zone)
		return "zone";
	if (size_differs(host, view, want))
		return "size";
	if (align_differs(host, view, want))
		return "align";
	if ((host->has_partitioning || host->n_partitions) && want->has_partitioning && view &&
	    want->partitioning != view->ns->disk->policy && want->partitioning != policy)
		return "partitioning";
	for (size_t i = 0; i < want->n_partitions; i++)
		if (partition_differs(host, view, &want->partitions[i]))
			return "partitions";
	return NULL;
}

/* What is somebody else's for the verb may be configured by its label, or have no label at all. */
static const struct volume *find_host(const struct config *host, const struct volume *want,
				      const struct volume_view *view)
{
	const char *name = !want->foreign ? want->name : view ? volume_name(view) : NULL;

	for (size_t i = 0; name && i < host->n_volumes; i++)
		if (strcmp(host->volumes[i].name, name) == 0)
			return &host->volumes[i];
	return NULL;
}

static void refuse(struct device_run *run, const struct volume *host, const char *key)
{
	struct volume_path at;
	_cleanup_(freep) char *pointer = path_to_pointer(volume_path(&at, host, NULL));
	const char *name = host->name;

	if (strcmp(key, "ensure") == 0)
		device_refuse(run, name, EINVAL,
			      "take it out of that file first, then \"daxctl-ext apply\" where daxd "
			      "runs",
			      "It is configured in %s, %s, and would be made again.", host->file,
			      pointer ? pointer : "");
	else
		device_refuse(run, name, EINVAL,
			      "change it there instead, then \"daxctl-ext apply\"",
			      "It is configured in %s, %s, with another \"%s\", which daxd would put "
			      "back.", host->file, pointer ? pointer : "", key);
}

void configured_refuse(struct device_run *run)
{
	_cleanup_(report_clear) struct report mistakes = REPORT_INIT;
	_cleanup_(config_freep) struct config *host = NULL;
	struct config *config = run->config;
	size_t kept = 0;

	/* What nobody can read, or is wrong, daxd leaves out, too. */
	if (run->options->topology || folders_load(folders_of_host, &host, &mistakes) < 0)
		return;
	for (size_t i = 0; i < config->n_volumes; i++) {
		struct volume *want = &config->volumes[i];
		const struct volume_view *view = find_view(run, want);
		const struct volume *found = find_host(host, want, view);
		const char *key = found ? find_difference(found, view, want) : NULL;

		if (key) {
			refuse(run, found, key);
			volume_clear(want);
		} else {
			config->volumes[kept++] = *want;
		}
	}
	config->n_volumes = kept;
}
