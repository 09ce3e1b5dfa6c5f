/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Namespaces of pmem regions.  Label and size come first, so that a crash leaves a namespace
 * with the uuid of its volume, which the same step completes the next time; what makes it
 * fsdax or devdax is an info block at its start, written when a pfn or dax object with the
 * namespace is bound.  An info block that an earlier namespace with the same uuid left in the
 * same place would decide instead, so it is wiped when it gets in the way.  So is an old partition
 * table where a new one will come: before there is an info block, which says that all is done.
 */
#include "exec/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/size.h"
#include "exec/kernel-nd-library.h"

/* What a step works on: its region, and the namespace once it is known. */
struct job {
	const struct step *step;
	struct ndctl_ctx *ctx;
	struct ndctl_region *region;
	struct ndctl_namespace *ns;
	int lock;
	int region_fd;
	int pin; /* keeps others from mounting what is about to go */
};

#define JOB_INIT { .lock = -1, .region_fd = -1, .pin = -1 }

static void job_clear(struct job *job)
{
	kernel_nd_close(&job->ctx);
	closep(&job->lock);
	closep(&job->region_fd);
	closep(&job->pin);
}

/* libndctl caches, so each look at what has changed is with a fresh context. */
static int job_look(struct job *job, struct error *reterr)
{
	int r;

	kernel_nd_close(&job->ctx);
	job->ctx = NULL;
	job->ns = NULL;
	r = kernel_nd_open(&job->ctx, reterr);
	if (r == 0)
		r = kernel_nd_find_region(job->ctx, job->step, &job->region, reterr);
	if (r < 0)
		return r;
	(void)kernel_nd_find_namespace(job->region, &job->step->uuid, &job->ns); /* NULL: none */
	return 0;
}

static int job_begin(struct job *job, const struct step *step, struct error *reterr)
{
	job->step = step;
	job->lock = kernel_lock_nd(step, reterr);
	if (job->lock < 0)
		return job->lock;
	job->region_fd = kernel_open_region(step, reterr);
	if (job->region_fd < 0)
		return job->region_fd;
	return job_look(job, reterr);
}

static int no_namespace(const struct job *job, struct error *reterr)
{
	return error_set(reterr, ENOENT, "%s has no namespace %s.",
			 ndctl_region_get_devname(job->region),
			 job->step->uuid.text[0] ? job->step->uuid.text : "at all");
}

static const char *ns_name(const struct job *job)
{
	return ndctl_namespace_get_devname(job->ns);
}

static int library_refused(struct error *reterr, const char *object, const char *attribute,
			   const char *value, int r)
{
	return kernel_refused(reterr, object, attribute, value, -r);
}

/* Bind dax1.0, pfn1.0 or namespace1.0 to its driver; probing tells its errno this way. */
static int bind_object(const char *object, const char *driver, struct error *reterr)
{
	char folder[64], path[128];
	int r;

	(void)snprintf(folder, sizeof(folder), "/sys/bus/nd/drivers/%s", driver);
	r = kernel_load_module(driver, folder, reterr);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/sys/bus/nd/devices/%s/driver", object);
	if (access(path, F_OK) == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/bind", folder);
	r = sysfs_write(AT_FDCWD, path, object);
	return r < 0 ? kernel_refused(reterr, driver, "probe", object, -r) : 0;
}

static int unbind_object(const char *object, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 64];
	int r;

	(void)snprintf(path, sizeof(path), "/sys/bus/nd/devices/%s/driver/unbind", object);
	r = sysfs_write(AT_FDCWD, path, object);
	if (r == -ENOENT)
		return 0; /* no driver */
	return r < 0 ? kernel_refused(reterr, object, "driver/unbind", object, -r) : 0;
}

/* What a wanted mode is called in the interfaces of the kernel. */
struct form {
	enum ndctl_namespace_mode enforce;
	const char *holder; /* prefix of the object that has the namespace; "" for raw */
	const char *driver;
};

