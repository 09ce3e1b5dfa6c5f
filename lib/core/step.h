/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One change that the kernel can see and that can be read back.  The kinds are a closed set;
 * what each means, which members it uses and what undoes it is in the table below.  A step
 * names its object by keys that stay true while other steps run: the region's path, the uuid
 * of a namespace, or the address where the first range of a device of a dynamic region starts.
 */
#ifndef DAXD_CORE_STEP_H
#define DAXD_CORE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/topology.h"

/*
 * kind                members beside volume and region           undone by
 * INIT_LABELS         -                                           nothing (destructive)
 * CREATE_NAMESPACE    uuid info_uuid label mode size align map    DESTROY_NAMESPACE
 *                     [fresh]
 * CONVERT_NAMESPACE   uuid info_uuid mode align map [fresh]       nothing (destructive unless
 *                                                                 the namespace is our own raw)
 * ENABLE_NAMESPACE    uuid                                        nothing
 * DESTROY_NAMESPACE   uuid                                        nothing (destructive)
 * RECORD              label (the volume) record_mode ranges       FORGET, or the old record
 * FORGET              label (the volume)                          nothing
 * CREATE_DEVICE       ranges align                                DESTROY_DEVICE
 * RESIZE_DEVICE       start ranges align                          nothing
 * DESTROY_DEVICE      start                                       nothing
 * BIND                uuid or start, driver                       UNBIND
 * UNBIND              uuid or start, driver (the one it has)      BIND
 * ONLINE              uuid or start, zone                         OFFLINE, if none was online
 * OFFLINE             uuid or start                               ONLINE, if all were in one zone
 * PUBLISH             uuid or start, access [until_reboot]        WITHDRAW, or the old access
 * WITHDRAW            uuid or start, access.link                  PUBLISH as it was
 *
 * WRITE_TABLE         uuid or start, mode *_table [users]         WRITE_TABLE the other way round
 * POLICY              uuid, policy managed                        POLICY as it was
 * DROP_PARTITION      uuid, number extent                         ADD_PARTITION
 * ADD_PARTITION       uuid, number extent                         DROP_PARTITION
 * MAP                 uuid, number extent read_only               UNMAP
 * UNMAP               uuid, number extent                         MAP
 * REMAP               uuid, number extent                         REMAP, unless it has only grown
 *
 * RECORD and FORGET need no region: the memory a record speaks of may be gone.
 * With fresh, a table will follow: what was in the same place before, and might be taken for one,
 * is wiped before the namespace has its mode.
 * CONVERT_NAMESPACE of a namespace without labels finds it by region alone (uuid is "").
 * RESIZE_DEVICE keeps the ranges both lists begin with, drops the rest and adds the new ones;
 * it may change align.  DESTROY_DEVICE of daxX.0 leaves the kernel's size 0 seed behind.
 * PUBLISH has udev give the node its link and whom it belongs to, now and at each boot, until
 * WITHDRAW; an object that is destroyed, resized or converted is no longer published.
 * WRITE_TABLE is destructive when a partition shrinks, moves or goes.  It refuses when the device
 * does not have before_table.  mode says whether it is a disk or a dax device; users are there to
 * be checked, since who may have a window is read from the configuration.  The kernel is not told.
 * Entries of DROP and ADD are the kernel's own partitions; those of MAP, UNMAP and REMAP are dm
 * devices.  None of them writes anything.
 * ONLINE brings every block into zone: one that is online in another zone goes offline first.
 */
enum step_kind {
	STEP_INIT_LABELS,
	STEP_CREATE_NAMESPACE,
	STEP_CONVERT_NAMESPACE,
	STEP_ENABLE_NAMESPACE,
	STEP_DESTROY_NAMESPACE,
	STEP_RECORD,
	STEP_FORGET,
	STEP_CREATE_DEVICE,
	STEP_RESIZE_DEVICE,
	STEP_DESTROY_DEVICE,
	STEP_BIND,
	STEP_UNBIND,
	STEP_ONLINE,
	STEP_OFFLINE,
	STEP_PUBLISH,
	STEP_WITHDRAW,
	STEP_WRITE_TABLE,
	STEP_POLICY,
	STEP_DROP_PARTITION,
	STEP_ADD_PARTITION,
	STEP_MAP,
	STEP_UNMAP,
	STEP_REMAP,
};
#define N_STEP_KINDS 23

/* Whom a window is for; owner or group may be NULL. */
struct window_user {
	char *window, *owner, *group;
};

struct step {
	enum step_kind kind;
	bool destructive; /* loses data that somebody may want */
	char *volume;	  /* of the configuration; NULL: the kernel's default device */
	char *region;	  /* path */
	char *object;	  /* today's name of what is changed, for people; NULL: not there yet */
	char *reason;	  /* why, half a sentence: "the volume is new" */
	struct uuid uuid, info_uuid;
	char *label;
	char *record_mode;
	bool until_reboot; /* RECORD, PUBLISH: nobody wants it back after a boot */
	enum namespace_mode mode;
	enum map_location map;
	uint64_t size, align;
	uint64_t start; /* first range of the device as it is now */
	struct range_list ranges;
	enum driver driver;
	enum zone zone;
	bool ignore_open; /* UNBIND, DESTROY_DEVICE: who has its node open only is no obstacle */
	uint64_t within; /* OFFLINE, ONLINE: seconds that offlining may take; 0: no limit */
	struct access access; /* owner, group NULL: not said; perm counts when has_perm */
	bool has_perm;
	struct partition_table before_table, after_table;
	struct window_user *users;
	size_t n_users;
	bool fresh;
	enum partitioning policy;
	bool managed;
	unsigned int number; /* of a partition */
	struct range extent; /* of a partition, from the start of its disk */
	bool read_only;
	size_t *after; /* steps of the plan that must be done before this one */
	size_t n_after;
};

void step_clear(struct step *step);
/* Copies; -ENOMEM. */
int step_add_user(struct step *step, const char *window, const struct access *access);
int step_copy(struct step *to, const struct step *from);
/* Are the members that the kind needs there, and sensible? For asserts and for plans read in. */
int step_check(const struct step *step, struct error *reterr);
/* Does whoever holds something in the region of the step have to be asked first? */
bool step_takes_away(const struct step *step);

const char *step_kind_word(enum step_kind kind); /* "create-namespace" */
int step_kind_from_word(const char *word, enum step_kind *ret);
/* One line for a person, without the reason: "create-namespace vm-a in region0: devdax 16G". */
char *step_describe(const struct step *step);

#endif
