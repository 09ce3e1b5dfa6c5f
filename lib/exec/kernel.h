/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel as a backend: what its files share, and nobody else includes.  Each step finds its
 * object anew by the keys of the step and keeps no library context or descriptor afterwards,
 * because libndctl caches and kernel names move; the name that an object had is tried first.  Functions that take a struct error fill it.
 */
#ifndef DAXD_EXEC_KERNEL_H
#define DAXD_EXEC_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "core/step.h"
#include "core/topology.h"
#include "exec/backend.h"
#include "exec/sysfs.h"

/* Names of devices of dynamic regions by where they start: where to look first. */
struct kernel_place;
struct kernel_index {
	struct kernel_place *places;
	size_t n;
};

/* Steps that will publish devices, and what was written for them before those were made. */
struct kernel_notice;
struct kernel_notices {
	struct kernel_notice *notices;
	size_t n;
	char run[40]; /* what the stamps of a run have in common */
	unsigned int n_stamps;
};

/* A link by name that udev has made, and the last component of where it leads. */
struct kernel_link {
	char *node, *path; /* dax1.0, /dev/dax/by-name/vm-a */
};

/* What nodes are looked up in while a scan runs. */
struct kernel_names {
	bool brief; /* scans are for a list of dax devices: nobody asks for nodes */
	const struct scope *scope; /* what is to be looked at */
	/* Of the node seen last: most nodes have the same, and to look them up takes long. */
	char *owner, *group; /* NULL: none seen */
	unsigned int uid, gid;
	struct kernel_link *links; /* in order of node */
	size_t n_links;
};

struct kernel {
	struct backend backend;
	char *state_file;
	struct kernel_names names;
	bool hurries; /* grace periods are expedited until the end */
	bool makes_devices;
	struct kernel_index index;
	struct kernel_notices notices;
};

/* A dax device found for a step: its folder in sysfs and that of its dax region. */
struct kernel_device {
	int fd;			      /* .../daxX.Y */
	int region_fd;		      /* its parent, the one with dax_region */
	char name[SYSFS_NAME_MAX];    /* daxX.Y */
};
#define KERNEL_DEVICE_INIT ((struct kernel_device){ .fd = -1, .region_fd = -1 })

/* (uid_t)-1 or (gid_t)-1: not said. */
struct kernel_accounts {
	uid_t uid;
	gid_t gid;
};

/* kernel-error.c: sentences for what the kernel refuses. */
/* Fill reterr with why object (dax0.1) did not take value in attribute; returns -code. */
int kernel_refused(struct error *reterr, const char *object, const char *attribute,
		   const char *value, int code);
/* Why reading failed; EACCES asks for root. */
int kernel_unreadable(struct error *reterr, const char *object, const char *attribute, int code);
/* What befell all steps of a group befalls this one. */
void kernel_copy_error(struct error *to, const struct error *from);
/* Write, or say why not. */
int kernel_write(int at, const char *object, const char *attribute, const char *value,
		 struct error *reterr);

/* kernel-scan-nd.c, kernel-scan-dax.c: append what they find to the topology. */
int kernel_scan_nd(struct topology *topology, struct kernel_names *names, struct error *reterr);
int kernel_scan_dax(struct topology *topology, struct kernel_names *names, struct error *reterr);

/* kernel-device.c: one dax device. */
/* All of it but nodes, memory blocks and holders; fd is its folder. */
int kernel_read_device(int fd, const char *name, struct kernel_names *names,
		       struct dax_device *ret, struct error *reterr);
int kernel_read_nodes(int fd, struct dax_device *device, struct error *reterr);
int kernel_read_ranges(int fd, const char *name, struct range_list *ret, struct error *reterr);
int kernel_read_driver(int fd, const char *name, enum driver *ret, char **ret_name,
		       struct error *reterr);
/* 1: it is the one; 0: look further; fd is its folder. */
typedef int kernel_accept(int fd, const char *name, const void *data, struct error *reterr);
/* The first dax device below a folder that is accepted: 1, and *ret has it; 0 when none is. */
int kernel_find_below(int folder, kernel_accept *accept, const void *data,
		      struct kernel_device *ret, struct error *reterr);
