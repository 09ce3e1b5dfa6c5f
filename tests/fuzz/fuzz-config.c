/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text: no crash; what is taken is written and read back the same; json-c takes it, too. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/json-c.h"
#include "base/macro.h"
#include "core/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_freep) struct config *config = NULL, *again = NULL;
	_cleanup_(freep) char *first = NULL, *second = NULL;
	struct report report = REPORT_INIT;

	if (config_parse((const char *)data, size, NULL, &config, &report) < 0) {
		if (report.n == 0)
			abort();
		report_clear(&report);
		return 0;
	}
	if (!json_c_accepts((const char *)data, size))
		abort();
	(void)config_check(config, &report);
	(void)config_supported(config, &report);
	report_clear(&report);
	first = config_to_json(config);
	if (config_parse(first, strlen(first), NULL, &again, &report) < 0)
		abort();
	second = config_to_json(again);
	if (strcmp(first, second) != 0)
		abort();
	return 0;
}
