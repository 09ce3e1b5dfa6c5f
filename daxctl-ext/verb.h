/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verb of the command line: one table entry in a file of its own.  The entry is the only
 * place where its options and its help are written: parsing, --help and the man page are made
 * from it (options.c).
 */
#ifndef DAXCTL_EXT_VERB_H
#define DAXCTL_EXT_VERB_H

#include <stddef.h>

#include "base/macro.h"
#include "cli.h"

struct verb_option {
	const char *name;  /* without the dashes */
	char letter;	   /* 0: none */
	const char *value; /* "FILE": it takes one, stored as const char *; NULL: a bool */
	bool optional;	   /* the value may be left out (--wait, --wait=5), and is "" then */
	const char *help;  /* sentences */
	size_t offset;	   /* where in the verb's own options it goes */
};

struct verb {
	const char *name;
	const char *args; /* "CONFIG...", for people; NULL: none */
	size_t min_args, max_args;
	const char *help;  /* a line without a full stop */
	const char *about; /* sentences; "\n" begins a paragraph */
	const char *json;  /* help of --json; NULL: the verb has none */
	const struct verb_option *options;
	size_t n_options;
	size_t options_size; /* of the struct that run gets, zeroed and filled */
	enum cli_exit (*run)(struct cli *cli, const void *options, char *args[]);
};

/* Reads as a member list in each verb's entry. */
#define VERB_OPTIONS(type, table)                                                            \
	.options = (table), .n_options = ARRAY_SIZE(table), .options_size = sizeof(type)
#define ANY_NUMBER ((size_t)-1)

/* Options that several verbs have, with one meaning. */
#define OPTION_TOPOLOGY(type)                                                                \
	{                                                                                    \
		.name = "topology", .value = "FILE", .offset = offsetof(type, topology),     \
		.help = "Take the machine from a file that status --json wrote, instead of " \
			"this one.",                                                         \
	}
#define OPTION_ALLOW_DATA_LOSS(type) OPTION_ALLOW_DATA_LOSS_AT(type, allow_data_loss)
#define OPTION_ALLOW_DATA_LOSS_AT(type, member)                                              \
	{                                                                                    \
		.name = "allow-data-loss", .offset = offsetof(type, member),                 \
		.help = "Accept steps that lose data.",                                      \
	}

#define OPTION_NO_ASK_PASSWORD(type)                                                         \
	{                                                                                    \
		.name = "no-ask-password", .offset = offsetof(type, no_ask_password),        \
		.help = "Do not ask for a password where polkit wants one; fail instead.",   \
	}

extern const struct verb verb_check, verb_plan, verb_apply, verb_status, verb_export,
	verb_import, verb_create_device, verb_destroy_device, verb_reconfigure_device,
	verb_enable_device, verb_disable_device, verb_online_memory, verb_offline_memory, verb_part, verb_list, verb_map, verb_who,
	verb_jobs, verb_cancel, verb_monitor, verb_wait, verb_version, verb_help;

/* All verbs, in the order of the help; ends with NULL. */
extern const struct verb *const verb_table[];

/* NULL: there is none of that name; the problem is added. */
const struct verb *verb_find(struct cli *cli, const char *name);

#endif
