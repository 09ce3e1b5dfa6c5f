/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says: lines for whoever reads the journal, and one structured entry for each
 * job that has ended, by which one can find out who changed what, and for each volume that
 * cannot be had.
 */
#ifndef DAXD_LOG_H
#define DAXD_LOG_H

#include <syslog.h>

#include "base/error.h"
#include "base/macro.h"
#include "core/config.h"
#include "standing.h"

struct job;

/* priority: LOG_ERR and so on; one line on standard error, which is the journal. */
void log_line(int priority, const char *format, ...) _printf_(2, 3);
/* "what: sentence", with the document and the place in it. */
void log_error(int priority, const char *what, const struct error *error);

/* For catalogues and for journalctl MESSAGE_ID=: a job has ended. */
#define LOG_ID_JOB_ENDED "b3f7a5d2c1e84f6b9d0a47c86e215f93"

void log_job(const struct job *job);

/* A volume of the host's configuration is not there: why not. */
#define LOG_ID_VOLUME_MISSING "4c8e1d0b97f24a5fa1b36e5c02d7894a"

void log_volume(const struct volume *volume, enum volume_state state,
		const struct report *problems);

#endif
