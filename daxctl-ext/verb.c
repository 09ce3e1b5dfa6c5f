/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verb.h"

#include <errno.h>
#include <string.h>

#include "suggest.h"

const struct verb *const verb_table[] = {
	&verb_check,   &verb_plan,   &verb_apply,  &verb_status, &verb_list,	&verb_map,
	&verb_who,
	&verb_create_device, &verb_destroy_device, &verb_reconfigure_device,
	&verb_enable_device, &verb_disable_device, &verb_online_memory, &verb_offline_memory, &verb_part,
	&verb_export, &verb_import, &verb_jobs,	 &verb_cancel,	&verb_monitor,
	&verb_wait,    &verb_version, &verb_help,  NULL,
};

const struct verb *verb_find(struct cli *cli, const char *name)
{
	const char *names[ARRAY_SIZE(verb_table)];
	struct error error = ERROR_INIT;
	size_t n = 0;

	for (; verb_table[n]; n++) {
		names[n] = verb_table[n]->name;
		if (strcmp(names[n], name) == 0)
			return verb_table[n];
	}
	(void)error_set(&error, EINVAL, "There is no verb \"%s\".", name);
	if (suggest(name, names, n))
		(void)error_hint(&error, "did you mean \"%s\"?", suggest(name, names, n));
	else
		(void)error_hint(&error, "\"daxctl-ext help\" lists the verbs.");
	(void)report_take(&cli->problems, &error);
	return NULL;
}
