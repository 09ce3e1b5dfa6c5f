/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a machine has, as plain data: buses, DIMMs, regions with their namespaces, dax devices
 * and memory blocks, and the records of what was made in regions that forget.  A topology owns
 * everything it points to; strings that may be absent are NULL.  Kernel names (region0,
 * dax1.0) are for people: they change between boots.  Stable keys are uuids, labels (the name
 * of a namespace), region paths within one boot, and physical ranges.
 *
 * Sizes and addresses are bytes.  Where a value is unknown: -1 for nodes, 0 for sizes.
 */
#ifndef DAXD_CORE_TOPOLOGY_H
#define DAXD_CORE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "core/range.h"
#include "core/table.h"
#include "core/uuid.h"

#define ALIGN_4K (UINT64_C(4) << 10)
#define ALIGN_2M (UINT64_C(2) << 20)
#define ALIGN_1G (UINT64_C(1) << 30)

enum region_type {
	REGION_PMEM, /* libnvdimm: NFIT, virtio-pmem, e820, persistent CXL */
	REGION_HMEM, /* soft-reserved memory, driver dax_hmem */
	REGION_CXL,  /* volatile CXL memory, driver dax_cxl */
};
#define N_REGION_TYPES 3

/* Do the DIMMs of a pmem region hold namespace labels? */
enum label_state {
	LABELS_NONE,  /* no label area, or no DIMM: one namespace, the whole region */
	LABELS_BLANK, /* a label area that was never initialised: the kernel treats it as none */
	LABELS_VALID,
};
#define N_LABEL_STATES 3

enum namespace_mode {
	NAMESPACE_RAW,
	NAMESPACE_FSDAX,
	NAMESPACE_DEVDAX,
	NAMESPACE_SECTOR,
};
#define N_NAMESPACE_MODES 4

/* Where the kernel keeps struct pages of a namespace: 64 bytes for each 4 KiB. */
enum map_location {
	MAP_NONE, /* raw and sector have no page structures */
	MAP_DEV,  /* on the namespace itself */
	MAP_MEM,  /* in ordinary RAM */
};
#define N_MAP_LOCATIONS 3

enum driver {
	DRIVER_NONE, /* no driver bound */
	DRIVER_DEVICE_DAX,
	DRIVER_KMEM,
	DRIVER_OTHER, /* fsdev_dax and whatever comes */
};
#define N_DRIVERS 4

enum zone {
	ZONE_NONE, /* not online, or not known */
	ZONE_NORMAL,
	ZONE_MOVABLE,
	ZONE_OTHER, /* DMA32 and the like */
};
#define N_ZONES 4

struct memory_block {
	uint64_t number; /* memoryN; it starts at number * topology.memory_block_size */
	bool online;
	enum zone zone; /* of an online block */
};

/* Whoever keeps an object in use, from cheap to find to dear. */
enum holder_kind {
	HOLDER_MOUNT,	/* a file system; name: the mount point */
	HOLDER_SWAP,	/* swap space; name: the block device */
	HOLDER_BLOCK,	/* another block device stacked on it, name: dm-0 */
	HOLDER_PROCESS, /* open or mapped; name: the command, pid */
};
#define N_HOLDER_KINDS 4

struct holder {
	enum holder_kind kind;
	char *name;
	int pid; /* of HOLDER_PROCESS, else 0 */
	char *mapping; /* of a HOLDER_BLOCK of device-mapper: what that is called; else NULL */
	bool mapped; /* a process may lose what it has mapped; with a mere open file, nothing */
};

struct holder_list {
	struct holder *holders;
	size_t n;
};

#define DAX_LINKS "/dev/dax/by-name/"
#define PMEM_LINKS "/dev/pmem/by-name/"
#define LINK_NAME_MAX 63 /* a volume's name */

/* Who may open a device node: names, or decimal numbers where no name exists. */
struct access {
	char *owner, *group; /* names, or numbers of accounts that have none */
	char *uid, *gid;     /* the numbers behind the names; NULL: not known */
	char *link;	     /* DAX_LINKS or PMEM_LINKS with a volume's name; NULL: none */
	unsigned int perm;   /* permission bits, 0777 mask */
};