static struct form form_of(enum namespace_mode mode)
{
	switch (mode) {
	case NAMESPACE_FSDAX:
		return (struct form){ NDCTL_NS_MODE_FSDAX, "pfn", "nd_pmem" };
	case NAMESPACE_DEVDAX:
		return (struct form){ NDCTL_NS_MODE_DEVDAX, "dax", "dax_pmem" };
	case NAMESPACE_RAW:
	case NAMESPACE_SECTOR:
		break;
	}
	return (struct form){ NDCTL_NS_MODE_RAW, "", "nd_pmem" };
}

static int read_holder(const struct job *job, char *holder, struct error *reterr)
{
	char path[SYSFS_NAME_MAX + 16];
	int r;

	(void)snprintf(path, sizeof(path), "%s/holder", ns_name(job));
	r = sysfs_read(job->region_fd, path, holder, SYSFS_NAME_MAX);
	return r < 0 ? kernel_unreadable(reterr, ns_name(job), "holder", -r) : 0;
}

static bool text_is(const struct job *job, const char *object, const char *attribute,
		    const char *want)
{
	char path[2 * SYSFS_NAME_MAX], text[256];

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	return sysfs_read(job->region_fd, path, text, sizeof(text)) >= 0 &&
	       strcasecmp(text, want) == 0;
}

