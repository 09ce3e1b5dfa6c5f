/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What udev's builtin blkid finds out of a map, found out through the disk that the map is to be
 * on: the builtin reads the table of the whole disk anew for each map.  What it may see in another
 * way than this does is left to it.
 *
 * The contents of a partition are anybody's, and go to libblkid as they are: see
 * kernel-map-properties.c for who may call this.  Nothing is written here.
 */
#ifndef DAXD_EXEC_MAP_PROPERTIES_H
#define DAXD_EXEC_MAP_PROPERTIES_H

#include <sys/types.h>

#include "base/error.h"
#include "base/macro.h"
#include "core/range.h"

/* The table of a disk as libblkid reads it, once for all of its maps. */
struct map_properties;

/* fd is the disk, to be read until the end; dev its number. */
int map_properties_new(int fd, dev_t dev, struct map_properties **ret, struct error *reterr);
void map_properties_free(struct map_properties *properties);
DEFINE_FREEP(struct map_properties, map_properties)
/*
 * Of the map of a partition, lines KEY="VALUE" for udev to import; the caller frees them.  NULL:
 * udev is to look by itself.
 */
char *map_properties_describe(const struct map_properties *properties, unsigned int number,
			      struct range extent);

#endif
