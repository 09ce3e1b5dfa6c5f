/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "core/topology-json.h"

static int copy(const char *from, const char *to, struct error *reterr)
{
	_cleanup_(freep) char *text = NULL;
	size_t length;
	int r;

	r = file_read(from, TOPOLOGY_SIZE_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	return file_replace(to, text, length, reterr);
}

int simulation_open(struct simulation *simulation, const char *topology, struct error *reterr)
{
	const char *temporary = getenv("TMPDIR");
	char *folder;

	if (asprintf(&folder, "%s/daxctl-ext-XXXXXX", temporary ? temporary : "/tmp") < 0)
		return error_oom(reterr);
	if (!mkdtemp(folder)) {
		int r = error_set(reterr, errno, "Cannot make the folder %s: %s.", folder,
				  strerror(errno));

		free(folder);
		return r;
	}
	simulation->folder = folder;
	if (asprintf(&simulation->file, "%s/topology.json", folder) < 0) {
		simulation->file = NULL;
		return error_oom(reterr);
	}
	return copy(topology, simulation->file, reterr);
}

int simulation_save(const struct simulation *simulation, const char *path, struct error *reterr)
{
	return copy(simulation->file, path, reterr);
}

void simulation_close(struct simulation *simulation)
{
	/* What cannot be removed stays in the folder for temporary files, where it may. */
	if (simulation->file)
		(void)unlink(simulation->file);
	if (simulation->folder)
		(void)rmdir(simulation->folder);
	free(simulation->file);
	free(simulation->folder);
	*simulation = (struct simulation){ 0 };
}