/* The device that a step names, tried by the name of step->object first; -ENOENT. */
int kernel_find_device(const struct step *step, struct kernel_device *ret, struct error *reterr);
void kernel_device_close(struct kernel_device *device);
/* The node below /dev of what a step names: a dax device or a block device. */
int kernel_find_node(const struct step *step, char *name, struct error *reterr);
/* The name of a namespace's folder, 1; 0 when the region has none. uuid "": the only one. */
int kernel_find_namespace_folder(int region_fd, const struct uuid *uuid, char *name,
				 struct error *reterr);
/* The folder of a step's region. Returns a descriptor. */
int kernel_open_region(const struct step *step, struct error *reterr);
/* Does the name look like daxX.Y? */
bool kernel_is_device_name(const char *name);

/* kernel-index.c */
void kernel_index_clear(struct kernel_index *index);
/* Walk the region of a step anew. */
int kernel_index_read(struct kernel_index *index, const struct step *step, struct error *reterr);
/* The device that starts there, or NULL. */
const char *kernel_index_find(const struct kernel_index *index, const char *region,
			      uint64_t start);
/* A device of size 0 and without a driver, which is then no longer in the index. */
bool kernel_index_take_seed(struct kernel_index *index, const char *region, char *name);
int kernel_index_add(struct kernel_index *index, const char *region, const char *name,
		     uint64_t start);

/* kernel-group.c: steps of one kind on dax devices. */
void kernel_run_on_devices(struct kernel *kernel, struct step_group *group);

/* kernel-records.c */
int kernel_change_record(const char *path, const struct step *step, struct error *reterr);
int kernel_verify_record(const char *path, const struct step *step, struct error *reterr);
void kernel_change_records(const char *path, struct step_group *group);

/* What a writer changes for a moment is kept here, to be put back should it be killed. */
#define RUN_FOLDER "/run/daxd"
#define HELD_POLICY RUN_FOLDER "/auto_online_blocks"
#define HELD_REGION RUN_FOLDER "/disabled-region"
#define HURRIED RUN_FOLDER "/rcu-expedited"
/* What udev/56-daxd-partitions.rules find out there: of which disk a map is. */
#define RUN_DISKS RUN_FOLDER "/disks"
/* And what is on a map that is about to come. */
#define RUN_MAPS RUN_FOLDER "/maps"
/* There while devices of dynamic regions are made: udev/91-daxd.rules look for it. */
#define MAKING_DEVICES RUN_FOLDER "/making-devices"

/* kernel-policy.c: new memory stays offline between the two. */
int kernel_hold_policy(struct error *reterr);
void kernel_release_policy(void);

/* kernel-rcu.c: from the first step that waits for them to the end grace periods are expedited. */
bool kernel_waits_for_grace(const struct step *step);
void kernel_hurry(void); /* if the host lets us */
void kernel_stop_hurrying(void);

/* kernel-region.c: where hmem regions start, since the boot. */
/* It is known for sure now. */
void kernel_note_region(const struct region *region);
/* Set the start, if a region of this size that has the address was noted. */
bool kernel_recall_region(struct region *region, uint64_t address);

/* kernel-memory.c */
int kernel_memory_block_size(uint64_t *ret, struct error *reterr);
/* Of a device without a driver: -EBUSY when memory of its is there still. fd is its folder. */
int kernel_check_memory_gone(int fd, const char *name, struct error *reterr);
/* The memory blocks of a device bound to kmem; those that are unplugged count as offline. */
int kernel_read_blocks(int fd, struct dax_device *device, uint64_t block_size,
		       struct error *reterr);
int kernel_online(struct backend *backend, const struct step *step, struct error *reterr);
int kernel_offline(struct backend *backend, const struct step *step, struct error *reterr);
int kernel_verify_online(const struct step *step, struct error *reterr);
int kernel_verify_offline(const struct step *step, struct error *reterr);
/* -EBUSY with the numbers of those that are online. */
int kernel_check_offline(const struct kernel_device *device, struct error *reterr);
/* What a block is; one that leaves is online still. -ENOENT: it is not there. */
enum memory_state { MEMORY_OFFLINE, MEMORY_LEAVING, MEMORY_ONLINE };
int kernel_memory_state(uint64_t number);
/* What is to be written to bring memory online in a zone. */
const char *kernel_online_word(enum zone zone);
/* Why it failed. block NULL: it is not known which; within: the limit it had, in seconds. */
int kernel_refuse_offline(const struct dax_device *device, const struct memory_block *block,
			  int code, uint64_t within, struct error *reterr);
int kernel_refuse_online(const struct dax_device *device, const struct memory_block *block,
			 enum zone zone, int code, struct error *reterr);

