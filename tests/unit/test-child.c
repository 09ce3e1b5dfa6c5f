/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/lines.h"
#include "base/macro.h"

#define LINE_MAX_SIZE 300000

/* What was handed out, each line in brackets; a line "stop" is refused. */
struct heard {
	char text[256];
	size_t longest;
};

static int hear(void *userdata, char *line, size_t length)
{
	struct heard *heard = userdata;
	size_t used = strlen(heard->text);

	if (strcmp(line, "stop") == 0)
		return -ECANCELED;
	if (length > heard->longest)
		heard->longest = length;
	(void)snprintf(heard->text + used, sizeof(heard->text) - used, "[%s]", line);
	return 0;
}

TEST(lines_read)
{
	static const struct {
		const char *pieces[4]; /* written one after the other, and read in between */
		const char *heard;
		int r;
	} cases[] = {
		{ { "" }, "", 0 },
		{ { "one\n" }, "[one]", 0 },
		{ { "one\ntwo\n\n" }, "[one][two][]", 0 },
		{ { "o", "n", "e\nt", "wo\n" }, "[one][two]", 0 },
		{ { "one\ntwo" }, "[one][two]", 0 }, /* the end is the end of a line */
		{ { "one\n", "stop\nthree\n" }, "[one]", -ECANCELED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heard heard = { 0 };
		struct lines lines = { .max = 16, .take = hear, .userdata = &heard };
		int ends[2], r = 0;

		CHECK_INT(pipe2(ends, O_NONBLOCK), 0, NULL);
		lines.fd = ends[0];
		CHECK_INT(lines_read(&lines), 0, "nothing is there yet");
		CHECK(!lines.ended);
		for (size_t j = 0; r >= 0 && j < 4 && cases[i].pieces[j]; j++) {
			const char *piece = cases[i].pieces[j];

			CHECK_INT(write(ends[1], piece, strlen(piece)), strlen(piece), piece);
			while ((r = lines_read(&lines)) > 0)
				;
		}
		(void)close(ends[1]);
		while (r >= 0 && !lines.ended)
			r = lines_read(&lines);
		CHECK_INT(r, cases[i].r, cases[i].heard);
		CHECK_STR(heard.text, cases[i].heard, NULL);
		lines_clear(&lines);
		CHECK_INT(lines.fd, -1, NULL);
	}
}

/* Both ends at once: a line is longer than a pipe. */
static int run(char *const argv[], const char *input, struct lines *out, char **last)
{
	struct child child = { .in = -1, .err = -1 };
	struct lines err = { .max = LINE_MAX_SIZE, .take = child_keep_last, .userdata = last };
	size_t left = strlen(input);
	int r = child_start(argv, false, &child), status = -1;

	if (r < 0)
		return r;
	out->fd = child.out;
	err.fd = child.err;
	while (r >= 0 && !(out->ended && err.ended)) {
		struct pollfd fds[] = {
			{ .fd = out->fd, .events = POLLIN },
			{ .fd = err.fd, .events = POLLIN },
			{ .fd = left ? child.in : -1, .events = POLLOUT },
		};
		ssize_t n;

		(void)poll(fds, ARRAY_SIZE(fds), -1);
		n = left ? write(child.in, input, left) : 0;
		input += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
		if (!left)
			closep(&child.in);
		r = out->ended ? 0 : lines_read(out);
		if (r >= 0 && !err.ended)
			r = lines_read(&err);
	}
	lines_clear(out); /* who has nobody to write to, ends */
	lines_clear(&err);
	closep(&child.in);
	(void)waitpid(child.pid, &status, 0);
	return r < 0 ? r : WEXITSTATUS(status);
}

TEST(child_start)
{
	char cat[] = "/bin/cat", sh[] = "/bin/sh", c[] = "-c", none[] = "/nowhere/program";
	char script[] = "echo out; echo first >&2; printf '\\nlast' >&2; exit 3";
	char *const says[] = { sh, c, script, NULL }, *const copies[] = { cat, NULL };
	char *const missing[] = { none, NULL };
	_cleanup_(freep) char *last = NULL;
	_cleanup_(freep) char *big = malloc(LINE_MAX_SIZE);
	struct heard heard = { 0 };
	struct lines lines = { .max = LINE_MAX_SIZE, .take = hear, .userdata = &heard };

	CHECK_INT(run(says, "", &lines, &last), 3, NULL);
	CHECK_STR(heard.text, "[out]", NULL);
	CHECK_STR(last, "last", NULL);

	memset(big, 'x', LINE_MAX_SIZE);
	big[LINE_MAX_SIZE - 1] = 0;
	lines.ended = false;
	CHECK_INT(run(copies, big, &lines, &last), 0, NULL);
	CHECK_INT(heard.longest, LINE_MAX_SIZE - 1, "a line longer than a pipe");

	lines = (struct lines){ .max = 16, .take = hear, .userdata = &heard };
	CHECK_INT(run(copies, big, &lines, &last), -EFBIG, "longer than it may be");
	CHECK_INT(run(missing, "", &lines, &last), -ENOENT, NULL);
}
