/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that daxctl has, too.  Each is a small configuration, made from what the machine
 * has and what the verb wants, and carried out on the same road as that of apply; then what
 * daxctl prints is printed.
 *
 * A verb is consent to lose what it names: destructive steps of its volumes are allowed, and
 * no others.  What is in use is refused, or with --wait waited for.
 */
#ifndef DAXCTL_EXT_DEVICE_VERB_H
#define DAXCTL_EXT_DEVICE_VERB_H

#include "client.h"
#include "core/config.h"
#include "verb.h"
#include "volumes.h"

/* What all of them have; the first member of each verb's own options. */
struct device_options {
	const char *region, *wait, *limit_time, *topology;
	bool human, verbose, force, compat, dry_run, no_ask_password, allow_data_loss;
};

struct device_run;

struct device_verb {
	const char *name;
	const char *past; /* "destroyed", before the number of devices; NULL: not told */
	bool json;	  /* daxctl prints the devices */
	bool looks;	  /* finish shows what has become of the machine, and who uses it */
	bool namespaces;  /* also those that are no dax device, when they are named */
	bool creates;	  /* and consents to losing nothing */
	bool resizes;	  /* and consents to losing what is beyond the end */
	bool patient;	  /* has --wait and --force */
	const char *ndctl; /* what does the same to a namespace that is no dax device; or NULL */
	bool spare_pmem;  /* "all" leaves namespaces alone, unless --region is one */
	/* Make the volumes of run->config; problems are added. */
	void (*fill)(struct device_run *run);
	/* Of a fill that goes through the devices: what the verb makes of one. */
	void (*want)(struct device_run *run, const struct volume_view *view,
		     struct volume *volume);
	/* After it went well; NULL: nothing. */
	enum cli_exit (*finish)(struct device_run *run);
};

struct device_run {
	struct cli *cli;
	const struct device_verb *verb;
	const struct device_options *options; /* the verb's own begin with them */
	char **args;
	struct client client;
	struct topology *topology;
	struct volumes volumes; /* of the topology */
	struct config *config;	/* to be carried out */
	struct config *kept;	/* what is already as it is wanted */
	unsigned int attempt; /* how often somebody else was quicker */
	size_t n_steps; /* of the plan that was carried out */
	struct report notes;	/* what is left alone without being wrong */
	size_t *missing, n_missing; /* which problems say that a device is not there, no more */
	bool in_use; /* a refusal that waiting may help */
	bool misnamed; /* a name means nothing, or more than one thing: nobody is waited for */
	bool waited; /* all the time of --wait: now --force takes from who has it open */
	bool unreadable; /* a file that was named */
	bool loses; /* refused, because it would lose what the verb does not name */
};

enum cli_exit device_verb_run(struct cli *cli, const struct device_verb *verb,
			      const struct device_options *options, char *args[]);

/* What the two halves of a verb share: device-verb.c prepares, device-carry.c goes on. */
enum cli_exit device_no_memory(struct cli *cli);
enum cli_exit device_look(struct device_run *run, enum client_look look);
/* The volume that a pointer is about, or n_volumes. */
size_t device_volume_at(const struct config *config, const char *pointer);
/* Nothing of it was done, or will be. */
void device_drop_all(struct config *config);
/* Takes the plan. */
enum cli_exit device_carry_out(struct device_run *run, struct plan *plan);
enum cli_exit device_conclude(struct device_run *run, enum cli_exit status);
/* The problem that was just added is that a device is not there. */
void device_missing(struct device_run *run);
void device_forget_missing(struct device_run *run);
/* --compat, at the end of a verb. */
void device_set_compat_exit(struct device_run *run, enum cli_exit status);

/* The fill of verbs that take devices. */
void device_fill(struct device_run *run);
/* A new volume of a configuration, initialised. */
struct volume *device_add_volume(struct config *config);
/*
 * Refuse one device: name, then the sentence.  The code is daxctl's, which calls most of what
 * is not possible now ENXIO.
 */
void device_refuse(struct device_run *run, const char *name, int code, const char *hint,
		   const char *format, ...) _printf_(5, 6);
/* Move the volume that want() is filling to those that stay as they are. */
void device_keep(struct device_run *run, struct volume *volume);
/* Does one of the arguments mean it? */
bool device_is_meant(const struct device_run *run, const struct volume_view *view);
/* "-s" of the command line; false: refused. */
bool device_read_size(struct device_run *run, const char *text, struct size_spec *ret);
/* "-a"; in bytes. */
bool device_read_align(struct device_run *run, const char *text, uint64_t *ret);

#define DEVICE_OPTION_REGION(type)                                                           \
	{                                                                                    \
		.name = "region", .letter = 'r', .value = "ID",                              \
		.offset = offsetof(type, common.region),                                     \
		.help = "Only in this region: X of daxX.Y, regionX, its name or all.",        \
	}
#define DEVICE_OPTION_FORCE(type, text)                                                      \
	{                                                                                    \
		.name = "force", .letter = 'f', .offset = offsetof(type, common.force),      \
		.help = text,                                                                \
	}
#define DEVICE_OPTION_WAIT(type)                                                             \
	{                                                                                    \
		.name = "wait", .value = "SECONDS", .optional = true,                        \
		.offset = offsetof(type, common.wait),                                       \
		.help = "Where somebody uses a device, wait until they have left, for ever " \
			"or that long.",                                                     \
	}
#define DEVICE_OPTION_LIMIT(type)                                                            \
	{                                                                                    \
		.name = "limit-time", .value = "SECONDS",                                    \
		.offset = offsetof(type, common.limit_time),                                 \
		.help = "Give up to take memory offline after that long, and put back what " \
			"was taken.",                                                        \
	}
#define DEVICE_OPTIONS_COMMON(type)                                                          \
	{                                                                                    \
		.name = "human", .letter = 'u', .offset = offsetof(type, common.human),      \
		.help = "Sizes with units, and a single object without the array around it.", \
	},                                                                                   \
	{                                                                                    \
		.name = "verbose", .letter = 'v', .offset = offsetof(type, common.verbose),  \
		.help = "Show the plan and each step on standard error; with --dry-run, the " \
			"configuration that is planned for, too.",                           \
	},                                                                                   \
	{                                                                                    \
		.name = "dry-run", .letter = 'n', .offset = offsetof(type, common.dry_run),  \
		.help = "Show the steps instead, and run none.",                             \
	},                                                                                   \
	{                                                                                    \
		.name = "compat", .offset = offsetof(type, common.compat),                   \
		.help = "Give daxctl's exit status: 256 less the errno, and 0 when a device " \
			"is not there.",                                                     \
	},                                                                                   \
	{                                                                                    \
		.name = "no-ask-password", .offset = offsetof(type, common.no_ask_password), \
		.help = "Do not ask for a password where polkit wants one; fail instead.",   \
	},                                                                                   \
	{                                                                                    \
		.name = "topology", .value = "FILE", .offset = offsetof(type, common.topology), \
		.help = "Change a simulated machine, a copy of one that status --json wrote.", \
	}

#endif