/* kernel-memory-state.c: all memory of a device at once; device is its folder. */
/* Can the kernel do that? */
bool kernel_has_memory_state(int device);
bool kernel_is_unplugged(int device);
/* All of it offline and away, or nothing is changed. */
int kernel_unplug(struct backend *backend, int device, const struct dax_device *memory,
		  uint64_t within, struct error *reterr);
/* All of it there and online; it must be unplugged. */
int kernel_plug(struct backend *backend, int device, const struct dax_device *memory,
		enum zone zone, struct error *reterr);
/* As it was before, after a failure. */
void kernel_replug(int device, bool online, enum zone zone);

/* kernel-holders.c */
/* Who holds what the regions of a scope have: one pass over mounts, swaps and processes. */
int kernel_scan_holders(struct topology *topology, const struct scope *scope, struct error *reterr);
/* -EBUSY with a sentence that names the holders of one device, or of one block device. */
int kernel_check_device_free(const char *device, bool ignore_open, struct error *reterr);
int kernel_check_blockdev_free(const char *blockdev, struct error *reterr);
/*
 * Who mounts or maps it must have it alone: ask the kernel, which knows better than what can be read
 * in /proc.  As long as *ret is open nobody else can, either; -1: there is nothing to open.
 */
int kernel_pin_blockdev(const char *blockdev, int *ret, struct error *reterr);
/*
 * Before device_dax is bound.  Whoever has a device open since before it was unbound breaks it for
 * good by closing it when it has been bound again meanwhile: probing initialises a list that the
 * open inode is on (6.1 to 7.2, "kernel BUG at lib/list_debug.c" when it is removed).  new_id
 * has all devices without a driver probed, so none of them may be open.
 */
int kernel_check_driverless_free(struct error *reterr);
/* Who has the device open may map any of it; who has mapped it alone holds what he has mapped. */
int kernel_check_window_free(const char *device, const char *window, struct range extent,
			     struct error *reterr);

/* kernel-window.c: partitions of dax devices. */
/* The table of a device, where there is one; info is the uuid of its info block. */
int kernel_scan_windows(const struct uuid *info, struct dax_device *device, struct error *reterr);
/* Is there what no step can bring about: the library that writes, and the windows' accounts? */
int kernel_check_windows(const struct step *step, struct error *reterr);
int kernel_write_windows(const struct step *step, struct error *reterr);
int kernel_verify_windows(const struct step *step, struct error *reterr);
/* Before the device is made: it will have a table, and has none yet. */
int kernel_begin_windows(const struct uuid *info, struct error *reterr);
void kernel_forget_windows(const struct uuid *info);

/* kernel-wipe.c */
/* A namespace that is enabled raw: what the step's kind and "fresh" ask for. */
int kernel_wipe_namespace(int region_fd, const char *name, const struct step *step,
			  struct error *reterr);

/* kernel-disk.c: partitions as a scan sees them. */
#define KERNEL_PROPERTIES STATEDIR "/udev" /* of devices: what udev's rules import */
#define KERNEL_FILE_MAX (sizeof(KERNEL_PROPERTIES) + 96)
#define KERNEL_TEXT_MAX 384
#define KERNEL_PARTITIONS "DAXD_PARTITIONS"
#define KERNEL_PARTITIONS_MANAGED "DAXD_PARTITIONS_MANAGED"
/* The disk of an enabled namespace, into the namespace; what has gone meanwhile is left out. */
int kernel_scan_disk(struct namespace *ns, struct error *reterr);
/* The disk that a step is on. */
struct kernel_disk {
	const struct step *of;
	char name[SYSFS_NAME_MAX]; /* pmem0 */
	struct uuid uuid;	   /* as namespace_disk_uuid() */
	dev_t dev;
	int sysfs, node; /* its folder; /dev/pmem0, to read */
};
#define KERNEL_DISK_INIT ((struct kernel_disk){ .sysfs = -1, .node = -1 })

int kernel_find_disk(const struct step *step, struct kernel_disk *ret, struct error *reterr);
void kernel_disk_clear(struct kernel_disk *disk);
/* Is this step on the disk, too? */
bool kernel_disk_has(const struct kernel_disk *disk, const struct step *step);
/* The file with the policy of a disk. */
void kernel_partitions_file(const struct uuid *disk, char file[KERNEL_FILE_MAX]);
/* Of which partition of the disk is dm-0 our map? 0: of none. */
unsigned int kernel_map_number(const char *dm, const struct uuid *disk);
/* Count anew who has it open; false: nobody. */
bool kernel_recount_map(struct disk_map *map);
/* Does /dev/pmem0p1 lead to dm-0? */
bool kernel_map_is_linked(const char *name, const char *dm);
/* "259:0" */
int kernel_read_dev(int at, const char *attribute, dev_t *ret);
/* Where the kernel's partition of this name is, below the folder of its disk. */
int kernel_read_extent(int fd, const char *name, struct range *ret);