static bool has_driver(const struct job *job, const char *object)
{
	char path[SYSFS_NAME_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/driver", object);
	return faccessat(job->region_fd, path, F_OK, 0) == 0;
}

/* Is the namespace enabled, with the mode, align, map and info uuid of the step? */
static int check_form(const struct job *job, struct error *reterr)
{
	const struct step *step = job->step;
	const struct form form = form_of(step->mode);
	char holder[SYSFS_NAME_MAX], align[32];
	int r;

	r = read_holder(job, holder, reterr);
	if (r < 0)
		return r;
	if (strncmp(holder, form.holder, 3) != 0 || (!form.holder[0] && holder[0]))
		return error_set(reterr, EIO, "%s is not in %s mode.", ns_name(job),
				 namespace_mode_word(step->mode));
	if (!has_driver(job, holder[0] ? holder : ns_name(job)))
		return error_set(reterr, EIO, "%s is not enabled.", ns_name(job));
	if (!holder[0])
		return 0;
	(void)snprintf(align, sizeof(align), "%" PRIu64, step->align);
	if (step->align && !text_is(job, holder, "align", align))
		return error_set(reterr, EIO, "%s does not have the alignment %s.", ns_name(job),
				 SIZE_STR(step->align));
	if (step->map != MAP_NONE &&
	    !text_is(job, holder, "mode", step->map == MAP_DEV ? "pmem" : "ram"))
		return error_set(reterr, EIO, "%s does not have its page structures in %s.",
				 ns_name(job), map_location_word(step->map));
	if (uuid_is_set(&step->info_uuid) && !text_is(job, holder, "uuid", step->info_uuid.text))
		return error_set(reterr, EIO, "The info block of %s has another uuid.",
				 ns_name(job));
	return 0;
}

/*
 * Take a namespace out of use and away from its pfn, dax or btt object; the info block stays.
 * The caller has looked at the holders.
 */
static int release(struct job *job, struct error *reterr)
{
	char holder[SYSFS_NAME_MAX], path[SYSFS_NAME_MAX + 16];
	int r;

	r = read_holder(job, holder, reterr);
	if (r < 0)
		return r;
	r = unbind_object(holder[0] ? holder : ns_name(job), reterr);
	closep(&job->pin); /* it is of a disk that is no more */
	if (r < 0 || !holder[0])
		return r;
	/* An empty name lets go; the object goes back to the kernel. */
	(void)snprintf(path, sizeof(path), "%s/namespace", holder);
	r = sysfs_write(job->region_fd, path, "\n");
	if (r < 0 && r != -ENOENT)
		return kernel_refused(reterr, holder, "namespace", "", -r);
	return unbind_object(ns_name(job), reterr);
}

/* Enable a released namespace raw, whatever its info block says, and wipe it. */
static int wipe(struct job *job, struct error *reterr)
{
	_cleanup_(error_clear) struct error after = ERROR_INIT;
	int r, back;

	r = ndctl_namespace_set_raw_mode(job->ns, 1);
	if (r < 0)
		return library_refused(reterr, ns_name(job), "force_raw", "1", r);
	r = bind_object(ns_name(job), "nd_pmem", reterr);
	if (r == 0)
		r = kernel_wipe_namespace(job->region_fd, ns_name(job), job->step, reterr);
	back = unbind_object(ns_name(job), r < 0 ? &after : reterr);
	if (r == 0)
		r = back;
	back = ndctl_namespace_set_raw_mode(job->ns, 0);
	if (r == 0 && back < 0)
		r = library_refused(reterr, ns_name(job), "force_raw", "0", back);
	return r;
}

static int seed_of(const struct job *job, const char *kind, char *name, struct error *reterr)
{
	char attribute[32];
	int r;

	(void)snprintf(attribute, sizeof(attribute), "%s_seed", kind);
	r = sysfs_read(job->region_fd, attribute, name, SYSFS_NAME_MAX);
	if (r == 0)
		r = -ENODEV;
	return r < 0 ? kernel_unreadable(reterr, ndctl_region_get_devname(job->region), attribute,
					 -r) : 0;
}

static int set_on(const struct job *job, const char *object, const char *attribute,
		  const char *value, struct error *reterr)
{
	char path[2 * SYSFS_NAME_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", object, attribute);
	r = sysfs_write(job->region_fd, path, value);
	return r < 0 ? kernel_refused(reterr, object, attribute, value, -r) : 0;
}

/* Write the info block by way of a pfn or dax seed, which then has the namespace. */
static int set_up_holder(const struct job *job, const struct form *form, struct error *reterr)
{
	const struct step *step = job->step;
	char seed[SYSFS_NAME_MAX], align[32];
	int r;

	r = seed_of(job, form->holder, seed, reterr);
	if (r < 0)
		return r;
	(void)snprintf(align, sizeof(align), "%" PRIu64, step->align);
	r = set_on(job, seed, "uuid", step->info_uuid.text, reterr);
	if (r == 0)
		r = set_on(job, seed, "mode", step->map == MAP_MEM ? "ram" : "pmem", reterr);
	if (r == 0 && step->align)
		r = set_on(job, seed, "align", align, reterr);
	if (r == 0)
		r = set_on(job, seed, "namespace", ns_name(job), reterr);
	if (r == 0)
		r = bind_object(seed, form->driver, reterr);
	if (r < 0) {
		_cleanup_(error_clear) struct error error = ERROR_INIT;

		/* The seed goes back empty; the error that counts is the first one. */
		(void)unbind_object(seed, &error);
		error_clear(&error);
		(void)set_on(job, seed, "namespace", "\n", &error);
		error_clear(&error);
		(void)set_on(job, seed, "uuid", "\n", &error);
	}
	return r;
}

static int set_up(struct job *job, struct error *reterr)
{
	const struct form form = form_of(job->step->mode);
	int r;

	if (form.holder[0]) {
		r = set_up_holder(job, &form, reterr);
		if (r < 0)
			return r;
	} else {
		r = bind_object(ns_name(job), form.driver, reterr);
		if (r < 0)
			return r;
	}
	return check_form(job, reterr);
}

/* Bring a released namespace into the mode of the step; the first try fails on old info. */
static int set_up_or_wipe(struct job *job, struct error *reterr)
{
	_cleanup_(error_clear) struct error first = ERROR_INIT;
	int r;

	r = set_up(job, &first);
	if (r == 0)
		return 0;
	r = release(job, reterr);
	if (r == 0)
		r = wipe(job, reterr);
	if (r == 0)
		r = set_up(job, reterr);
	return r;
}

static int write_label(struct job *job, struct error *reterr)
{
	const struct step *step = job->step;
	uuid_t binary;
	int r;

	(void)uuid_parse(step->uuid.text, binary); /* struct uuid only ever holds valid text */
	r = ndctl_namespace_set_uuid(job->ns, binary);
	if (r < 0)
		return library_refused(reterr, ns_name(job), "uuid", step->uuid.text, r);
	r = ndctl_namespace_set_alt_name(job->ns, step->label);
	if (r < 0)
		return library_refused(reterr, ns_name(job), "alt_name", step->label, r);
	r = ndctl_namespace_set_enforce_mode(job->ns, form_of(step->mode).enforce);
	if (r < 0)
		return library_refused(reterr, ns_name(job), "holder_class",
				       namespace_mode_word(step->mode), r);
	r = ndctl_namespace_set_size(job->ns, step->size);
	if (r == -ENOMEM || r == -ENOSPC) {
		(void)error_set(reterr, ENOSPC, "%s has no %s in one piece free.",
				ndctl_region_get_devname(job->region), SIZE_STR(step->size));
		return error_hint(reterr, "Namespaces need one contiguous range.");
	}
	if (r < 0)
		return library_refused(reterr, ns_name(job), "size", SIZE_STR(step->size), r);
	return 0;
}

static int take_seed(struct job *job, struct error *reterr)
{
	const char *name = ndctl_region_get_devname(job->region);

	if (kernel_nd_labels(job->region) != LABELS_VALID)
		return error_set(reterr, ENXIO, "%s has no labels to keep a namespace in.", name);
	if (!ndctl_region_is_enabled(job->region))
		return error_set(reterr, ENXIO, "%s is not enabled.", name);
	if (ndctl_region_get_ro(job->region) == 1)
		return error_set(reterr, EROFS, "%s is read-only.", name);
	job->ns = ndctl_region_get_namespace_seed(job->region);
	if (!job->ns || !kernel_nd_namespace_idle(job->ns))
		return error_set(reterr, ENOSPC, "%s has no room for another label.", name);
	return 0;
}

/* The label goes, and with it the place; nothing of a new namespace was in use. */
static void forget_new(struct job *job)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;

	(void)release(job, &error);
	(void)ndctl_namespace_delete(job->ns); /* the step fails already */
}

/* The uuid of the info block that the namespace has now; "" for none. */
static int read_info_uuid(struct job *job, struct uuid *ret, struct error *reterr)
{
	char holder[SYSFS_NAME_MAX], path[SYSFS_NAME_MAX + 64], text[64];
	int r;

	r = read_holder(job, holder, reterr);
	if (r < 0 || !holder[0])
		return r;
	(void)snprintf(path, sizeof(path), "/sys/bus/nd/devices/%s/uuid", holder);
	if (sysfs_read(AT_FDCWD, path, text, sizeof(text)) > 0)
		(void)uuid_parse_text(text, ret); /* "" when it is none */
	return 0;
}

/* What is kept about it by its new uuid. */
static int announce(struct kernel_notices *notices, const struct step *step, struct error *reterr)
{
	kernel_notice_namespace(notices, step);
	return step->fresh && step->mode == NAMESPACE_DEVDAX ?
		       kernel_begin_windows(&step->info_uuid, reterr) : 0;
}

/* Does its label keep the mode (version 1.2)? */
static bool label_has_mode(const struct job *job)
{
	char path[SYSFS_NAME_MAX + 16], text[SYSFS_NAME_MAX];

	(void)snprintf(path, sizeof(path), "%s/holder_class", ns_name(job));
	return sysfs_read(job->region_fd, path, text, sizeof(text)) > 0 && text[0];
}

/* Without it a devdax namespace that is enabled has no driver. */
static int load_dax_pmem(struct error *reterr)
{
	return kernel_load_module("dax_pmem", "/sys/bus/nd/drivers/dax_pmem", reterr);
}

/*
 * What is disabled may look as if it had no mode, where its label does not keep it: the kernel finds
 * out when it is enabled.  1: nothing is in it; 0: it is as it is to be.
 */
static int look_inside(const struct job *job, struct error *reterr)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char holder[SYSFS_NAME_MAX];
	int enabled, r;

	if (ndctl_namespace_is_active(job->ns) || label_has_mode(job))
		return 1;
	r = load_dax_pmem(reterr);
	if (r < 0)
		return r;
	/* It fails, too, when the kernel found what is in it and that has no driver yet. */
	enabled = ndctl_namespace_enable(job->ns);
	r = read_holder(job, holder, reterr);
	if (r < 0)
		return r;
	if (!holder[0] && enabled >= 0)
		return 1;
	if (!holder[0])
		return error_set(reterr, -enabled, "Cannot enable %s to see what is in it: %s.",
				 ns_name(job), strerror(-enabled));
	if (enabled >= 0 && check_form(job, &error) == 0)
		return 0;
	(void)error_set(reterr, ESTALE, "%s was disabled, and is not what it seemed to be: %s",
			ns_name(job), error.code ? error_message(&error) : "it has no driver yet.");
	return error_hint(reterr, "It is enabled now: plan again.");
}

