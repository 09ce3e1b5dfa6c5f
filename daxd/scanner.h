/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at the machine: one `daxd-worker scan` at a time.  Who asks while one runs gets the
 * next one, all together, since the running one may have passed by what they want to see.
 *
 * A look has a time limit.  One that exceeds it is an error for all who wait, and its worker is
 * told to end; the next look begins when it has.
 */
#ifndef DAXD_SCANNER_H
#define DAXD_SCANNER_H

#include <systemd/sd-event.h>

#include "base/error.h"
#include "core/topology.h"

struct scanner;
struct worker_spares;

/* topology NULL: there is an error; else it is there until this returns. */
typedef void scan_done(void *userdata, const struct topology *topology, const struct error *error);

/*
 * Gets each topology before anybody who has asked does, and owns it; but for one that may be too
 * old, after which there is another look.  NULL: the scan failed.
 */
typedef void scan_sink(void *userdata, struct topology *topology, const struct error *error);

/* limit: seconds. */
int scanner_new(sd_event *event, struct worker_spares *spares, unsigned int limit,
		scan_sink *sink, void *userdata, struct scanner **ret);
void scanner_free(struct scanner *scanner);
/* done may be NULL. How many ask is for who asks for others to limit. -ENOMEM. */
int scanner_request(struct scanner *scanner, scan_done *done, void *userdata);
/* What a look that runs now sees may be too old. */
void scanner_expire(struct scanner *scanner);
/* Nobody with this userdata wants to hear of it any more. */
void scanner_forget(struct scanner *scanner, const void *userdata);
bool scanner_is_busy(const struct scanner *scanner);

#endif
