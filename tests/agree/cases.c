/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One case a line, in order: each starts from what the ones before it have left. */
#include "agree.h"

#include <errno.h>

#include "base/macro.h"

#define M * MIB

#define DESTROY(w, c, at) \
	{ w, SMALL_HMEM, STEP_DESTROY_DEVICE, c, .start = at }
#define CREATE(w, c, a, ...) \
	{ w, SMALL_HMEM, STEP_CREATE_DEVICE, c, .align = a, .ranges = { __VA_ARGS__ } }
#define RESIZE(w, c, at, a, ...) \
	{ w, SMALL_HMEM, STEP_RESIZE_DEVICE, c, .start = at, .align = a, .ranges = { __VA_ARGS__ } }
#define DRIVE(w, c, k, at, d) \
	{ w, SMALL_HMEM, k, c, .start = at, .driver = d }
#define MEMORY(w, c, k, at, z) \
	{ w, SMALL_HMEM, k, c, .start = at, .zone = z }
#define NAMESPACE(w, c, k, n, s, m, a, mp) \
	{ w, BLANK_PMEM, k, c, .ns = n, .size = s, .mode = m, .align = a, .map = mp }

#define LINK(w, c, k, at, l, ...) \
	{ w, SMALL_HMEM, k, c, .start = at, .link = l, ##__VA_ARGS__ }
#define LINK_NS(w, c, k, n, l, ...) \
	{ w, BLANK_PMEM, k, c, .ns = n, .link = l, ##__VA_ARGS__ }

#define PART(w, c, k, n, num, at, length) \
	{ w, BLANK_PMEM, k, c, .ns = n, .number = num, .extent = { at, length } }
#define TABLE(w, c, n, from, to) \
	{ w, BLANK_PMEM, STEP_WRITE_TABLE, c, .ns = n, .before = from, .after = to }
#define POLICY(w, c, n, p, m) \
	{ w, BLANK_PMEM, STEP_POLICY, c, .ns = n, .policy = p, .managed = m }

const struct agree_case agree_cases[] = {
	/* The default device of the region, bound to kmem, its blocks offline. */
	DESTROY("destroy a bound device", EBUSY, 0),
	RESIZE("resize a bound device", EBUSY, 0, ALIGN_2M, { 0, 256 M }),
	DRIVE("bind device_dax where kmem is", EBUSY, STEP_BIND, 0, DRIVER_DEVICE_DAX),
	MEMORY("online in zone movable", 0, STEP_ONLINE, 0, ZONE_MOVABLE),
	DRIVE("unbind kmem with memory online", EBUSY, STEP_UNBIND, 0, DRIVER_KMEM),
	MEMORY("offline", 0, STEP_OFFLINE, 0, ZONE_NONE),
	MEMORY("offline what is offline", 0, STEP_OFFLINE, 0, ZONE_NONE),
	DRIVE("unbind kmem", 0, STEP_UNBIND, 0, DRIVER_KMEM),
	DRIVE("unbind what has no driver", 0, STEP_UNBIND, 0, DRIVER_KMEM),
	MEMORY("online a device that is no memory", EINVAL, STEP_ONLINE, 0, ZONE_MOVABLE),
	DRIVE("bind device_dax", 0, STEP_BIND, 0, DRIVER_DEVICE_DAX),
	DRIVE("bind what is bound so", 0, STEP_BIND, 0, DRIVER_DEVICE_DAX),
	DRIVE("unbind device_dax", 0, STEP_UNBIND, 0, DRIVER_DEVICE_DAX),
	CREATE("create in a full region", ENOSPC, ALIGN_2M, { 0, 128 M }),
	DESTROY("destroy daxX.0: a seed of size 0 stays", 0, 0),
	DESTROY("destroy what is not there", 0, 0),

	CREATE("create in the seed", 0, ALIGN_2M, { 0, 128 M }),
	CREATE("the same again", 0, ALIGN_2M, { 0, 128 M }),
	CREATE("create over it", EEXIST, ALIGN_2M, { 0, 64 M }),
	CREATE("create partly over it", ENOMEM, ALIGN_2M, { 64 M, 128 M }),
	CREATE("misaligned start", EINVAL, ALIGN_2M, { 129 M, 128 M }),
	CREATE("misaligned length", EINVAL, ALIGN_2M, { 128 M, 3 M }),
	CREATE("beyond the region", ENOMEM, ALIGN_2M, { 512 M, 128 M }),
	CREATE("across the region's end", ENOMEM, ALIGN_2M, { 448 M, 128 M }),
	CREATE("align 1G with 128M", EINVAL, ALIGN_1G, { 128 M, 128 M }),
	CREATE("align 4K", 0, ALIGN_4K, { 128 M, 32 M }),
	CREATE("two ranges", 0, ALIGN_2M, { 192 M, 32 M }, { 256 M, 32 M }),
	CREATE("second range over another device", ENOMEM, ALIGN_2M, { 320 M, 32 M }, { 0, 32 M }),
	DRIVE("memory from less than a block", EINVAL, STEP_BIND, 128 M, DRIVER_KMEM),
	DRIVE("a window", 0, STEP_BIND, 128 M, DRIVER_DEVICE_DAX),
	DRIVE("memory", 0, STEP_BIND, 0, DRIVER_KMEM),
	LINK("publish memory", ENXIO, STEP_PUBLISH, 0, DAX_LINKS "memory"),
	LINK("publish what is not there", ENOENT, STEP_PUBLISH, 400 M, DAX_LINKS "nothing"),
	LINK("a dax device among the disks", EINVAL, STEP_PUBLISH, 128 M, PMEM_LINKS "window"),
	LINK("publish the window", 0, STEP_PUBLISH, 128 M, DAX_LINKS "window"),
	LINK("with a group alone", 0, STEP_PUBLISH, 128 M, DAX_LINKS "window", .group = "kvm"),
	LINK("with permissions", 0, STEP_PUBLISH, 128 M, DAX_LINKS "window", .perm = 0640),
	LINK("by another name", 0, STEP_PUBLISH, 128 M, DAX_LINKS "view", .perm = 0660),
	LINK("withdraw it", 0, STEP_WITHDRAW, 128 M, DAX_LINKS "view"),
	LINK("withdraw it again", 0, STEP_WITHDRAW, 128 M, DAX_LINKS "view"),
	LINK("withdraw what is not there", ENOENT, STEP_WITHDRAW, 400 M, DAX_LINKS "nothing"),
	MEMORY("online", 0, STEP_ONLINE, 0, ZONE_MOVABLE),
	MEMORY("online what is online", 0, STEP_ONLINE, 0, ZONE_MOVABLE),
	MEMORY("offline", 0, STEP_OFFLINE, 0, ZONE_NONE),
	MEMORY("online again", 0, STEP_ONLINE, 0, ZONE_MOVABLE),
	MEMORY("offline again", 0, STEP_OFFLINE, 0, ZONE_NONE),
	DRIVE("no memory any more", 0, STEP_UNBIND, 0, DRIVER_KMEM),

	RESIZE("shrink to half", 0, 0, ALIGN_2M, { 0, 64 M }),
	RESIZE("grow by a further range", 0, 0, ALIGN_2M, { 0, 64 M }, { 384 M, 64 M }),
	RESIZE("drop the second range", 0, 0, ALIGN_2M, { 0, 64 M }),
	RESIZE("grow into a taken range", ENOMEM, 0, ALIGN_2M, { 0, 64 M }, { 192 M, 32 M }),
	RESIZE("to align 4K", 0, 0, ALIGN_4K, { 0, 64 M }),
	RESIZE("to an align that no range fits", EINVAL, 0, ALIGN_1G, { 0, 64 M }),
	RESIZE("move elsewhere", 0, 0, ALIGN_2M, { 448 M, 64 M }),
	RESIZE("what is not there", ENOENT, 0, ALIGN_2M, { 0, 32 M }),
	DESTROY("destroy the moved one", 0, 448 M),
	DESTROY("destroy the one with two ranges", 0, 192 M),
	DESTROY("destroy the bound window", EBUSY, 128 M),
	DRIVE("unbind the window", 0, STEP_UNBIND, 128 M, DRIVER_DEVICE_DAX),
	DESTROY("destroy the window", 0, 128 M),

	NAMESPACE("create without labels", ENXIO, STEP_CREATE_NAMESPACE, 1, 256 M,
		  NAMESPACE_DEVDAX, ALIGN_2M, MAP_DEV),
	{ "write labels", BLANK_PMEM, STEP_INIT_LABELS, .code = 0 },
	{ "write labels again", BLANK_PMEM, STEP_INIT_LABELS, .code = 0 },
	{ "write labels where none can be", PLAIN_PMEM, STEP_INIT_LABELS, .code = EOPNOTSUPP },
	NAMESPACE("not a multiple of 16M", EINVAL, STEP_CREATE_NAMESPACE, 1, 24 M,
		  NAMESPACE_DEVDAX, ALIGN_2M, MAP_DEV),
	NAMESPACE("larger than the region", ENOSPC, STEP_CREATE_NAMESPACE, 1, 4096 M,
		  NAMESPACE_DEVDAX, ALIGN_2M, MAP_DEV),
	NAMESPACE("devdax, map dev", 0, STEP_CREATE_NAMESPACE, 1, 512 M, NAMESPACE_DEVDAX,
		  ALIGN_2M, MAP_DEV),
	NAMESPACE("the same again", 0, STEP_CREATE_NAMESPACE, 1, 512 M, NAMESPACE_DEVDAX,
		  ALIGN_2M, MAP_DEV),
	NAMESPACE("fsdax, map mem", 0, STEP_CREATE_NAMESPACE, 2, 256 M, NAMESPACE_FSDAX, ALIGN_2M,
		  MAP_MEM),
	NAMESPACE("fsdax, map dev", 0, STEP_CREATE_NAMESPACE, 3, 64 M, NAMESPACE_FSDAX, ALIGN_2M,
		  MAP_DEV),
	NAMESPACE("devdax, align 4K", 0, STEP_CREATE_NAMESPACE, 4, 64 M, NAMESPACE_DEVDAX,
		  ALIGN_4K, MAP_MEM),
	NAMESPACE("the smallest", 0, STEP_CREATE_NAMESPACE, 5, 16 M, NAMESPACE_DEVDAX, ALIGN_2M,
		  MAP_MEM),
	NAMESPACE("make a hole", 0, STEP_DESTROY_NAMESPACE, 2, 0, NAMESPACE_RAW, 0, MAP_NONE),
	NAMESPACE("destroy what is not there", 0, STEP_DESTROY_NAMESPACE, 2, 0, NAMESPACE_RAW, 0,
		  MAP_NONE),
	NAMESPACE("first fit: into the hole", 0, STEP_CREATE_NAMESPACE, 6, 128 M, NAMESPACE_DEVDAX,
		  ALIGN_2M, MAP_DEV),
	NAMESPACE("too large for the hole: behind the others", 0, STEP_CREATE_NAMESPACE, 7, 256 M,
		  NAMESPACE_FSDAX, ALIGN_2M, MAP_MEM),
	NAMESPACE("in one piece only", ENOSPC, STEP_CREATE_NAMESPACE, 8, 1920 M,
		  NAMESPACE_DEVDAX, ALIGN_2M, MAP_DEV),
	LINK_NS("publish a devdax", 0, STEP_PUBLISH, 1, DAX_LINKS "one", .group = "kvm",
		.perm = 0660),
	LINK_NS("publish an fsdax", 0, STEP_PUBLISH, 7, PMEM_LINKS "seven", .group = "kvm"),
	LINK_NS("a disk among the dax devices", EINVAL, STEP_PUBLISH, 7, DAX_LINKS "seven"),
	/* Partitions of an fsdax of 64M. */
	POLICY("a policy", 0, 3, PARTITIONING_AUTO, true),
	POLICY("the same again", 0, 3, PARTITIONING_AUTO, true),
	POLICY("a policy for a dax device", ENOENT, 1, PARTITIONING_DAXD, true),
	TABLE("a table", 0, 3, 0, 3),
	TABLE("the same again", 0, 3, 0, 3),
	TABLE("for another than there is", ESTALE, 3, 1, 2),
	TABLE("less of it", 0, 3, 3, 2),
	TABLE("of what is not there", ENOENT, 9, 0, 1),
	PART("map", 0, STEP_MAP, 3, 1, 2 M, 8 M),
	PART("the same again", 0, STEP_MAP, 3, 1, 2 M, 8 M),
	PART("map it elsewhere", EEXIST, STEP_MAP, 3, 1, 4 M, 8 M),
	PART("map beyond the disk", EINVAL, STEP_MAP, 3, 3, 56 M, 8 M),
	PART("map beside it", 0, STEP_MAP, 3, 2, 10 M, 8 M),
	/* A map is known to udev as the entry in its place; of one without an entry nothing is. */
	TABLE("without the second", 0, 3, 2, 1),
	PART("grow", 0, STEP_REMAP, 3, 2, 10 M, 16 M),
	PART("grow beyond the disk", EINVAL, STEP_REMAP, 3, 2, 10 M, 60 M),
	PART("shrink what is idle", 0, STEP_REMAP, 3, 2, 10 M, 8 M),
	PART("grow what is not mapped", ENOENT, STEP_REMAP, 3, 3, 18 M, 8 M),
	NAMESPACE("destroy what is mapped", EBUSY, STEP_DESTROY_NAMESPACE, 3, 0, NAMESPACE_RAW, 0,
		  MAP_NONE),
	PART("unmap", 0, STEP_UNMAP, 3, 2, 10 M, 8 M),
	PART("unmap what is not mapped", 0, STEP_UNMAP, 3, 2, 10 M, 8 M),
	PART("the kernel's beside a map", 0, STEP_ADD_PARTITION, 3, 2, 10 M, 8 M),
	PART("the same again", 0, STEP_ADD_PARTITION, 3, 2, 10 M, 8 M),
	PART("the kernel's over another", EBUSY, STEP_ADD_PARTITION, 3, 3, 12 M, 8 M),
	PART("the kernel's beyond the disk", EINVAL, STEP_ADD_PARTITION, 3, 3, 60 M, 8 M),
	PART("drop it", 0, STEP_DROP_PARTITION, 3, 2, 10 M, 8 M),
	PART("drop what is not there", 0, STEP_DROP_PARTITION, 3, 2, 10 M, 8 M),
	PART("unmap the last", 0, STEP_UNMAP, 3, 1, 2 M, 8 M),
	TABLE("no table", 0, 3, 1, 0),
	POLICY("the kernel's again", 0, 3, PARTITIONING_KERNEL, false),
	NAMESPACE("fsdax to devdax", 0, STEP_CONVERT_NAMESPACE, 7, 0, NAMESPACE_DEVDAX, ALIGN_4K,
		  MAP_DEV),
	NAMESPACE("convert what is not there", ENOENT, STEP_CONVERT_NAMESPACE, 9, 0,
		  NAMESPACE_DEVDAX, ALIGN_2M, MAP_DEV),
	{ "the whole region without labels", PLAIN_PMEM, STEP_CONVERT_NAMESPACE, 0,
	  .mode = NAMESPACE_DEVDAX, .align = ALIGN_2M, .map = MAP_DEV },
	{ "publish it", PLAIN_PMEM, STEP_PUBLISH, 0, .link = DAX_LINKS "whole" },
	{ "withdraw it", PLAIN_PMEM, STEP_WITHDRAW, 0, .link = DAX_LINKS "whole" },
	{ "it as memory: take the driver", PLAIN_PMEM, STEP_UNBIND, 0,
	  .driver = DRIVER_DEVICE_DAX },
	{ "it as memory: kmem", PLAIN_PMEM, STEP_BIND, 0, .driver = DRIVER_KMEM },
	{ "it as memory: online", PLAIN_PMEM, STEP_ONLINE, 0, .zone = ZONE_MOVABLE },
	{ "convert memory that is online", PLAIN_PMEM, STEP_CONVERT_NAMESPACE, EBUSY,
	  .mode = NAMESPACE_FSDAX, .align = ALIGN_2M, .map = MAP_DEV },
	{ "it as memory: offline", PLAIN_PMEM, STEP_OFFLINE, .code = 0 },
	{ "it as memory: no more", PLAIN_PMEM, STEP_UNBIND, 0, .driver = DRIVER_KMEM },
	{ "to fsdax", PLAIN_PMEM, STEP_CONVERT_NAMESPACE, 0, .mode = NAMESPACE_FSDAX,
	  .align = ALIGN_2M, .map = MAP_MEM },

	/* Zone normal comes last: later kernels keep such memory until the next boot (7.2, 7.3). */
	CREATE("two blocks", 0, ALIGN_2M, { 0, 256 M }),
	DRIVE("as memory", 0, STEP_BIND, 0, DRIVER_KMEM),
	MEMORY("in zone movable", 0, STEP_ONLINE, 0, ZONE_MOVABLE),
	MEMORY("from movable to normal", 0, STEP_ONLINE, 0, ZONE_NORMAL),
};

const size_t n_agree_cases = ARRAY_SIZE(agree_cases);