/*
 * The namespace has the uuid of the one to be made.  1: an earlier run was cut short, and it is to be
 * finished; 0: it is there.  What has a mode is no beginning, and stays.
 */
static int check_begun(const struct job *job, struct error *reterr)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char holder[SYSFS_NAME_MAX];
	uint64_t size = ndctl_namespace_get_size(job->ns);
	int r;

	if (size != job->step->size)
		return error_set(reterr, EEXIST, "%s has the uuid of the new namespace, but the "
				 "size %s.", ns_name(job), SIZE_STR(size));
	if (check_form(job, &error) == 0)
		return 0;
	r = look_inside(job, reterr);
	if (r <= 0)
		return r;
	r = read_holder(job, holder, reterr);
	if (r < 0 || !holder[0])
		return r < 0 ? r : 1;
	return error_set(reterr, EEXIST, "%s has the uuid of the new namespace, and is another: %s",
			 ns_name(job), error_message(&error));
}

int kernel_create_namespace(struct kernel_notices *notices, const struct step *step,
			    struct error *reterr)
{
	_cleanup_(job_clear) struct job job = JOB_INIT;
	bool new;
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	new = !job.ns || kernel_nd_namespace_idle(job.ns);
	r = new ? 1 : check_begun(&job, reterr);
	if (r <= 0)
		return r;
	r = 0;
	if (new && !job.ns) {
		r = take_seed(&job, reterr);
		if (r < 0)
			return r;
	}
	if (new)
		r = write_label(&job, reterr);
	else
		r = kernel_nd_check_free(job.ns, &job.pin, reterr);
	if (r == 0 && !new)
		r = release(&job, reterr);
	if (r == 0 && step->fresh)
		r = wipe(&job, reterr);
	if (r == 0)
		r = announce(notices, step, reterr);
	if (r == 0)
		r = set_up_or_wipe(&job, reterr);
	if (r < 0)
		kernel_unpublish_uuid(&step->info_uuid);
	if (r < 0 && new)
		forget_new(&job);
	return r;
}

