/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

#define READ_SIZE 65536

static void free_text(struct lines *lines)
{
	free(TAKE(lines->text));
	lines->used = lines->room = 0;
}

void lines_clear(struct lines *lines)
{
	closep(&lines->fd);
	free_text(lines);
}

static int make_room(struct lines *lines)
{
	size_t room = lines->room ? lines->room * 2 : 2 * READ_SIZE;
	char *grown;

	if (lines->room - lines->used > READ_SIZE)
		return 0;
	if (room > 2 * lines->max + 2 * READ_SIZE)
		return -EFBIG;
	grown = realloc(lines->text, room);
	if (!grown)
		return -ENOMEM;
	lines->text = grown;
	lines->room = room;
	return 0;
}

/* Hand out the whole lines; the first old bytes are known to hold no newline. */
static int take_lines(struct lines *lines, size_t old)
{
	char *line = lines->text, *search = line + old, *end = line + lines->used, *newline;
	int r = 0;

	while (r == 0 && (newline = memchr(search, '\n', (size_t)(end - search)))) {
		*newline = 0;
		r = lines->take(lines->userdata, line, (size_t)(newline - line));
		line = search = newline + 1;
	}
	if (r < 0)
		return r;
	lines->used = (size_t)(end - line);
	(void)memmove(lines->text, line, lines->used);
	if (lines->used == 0)
		free_text(lines); /* a topology is large and comes once */
	return 0;
}

int lines_read(struct lines *lines)
{
	size_t old = lines->used;
	ssize_t n;
	int r;

	r = make_room(lines);
	if (r < 0)
		return r;
	n = read(lines->fd, lines->text + lines->used, READ_SIZE);
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
	lines->ended = n == 0;
	if (lines->ended && lines->used)
		lines->text[lines->used++] = '\n'; /* it ended without one */
	lines->used += (size_t)n;
	r = take_lines(lines, old);
	return r < 0 ? r : !lines->ended;
}
