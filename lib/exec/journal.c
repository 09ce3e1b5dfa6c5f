/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exec/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "core/json-write.h"
#include "exec/crash.h"

struct journal {
	char *path;
	int fd;
};

static const char *const phases[] = { "begin", "end", "fail", "undo" };

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	closep(&journal->fd);
	free(journal->path);
	free(journal);
}

int journal_open(const char *path, struct journal **ret, struct error *reterr)
{
	_cleanup_(journal_freep) struct journal *journal = calloc(1, sizeof(*journal));
	_cleanup_(freep) char *old = NULL;

	if (!journal)
		return error_oom(reterr);
	journal->fd = -1;
	journal->path = strdup(path);
	if (!journal->path || asprintf(&old, "%s.old", path) < 0)
		return error_oom(reterr);
	if (rename(path, old) < 0 && errno != ENOENT)
		return error_set(reterr, errno, "Cannot put the last journal aside as %s: %s.", old,
				 strerror(errno));
	journal->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return error_set(reterr, errno, "Cannot open the journal %s: %s.", path,
				 strerror(errno));
	*ret = TAKE(journal);
	return 0;
}

static char *record_text(enum journal_phase phase, size_t index, const struct step *step,
			 const struct error *cause)
{
	_cleanup_(freep) char *what = step_describe(step);
	struct json_out out = { 0 };

	json_open(&out, NULL, '{');
	json_put_text(&out, "phase", phases[phase]);
	json_put_u64(&out, "step", index);
	json_put_text(&out, "what", what);
	if (cause)
		json_put_text(&out, "cause", error_message(cause));
	json_close(&out, '}');
	return json_out_finish(&out);
}

int journal_write(struct journal *journal, enum journal_phase phase, size_t index,
		  const struct step *step, const struct error *cause, struct error *reterr)
{
	_cleanup_(freep) char *text = record_text(phase, index, step, cause);
	_cleanup_(freep) char *line = NULL;
	int length, r;

	if (!text)
		return error_oom(reterr);
	length = asprintf(&line, "%s\n", text);
	if (length < 0)
		return error_oom(reterr);
	r = file_write_all(journal->fd, line, (size_t)length);
	if (r < 0)
		return error_set(reterr, -r, "Cannot write the journal %s: %s.", journal->path,
				 strerror(-r));
	crash_point();
	return 0;
}

int journal_sync(struct journal *journal, struct error *reterr)
{
	if (fdatasync(journal->fd) < 0)
		return error_set(reterr, errno, "Cannot make the journal %s safe on disk: %s.",
				 journal->path, strerror(errno));
	return 0;
}
