/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/kernel.h"

#include <errno.h>
#include <string.h>

/*
 * What the kernel means by an errno from one attribute.  The reasons were seen with 6.1 and
 * 6.12 and read in drivers/dax/bus.c, drivers/nvdimm and drivers/base/memory.c.
 */
static const struct refusal {
	const char *attribute;
	int code;
	const char *reason, *hint;
} refusals[] = {
	{ "size", EBUSY, "a driver is bound to the device", "Unbind the device first." },
	{ "size", EINVAL, "it is not a multiple of the alignment", NULL },
	{ "size", ENOSPC, "the region has less free space than that", NULL },
	{ "size", ENXIO, "the driver of the region is not bound", NULL },
	{ "align", EBUSY, "a driver is bound to the device", "Unbind the device first." },
	{ "align", EINVAL,
	  "the processor has no pages of that size, or a range of the device is not a multiple "
	  "of it", NULL },
	{ "align", ENXIO, "the driver of the region is not bound", NULL },
	{ "mapping", ENOMEM, "the range is taken or lies outside the region", NULL },
	{ "mapping", EBUSY, "the range is taken or lies outside the region", NULL },
	{ "mapping", ENXIO, "the driver of the region is not bound", NULL },
	{ "dax_region/create", ENOSPC, "the region has no free space", NULL },
	{ "dax_region/delete", EBUSY, "the device has a driver or a size", NULL },
	{ "bind", EBUSY, "another driver is bound to it", NULL },
	{ "bind", EINVAL, "the driver does not accept it", NULL },
	{ "bind", ENODEV, "the driver does not accept it", NULL },
	{ "bind", ENXIO, "the device has no size, or the driver does not accept it", NULL },
	{ "probe", ENXIO, "it is too small for its page structures and its alignment", NULL },
	{ "probe", EINVAL, "its place or size does not fit the alignment", NULL },
	{ "probe", EOPNOTSUPP, "an info block of another alignment or map is there", NULL },
	{ "probe", ENOMEM, "there is not enough memory for its page structures",
	  "Page structures take 64 bytes for each 4 KiB." },
	{ "bind", ENOMEM, "there is not enough memory for its page structures",
	  "Page structures take 64 bytes for each 4 KiB." },
	{ "unbind", ENODEV, "the driver is not bound to it", NULL },
};

int kernel_refused(struct error *reterr, const char *object, const char *attribute,
		   const char *value, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *known = &refusals[i];

		if (known->code != code || strcmp(known->attribute, attribute) != 0)
			continue;
		(void)error_set(reterr, code, "The kernel refused \"%s\" in %s/%s: %s (%s).",
				value, object, attribute, known->reason, strerror(code));
		return known->hint ? error_hint(reterr, "%s", known->hint) : -code;
	}
	(void)error_set(reterr, code, "The kernel refused \"%s\" in %s/%s: %s.", value, object,
			attribute, strerror(code));
	if (code == EACCES || code == EPERM)
		return error_hint(reterr, "This needs root.");
	return -code;
}

int kernel_unreadable(struct error *reterr, const char *object, const char *attribute, int code)
{
	(void)error_set(reterr, code, "Cannot read %s/%s: %s.", object, attribute,
			strerror(code));
	if (code == EACCES || code == EPERM)
		return error_hint(reterr, "The kernel shows physical addresses only to root.");
	return -code;
}

void kernel_copy_error(struct error *to, const struct error *from)
{
	if (error_copy(to, from) < 0)
		(void)error_oom(to);
}

int kernel_write(int at, const char *object, const char *attribute, const char *value,
		 struct error *reterr)
{
	int r = sysfs_write(at, attribute, value);

	return r < 0 ? kernel_refused(reterr, object, attribute, value, -r) : 0;
}
