/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --compat: what daxctl would have ended with.  To it a device that is not there is no failure;
 * anything else is, whatever its errno.
 */
#include "device-verb.h"

#include <errno.h>
#include <stdlib.h>

void device_missing(struct device_run *run)
{
	size_t *index = ARRAY_APPEND(run->missing, run->n_missing);

	if (!index)
		abort(); /* nothing has begun */
	*index = run->cli->problems.n - 1;
	run->n_missing++;
}

void device_forget_missing(struct device_run *run)
{
	free(TAKE(run->missing));
	run->n_missing = 0;
}

static bool is_missing(const struct device_run *run, size_t problem)
{
	for (size_t i = 0; i < run->n_missing; i++)
		if (run->missing[i] == problem)
			return true;
	return false;
}

/* Of the first problem that is more than a device that is not there; 0: none is. */
static int first_code(const struct device_run *run)
{
	const struct report *problems = &run->cli->problems;

	for (size_t i = 0; i < problems->n; i++)
		if (!is_missing(run, i))
			return problems->errors[i].code;
	return 0;
}

void device_set_compat_exit(struct device_run *run, enum cli_exit status)
{
	int code = first_code(run);

	if (status == CLI_DONE || (status == CLI_INVALID && run->n_missing && !code))
		run->cli->exit = 0;
	else
		run->cli->exit = -(code ? code : EIO) & 0xff;
}