/* A partition as the kernel has it: pmem0p1. */
struct native {
	unsigned int number;
	struct range extent; /* from the start of the disk */
	struct holder_list holders;
};

/* A partition as we have it: a dm device called as the kernel would call its own. */
struct disk_map {
	unsigned int number;
	char *name; /* pmem0p1 */
	struct range extent;
	bool read_only;
	bool linked;		 /* /dev/NAME leads to it, udev knows it as the table has it */
	unsigned int open_count; /* of the moment, not in the digest; 0: idle */
	struct holder_list holders;
};

/*
 * The partitions of a block device.  A native one and a map of the same number exclude each
 * other in the end, and may both be there for a while.
 */
struct disk {
	enum partitioning policy;
	bool managed; /* daxd makes maps here: policy daxd, or auto that took over */
	struct partition_table table;
	struct native *natives; /* in order of number */
	size_t n_natives;
	struct disk_map *maps; /* ours alone, in order of number */
	size_t n_maps;
};

struct dax_device {
	char *name; /* dax1.0 */
	uint64_t size;
	uint64_t align;
	int target_node, numa;
	enum driver driver;
	char *driver_name; /* of DRIVER_OTHER, else NULL */
	/* Physical, in page_offset order: the order of bytes in the device. */
	struct range_list ranges;
	struct memory_block *blocks; /* while bound to kmem */
	size_t n_blocks;
	struct access node; /* of /dev/daxX.Y; owner NULL: there is no node */
	struct partition_table *table; /* of its windows; NULL: none was announced to udev */
	struct holder_list holders;
};

struct namespace {
	char *name;	       /* namespace0.1 */
	char *label;	       /* the name kept in the label, NULL: none or "" */
	struct uuid uuid;      /* of the label: who this namespace is */
	struct uuid info_uuid; /* of the info block that makes it fsdax, devdax or sector */
	enum namespace_mode mode;
	struct range range; /* physical, all it takes of the region */
	uint64_t size;	    /* what a user of the block or dax device gets; 0 while disabled */
	uint64_t align;	    /* of fsdax and devdax */
	enum map_location map;
	uint64_t sector_size; /* of sector mode */
	bool enabled;
	char *claim;		   /* what makes it its mode: dax0.1, pfn0.1; NULL: it is raw */
	char *blockdev;		   /* pmem0 */
	struct access node;	   /* of the block device */
	struct dax_device *device; /* of devdax while enabled */
	struct disk *disk;	   /* of the block device; NULL: none, or not looked at */
	struct holder_list holders;
};

struct region {
	char *name;	/* region0; of dynamic regions the parent device, hmem.0 or dax_region1 */
	char *path;	/* sysfs path below /sys/devices, with the leading slash */
	char *provider; /* of the nd bus: ACPI.NFIT, virtio-pmem, CXL; NULL on dynamic regions */
	enum region_type type;
	int id;		  /* X of the daxX.Y it has, -1 unknown */
	struct uuid uuid; /* CXL: the region's own; pmem with labels: made from the set cookie */
	uint64_t cookie;  /* interleave set cookie, 0: none */
	struct range range;
	uint64_t available; /* what the kernel says is free, in total */
	uint64_t align;	    /* step of allocations: pmem region align, dax region align */
	uint64_t aligns;    /* page sizes a device may have, or-ed: 4096 | 2 MiB | 1 GiB */
	int target_node, numa;
	unsigned int ways; /* DIMMs interleaved, at least 1 */
	enum label_state labels;
	bool read_only;
	bool enabled; /* its driver is bound */
	char **dimms; /* names of the DIMMs it lies on */
	size_t n_dimms;
	struct namespace *namespaces; /* of pmem; idle ones (size 0) are left out */
	size_t n_namespaces;
	struct dax_device *devices; /* of dynamic regions; size 0 seeds are in */
	size_t n_devices;
};

struct dimm {
	char *name;  /* nmem0 */
	char *id;    /* unique, of the manufacturer; NULL where firmware gives none */
	char *bus;   /* ndbus0 */
	int handle;  /* NFIT device handle, -1: none */
	bool locked; /* security: no access before unlock */
	enum label_state labels;
};