int kernel_convert_namespace(struct kernel_notices *notices, const struct step *step,
			     struct error *reterr)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	_cleanup_(job_clear) struct job job = JOB_INIT;
	struct uuid info = { "" };
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	if (!job.ns)
		return no_namespace(&job, reterr);
	if (check_form(&job, &error) == 0)
		return 0;
	r = step->destructive ? 1 : look_inside(&job, reterr);
	if (r <= 0)
		return r;
	r = kernel_nd_check_free(job.ns, &job.pin, reterr);
	if (r == 0)
		r = read_info_uuid(&job, &info, reterr);
	if (r == 0)
		r = release(&job, reterr);
	if (r < 0)
		return r;
	if (uuid_is_set(&step->uuid)) {
		/* The label of version 1.2 keeps the mode too. */
		r = ndctl_namespace_set_enforce_mode(job.ns, form_of(step->mode).enforce);
		if (r < 0)
			return library_refused(reterr, ns_name(&job), "holder_class",
					       namespace_mode_word(step->mode), r);
	}
	r = wipe(&job, reterr);
	if (r == 0)
		r = announce(notices, step, reterr);
	if (r == 0)
		r = set_up(&job, reterr);
	if (r < 0)
		kernel_unpublish_uuid(&step->info_uuid);
	if (r == 0 && !uuid_equal(&info, &step->info_uuid))
		kernel_unpublish_uuid(&info);
	return r;
}

