/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partition tables as members of topologies and plans. */
#ifndef DAXD_CORE_TABLE_JSON_H
#define DAXD_CORE_TABLE_JSON_H

#include "core/json-read.h"
#include "core/json-write.h"
#include "core/table.h"

void json_put_table(struct json_out *out, const char *key, const struct partition_table *table);
/* {"start":...,"size":...} */
void json_put_extent(struct json_out *out, const char *key, struct range extent);

json_read_fn json_table_of_partitions; /* struct partition_table */
json_read_fn json_extent; /* struct range; unlike json_range it need not lie within 64 bits */

extern const struct json_words json_partitionings;

#endif
