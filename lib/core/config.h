/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a host is to have: volumes, each in one region.  A config owns its volumes; it comes
 * from config_parse() (config-json.c) and is complete and consistent in itself once
 * config_check() (config-check.c) had nothing to report.  Whether a machine can give it is the
 * planner's question.
 */
#ifndef DAXD_CORE_CONFIG_H
#define DAXD_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macro.h"
#include "base/size.h"
#include "core/range.h"
#include "core/topology.h"

#define CONFIG_VERSION 1
#define CONFIG_SIZE_MAX (64u << 20)    /* bytes of one file */
#define CONFIG_OF_USER_MAX (256u << 10) /* of a document that anybody may send to daxd */
#define CONFIG_OF_ROOT_MAX (4u << 20)  /* and root, on its own socket */
#define CONFIG_VOLUMES_MAX 1000000u
#define VOLUME_WAIT 10
#define VOLUME_WAIT_MAX 86400
#define VOLUME_NAME_MAX 63	       /* fits a namespace label */

/* Which region; every key that is present must hold. At least one is. */
struct selector {
	bool has_type;
	enum region_type type;
	bool has_numa, has_target_node, has_range;
	int numa, target_node;
	struct uuid uuid;   /* "" absent */
	char *path;	    /* NULL absent */
	char *provider;	    /* NULL absent */
	struct range range; /* the region must lie in it: "0x100000000-0x13fffffff", inclusive */
};

enum volume_mode {
	MODE_DEVDAX,
	MODE_FSDAX,
	MODE_SYSTEM_RAM,
};
#define N_VOLUME_MODES 3

enum persist {
	PERSIST_NONE, /* devdax, fsdax */
	PERSIST_KMEM,
	PERSIST_BLK,
};
#define N_PERSISTS 3

enum size_kind {
	SIZE_BYTES,
	SIZE_PERCENT, /* of the region, rounded down to what can be allocated */
	SIZE_ALL,     /* what the other volumes of the region leave */
};

struct size_spec {
	enum size_kind kind;
	uint64_t bytes;
	unsigned int percent_x100; /* 12.5% is 1250; 1..10000 */
};

struct partition {
	char *name; /* in the table; NULL: one that is there, and known by its uuid */
	bool absent;
	struct size_spec size; /* percentages are of the device that is partitioned */
	struct uuid uuid;      /* "": made from the volume's name and this one's */
	struct uuid type;      /* "": Linux data */
	bool has_start;
	uint64_t start;	    /* exactly there, from the start of the device */
	struct access node; /* owner, group NULL: not said; of a window: whom it is for */
	bool has_perm;
	size_t index; /* in the document */
};

struct volume {
	char *name;
	bool absent; /* "ensure": "absent": the volume is to go; only name, region, uuid, ranges count */
	/*
	 * "adopt": false: an object of somebody else is changed, and stays his: no record, no
	 * link.  ranges or uuid (or, without labels, the region) say which; size counts too.
	 */
	bool foreign;
	bool fresh; /* "ensure": "new": it must not be there yet */
	/*
	 * "until_reboot": true: what a dynamic region gets for it is not wanted back after a boot,
	 * when it is gone; the record ends then.
	 */
	bool until_reboot;
	bool unlinked; /* "link": false: nothing in /dev/dax/by-name */
	struct selector region;
	bool has_region;
	enum volume_mode mode;
	enum persist persist;
	struct size_spec size;
	uint64_t align;	       /* 0: the region's default */
	bool contiguous;       /* one range, where the region could give several */
	struct range_list ranges; /* "ranges": exactly these, in this order; n 0: anywhere */
	enum zone zone;	       /* of system-ram: normal or movable */
	bool enabled;	       /* false: without a driver, to be used by nobody */
	bool online;	       /* of system-ram: false leaves the blocks offline */
	enum map_location map; /* of pmem: dev or mem; MAP_NONE: not said */
	struct uuid uuid;      /* of the namespace; "": made from the name */
	/* "ignore_open": true: it is taken from processes that have its node open, and not mapped */
	bool ignore_open;
	int offline_within; /* seconds that taking its memory offline may take; 0: no limit */
	int wait; /* seconds that a boot waits for its region; VOLUME_WAIT: not said */
	struct access node;    /* owner, group NULL: not said */
	bool has_perm;
	bool has_partitioning;
	enum partitioning partitioning; /* of fsdax: who makes block devices of partitions */
	bool repair; /* write a damaged or half lost table anew */
	struct partition *partitions;
	size_t n_partitions;
	size_t index;	  /* in "volumes" of its document, for pointers into it */
	const char *file; /* its document, one of config.files; NULL: it has no name */
};

/* One document, or several whose volumes were put together. */
struct config {
	struct volume *volumes;
	size_t n_volumes;
	char **files; /* the documents that have a name */
	size_t n_files;
};

void config_free(struct config *config);
DEFINE_FREEP(struct config, config)
void volume_clear(struct volume *volume);
/* Select this region: by its uuid, else by its range, which both outlive a boot. */
void volume_select(struct volume *volume, const struct region *region);

/*
 * Read a document: syntax, types, unknown and duplicate keys, lossy numbers, values out of
 * their set.  All problems go to the report; *ret is set only when there were none.  file is
 * what problems call the document, or NULL.  Returns 0 or the report's code.
 */
int config_parse(const char *text, size_t length, const char *file, struct config **ret,
		 struct report *report);
/* Append the volumes of another document, which is freed with it; -ENOMEM. */
int config_merge(struct config *config, struct config *other);
/* The rules between keys and between volumes: everything that needs no machine. */
int config_check(const struct config *config, struct report *report);
/*
 * What the language has and this version cannot do yet (persist: blk): one error
 * for each use.  check accepts them, plan and apply do not.
 */
int config_supported(const struct config *config, struct report *report);
/* The document that config_parse() reads back to the same config; NULL: no memory. */
char *config_to_json(const struct config *config);

/* Does the volume say anything about partitions? */
bool volume_has_table(const struct volume *volume);

/* Where a volume, or a member of it, stands in the document. */
struct volume_path {
	struct path volumes, volume, member, item, item_member;
};
const struct path *volume_path(struct volume_path *at, const struct volume *volume,
			       const char *member);

/* Where one of its partitions, or a member of it, stands. */
const struct path *partition_path(struct volume_path *at, const struct volume *volume,
				  const struct partition *partition, const char *member);
void partition_clear(struct partition *partition);

const char *volume_mode_word(enum volume_mode mode);
int volume_mode_from_word(const char *word, enum volume_mode *ret);
const char *persist_word(enum persist persist);
int persist_from_word(const char *word, enum persist *ret);

/* "16G", "all", "50%"; -EINVAL, -ERANGE. */
int size_spec_parse(const char *text, struct size_spec *ret);
struct size_text size_spec_format(const struct size_spec *spec);

#endif