/* What its info block makes of it, the kernel finds out by itself. */
int kernel_enable_namespace(const struct step *step, struct error *reterr)
{
	_cleanup_(job_clear) struct job job = JOB_INIT;
	char holder[SYSFS_NAME_MAX];
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	if (!job.ns)
		return no_namespace(&job, reterr);
	if (ndctl_namespace_is_active(job.ns))
		return 0;
	r = read_holder(&job, holder, reterr);
	if (r < 0)
		return r;
	if (holder[0])
		return bind_object(holder, strncmp(holder, "dax", 3) ? "nd_pmem" : "dax_pmem",
				   reterr);
	r = load_dax_pmem(reterr);
	if (r < 0)
		return r;
	r = ndctl_namespace_enable(job.ns);
	if (r < 0)
		return error_set(reterr, -r, "Cannot enable %s: %s.", ns_name(&job),
				 strerror(-r));
	return 0;
}

int kernel_destroy_namespace(const struct step *step, struct error *reterr)
{
	_cleanup_(job_clear) struct job job = JOB_INIT;
	struct uuid info = { "" };
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	if (!job.ns)
		return 0;
	r = kernel_nd_check_free(job.ns, &job.pin, reterr);
	if (r == 0)
		r = read_info_uuid(&job, &info, reterr);
	if (r == 0)
		r = release(&job, reterr);
	if (r == 0)
		r = wipe(&job, reterr);
	if (r < 0)
		return r;
	r = ndctl_namespace_delete(job.ns);
	if (r < 0)
		return error_set(reterr, -r, "Cannot delete %s: %s.", ns_name(&job),
				 strerror(-r));
	kernel_unpublish_uuid(&info);
	kernel_unpublish_uuid(&step->uuid);
	return 0;
}

int kernel_verify_namespace(const struct step *step, struct error *reterr)
{
	_cleanup_(job_clear) struct job job = JOB_INIT;
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	if (!job.ns)
		return no_namespace(&job, reterr);
	if (step->kind == STEP_ENABLE_NAMESPACE)
		return ndctl_namespace_is_active(job.ns) ? 0 :
			error_set(reterr, EIO, "%s is not enabled.", ns_name(&job));
	if (step->kind == STEP_CREATE_NAMESPACE &&
	    ndctl_namespace_get_size(job.ns) != step->size)
		return error_set(reterr, EIO, "%s has the size %s and not %s.", ns_name(&job),
				 SIZE_STR(ndctl_namespace_get_size(job.ns)),
				 SIZE_STR(step->size));
	return check_form(&job, reterr);
}

int kernel_verify_destroyed_namespace(const struct step *step, struct error *reterr)
{
	_cleanup_(job_clear) struct job job = JOB_INIT;
	int r;

	r = job_begin(&job, step, reterr);
	if (r < 0)
		return r;
	if (job.ns && !kernel_nd_namespace_idle(job.ns))
		return error_set(reterr, EIO, "%s is there still.", ns_name(&job));
	return 0;
}
