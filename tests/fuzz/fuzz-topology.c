/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text: no crash; what is taken is written and read back the same, with the same digest. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "core/topology-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(topology_freep) struct topology *topology = NULL, *again = NULL;
	_cleanup_(freep) char *first = NULL, *second = NULL;
	struct report report = REPORT_INIT;

	if (topology_parse((const char *)data, size, &topology, &report) < 0) {
		if (report.n == 0)
			abort();
		report_clear(&report);
		return 0;
	}
	first = topology_to_json(topology, size % 2);
	if (topology_parse(first, strlen(first), &again, &report) < 0)
		abort();
	second = topology_to_json(again, size % 2);
	if (strcmp(first, second) != 0 || topology_digest(topology, NULL) != topology_digest(again, NULL))
		abort();
	return 0;
}