/* kernel-partition.c: the kernel's own partitions, and maps. */
int kernel_change_partition(const struct step *step, struct error *reterr);
int kernel_verify_partition(const struct step *step, struct error *reterr);
/* Many at once, verified. */
void kernel_run_on_partitions(struct step_group *group);

/*
 * kernel-map-properties.c: what udev is to find on the maps that steps of a group, from this one on,
 * make on the disk.  It is written before they are, so that udev need not look; what fails here,
 * udev does.
 */
void kernel_describe_maps(const struct kernel_disk *disk, const struct step_group *group,
			  size_t first);
/* udev has read it; from now on others may write to the maps. */
void kernel_forget_maps(void);

/* kernel-partitioning.c: the table, and whose the partitions are. */
int kernel_write_partitions(const struct step *step, struct error *reterr);
int kernel_verify_table(const struct step *step, struct error *reterr);
int kernel_set_partitioning(const struct step *step, struct error *reterr);
int kernel_verify_partitioning(const struct step *step, struct error *reterr);
/* What a scan says of it; ret is as new. */
void kernel_read_partitioning(const struct uuid *uuid, enum partitioning *ret, bool *managed);

/* kernel-access.c */
/* Who may open /dev/NAME; leaves ret clear when there is no such node. */
int kernel_read_access(const char *name, struct kernel_names *names, struct access *ret,
		       struct error *reterr);
int kernel_read_links(struct kernel_names *names, struct error *reterr);
void kernel_names_clear(struct kernel_names *names);
/* -ENOENT when this host has no such account. */
int kernel_find_accounts(const struct access *access, struct kernel_accounts *ret,
			 struct error *reterr);

/* kernel-publish.c: links and access of nodes, by way of udev. */
/* What tells one writing of a file of properties from the next. */
int kernel_make_stamp(char *stamp, size_t size, struct error *reterr);
int kernel_check_publish(const struct step *step, struct error *reterr);
int kernel_publish(const struct step *step, struct error *reterr);
/* All of a group, read back too. */
void kernel_publish_all(const struct kernel_notices *notices, struct step_group *group);
/*
 * A step that publishes a device of a dynamic region that is to be made: what its node is to be
 * like is written before, so that udev knows it when the device comes and is asked but once.
 */
int kernel_notice_add(struct kernel_notices *notices, const struct step *step);
/* A step is about to make what another publishes. What fails here is done by that one. */
void kernel_notice_device(struct kernel_notices *notices, const struct step *step);
void kernel_notice_namespace(struct kernel_notices *notices, const struct step *step);
void kernel_notices_clear(struct kernel_notices *notices);
int kernel_withdraw(const struct step *step, struct error *reterr);
int kernel_verify_publish(const struct step *step, struct error *reterr);
int kernel_verify_withdraw(const struct step *step, struct error *reterr);
/* The object of this info block or namespace, or the devices that start there, are no more. */
void kernel_unpublish_uuid(const struct uuid *uuid);
void kernel_unpublish_start(uint64_t start);

/* kernel-udev.c */
/* -ESRCH with a sentence when no udevd runs. */
int kernel_check_udev(struct error *reterr);
enum udev_wait {
	UDEV_STAMP, /* until its property has this value */
	UDEV_SEEN,  /* until udev knows the device */
	UDEV_GONE,  /* until udev has forgotten it */
	UDEV_ANEW,  /* until udev has written down once more what it is */
};

/* A device that udev is to apply its rules to again, or to have done so. */
struct udev_trigger {
	enum udev_wait wait;
	const char *property; /* NULL: DAXD_STAMP */
	int fd; /* its folder in sysfs, -1: none, it is passed over */
	const char *name;
	const char *stamp;   /* of the properties that it is to import, NULL: none */
	dev_t dev;	     /* of the node */
	bool coming;	     /* an event that is under way will do: none is made */
	struct error *error; /* why not */
	bool pending, changed;
	struct timespec written; /* UDEV_ANEW: when udev had written it down before */
};
/* What udev has written down of a block device; false: nothing. */
bool kernel_udev_value(dev_t dev, const char *property, char *value, size_t size);
/* Trigger all of them, and wait until udev has dealt with all. */
void kernel_trigger_udev(struct udev_trigger *triggers, size_t n);
/*
 * Until the end, udev leaves out what other rules want to run for each new device of a dynamic
 * region: daxctl, which has nothing to look up for these and takes ten times as long as the rest.
 * Neither can fail: it is a matter of time only.
 */
