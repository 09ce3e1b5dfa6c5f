/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keep a line of text in a window:
 *     cc -o window window.c $(pkg-config --cflags --libs libdaxwindow)
 *     ./window journal "It is there after a loss of power, too."
 *     ./window journal
 */
#include <daxwindow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 4096

static int fail(char *message)
{
	fprintf(stderr, "window: %s\n", message);
	free(message);
	return EXIT_FAILURE;
}

static int write_line(struct daxwindow *window, char *line, const char *text)
{
	size_t length = strnlen(text, LINE_MAX - 1);

	memcpy(line, text, length);
	line[length] = 0;
	return daxwindow_persist(window, line, length + 1);
}

int main(int argc, char *argv[])
{
	struct daxwindow *window;
	char *message;
	void *line;
	int r = 0;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: window NAME [TEXT]\n");
		return 2;
	}
	if (daxwindow_open(argv[1], argc == 2 ? DAXWINDOW_READ_ONLY : 0, &window, &message) < 0)
		return fail(message);
	if (daxwindow_map(window, 0, LINE_MAX, &line, &message) < 0) {
		daxwindow_close(window);
		return fail(message);
	}
	if (argc == 3)
		r = write_line(window, line, argv[2]);
	else
		printf("%.*s\n", LINE_MAX, (const char *)line);
	daxwindow_close(window);
	if (r < 0) {
		fprintf(stderr, "window: The line may not be there after a loss of power: %s\n",
			strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