/* What was made in a dynamic region and for whom: the kernel keeps none of it. */
struct record {
	char *volume;
	char *mode; /* of the configuration: what the contents are worth */
	struct range_list ranges;
	bool until_reboot; /* nobody wants it back after a boot */
	char *boot; /* where records are kept: until this boot ends; NULL: for good */
};

struct topology {
	struct uuid seed; /* of this host: uuids of new namespaces are made from it */
	uint64_t memory_block_size;
	char *auto_online; /* offline, online, online_kernel, online_movable; NULL unknown */
	struct dimm *dimms;
	size_t n_dimms;
	struct region *regions; /* in order of type, then address */
	size_t n_regions;
	struct record *records; /* in order of volume */
	size_t n_records;
};

void topology_free(struct topology *topology);
DEFINE_FREEP(struct topology, topology)

/* Clear what one element owns; for scans that give up half-way. */
void region_clear(struct region *region);
void namespace_clear(struct namespace *ns);
void dax_device_clear(struct dax_device *device);
void dimm_clear(struct dimm *dimm);
void record_clear(struct record *record);
void disk_free(struct disk *disk);
DEFINE_FREEP(struct disk, disk)
void access_clear(struct access *access);
/* The volume's name in a link of ours, NULL when it is no such link. */
const char *access_link_name(const char *link);
/* Do they belong to whom is wanted, by name or by number?  What is not wanted (NULL) does not count. */
bool access_owners_are(const struct access *have, const char *owner, const char *group);
void holder_clear(struct holder *holder);
void holder_list_clear(struct holder_list *list);
/* Copies name; -ENOMEM. */
int holder_list_add(struct holder_list *list, enum holder_kind kind, const char *name, int pid);

/* Put regions, namespaces, devices, ranges and records into their documented order. */
void topology_sort(struct topology *topology);

/* The uuid of a pmem region with labels: made from its set cookie, "" for cookie 0. */
struct uuid region_uuid(uint64_t cookie);
bool region_is_dynamic(const struct region *region);
/* Does one of its memory blocks serve as memory?  device may be NULL. */
bool dax_device_any_online(const struct dax_device *device);
struct region *topology_find_region(const struct topology *topology, const char *path);
struct record *topology_find_record(const struct topology *topology, const char *volume);
/* "" finds the one namespace of a region without labels, and nothing where labels are. */
struct namespace *region_find_namespace(const struct region *region, const struct uuid *uuid);
/* The device of a dynamic region whose first range starts at address, or NULL. */
struct dax_device *region_find_device(const struct region *region, uint64_t address);
/*
 * The uuid by which udev knows a namespace's block device, and that our maps carry: of its info
 * block, else its own.  "": nothing tells this disk from others.
 */
const struct uuid *namespace_disk_uuid(const struct namespace *ns);
/* What is between disk and number in a partition's name: pmem0p1, but pmem2.1s1. */
const char *disk_infix(const char *blockdev);
struct native *disk_find_native(const struct disk *disk, unsigned int number);
struct disk_map *disk_find_map(const struct disk *disk, unsigned int number);
/* Does somebody use it, whether he can be found or not? */
bool disk_map_is_open(const struct disk_map *map);
/* The node of a device (as region_device()) or of a namespace's block device, or NULL. */
const struct access *region_node(const struct region *region, const struct uuid *namespace_uuid,
				 uint64_t start);
/* The device that makes a namespace or a first range usable; start counts when uuid is "". */
struct dax_device *region_device(const struct region *region, const struct uuid *namespace_uuid,
				 uint64_t start);

/* Words of the enums, as in the JSON; from_word gives -EINVAL for others. */
const char *region_type_word(enum region_type type);
int region_type_from_word(const char *word, enum region_type *ret);
const char *label_state_word(enum label_state state);
int label_state_from_word(const char *word, enum label_state *ret);
const char *namespace_mode_word(enum namespace_mode mode);
int namespace_mode_from_word(const char *word, enum namespace_mode *ret);
const char *map_location_word(enum map_location map);
int map_location_from_word(const char *word, enum map_location *ret);
const char *driver_word(enum driver driver);
int driver_from_word(const char *word, enum driver *ret);
const char *zone_word(enum zone zone);
int zone_from_word(const char *word, enum zone *ret);
const char *holder_kind_word(enum holder_kind kind);
int holder_kind_from_word(const char *word, enum holder_kind *ret);

#endif