void kernel_begin_making(void);
void kernel_end_making(void);

/* kernel-driver.c */
/* Load a module unless its driver is there already. */
int kernel_load_module(const char *module, const char *driver_folder, struct error *reterr);
/*
 * Held while devices of the dax bus are made, changed or bound (alone), or unbound (shared:
 * unbinding mostly waits). Returns a descriptor that holds it until it is closed.
 */
enum kernel_lock { KERNEL_LOCK_SHARED, KERNEL_LOCK_ALONE };
int kernel_lock_dax(enum kernel_lock lock, struct error *reterr);
const char *kernel_driver_name(enum driver driver);
int kernel_bind(const struct step *step, struct error *reterr);
int kernel_unbind(const struct step *step, struct error *reterr);
/* Each of many devices to device_dax, or from it; verified. */
void kernel_bind_all(struct step_group *group);
void kernel_unbind_all(struct step_group *group);
int kernel_verify_driver(const struct step *step, enum driver want, struct error *reterr);

/* kernel-dax.c: devices of dynamic regions. */
int kernel_create_device(const struct step *step, struct error *reterr);
int kernel_resize_device(const struct step *step, struct error *reterr);
int kernel_destroy_device(const struct step *step, struct error *reterr);
/* Many at once, verified; the index is true afterwards for the regions they are in. */
void kernel_create_devices(struct kernel_index *index, struct kernel_notices *notices,
			   struct step_group *group);
void kernel_destroy_devices(struct kernel_index *index, struct step_group *group);
int kernel_verify_ranges(const struct step *step, struct error *reterr);
int kernel_verify_destroyed_device(const struct step *step, struct error *reterr);

/* kernel-nd.c: libndctl objects by the keys of a step. */
struct ndctl_ctx;
struct ndctl_dimm;
struct ndctl_region;
struct ndctl_namespace;
int kernel_nd_open(struct ndctl_ctx **ret, struct error *reterr);
void kernel_nd_close(struct ndctl_ctx **ctx);
/* The path below /sys/devices that a topology knows a region by. */
int kernel_nd_region_path(struct ndctl_region *region, char **ret, struct error *reterr);
int kernel_nd_find_region(struct ndctl_ctx *ctx, const struct step *step,
			  struct ndctl_region **ret, struct error *reterr);
/* -ENOENT and *ret NULL when the region has no such namespace. uuid "": the only one. */
int kernel_nd_find_namespace(struct ndctl_region *region, const struct uuid *uuid,
			     struct ndctl_namespace **ret);
void kernel_nd_uuid(struct ndctl_namespace *ns, struct uuid *ret);
enum label_state kernel_nd_labels(struct ndctl_region *region);
enum label_state kernel_nd_dimm_labels(struct ndctl_dimm *dimm);
bool kernel_nd_namespace_idle(struct ndctl_namespace *ns);
/* One change of a region at a time. Returns a descriptor that holds the lock. */
int kernel_lock_nd(const struct step *step, struct error *reterr);
/* -EBUSY with the holders, else 0, and *ret as of kernel_pin_blockdev(). */
int kernel_nd_check_free(struct ndctl_namespace *ns, int *ret, struct error *reterr);

/* kernel-namespace.c, kernel-labels.c */
int kernel_init_labels(const struct step *step, struct error *reterr);
/* Enable a region that a writer was killed over. */
void kernel_release_region(void);
int kernel_verify_labels(const struct step *step, struct error *reterr);
int kernel_create_namespace(struct kernel_notices *notices, const struct step *step,
			    struct error *reterr);
int kernel_convert_namespace(struct kernel_notices *notices, const struct step *step,
			     struct error *reterr);
int kernel_enable_namespace(const struct step *step, struct error *reterr);
int kernel_destroy_namespace(const struct step *step, struct error *reterr);
int kernel_verify_namespace(const struct step *step, struct error *reterr);
int kernel_verify_destroyed_namespace(const struct step *step, struct error *reterr);

#endif
