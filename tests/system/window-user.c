/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that use windows, for the test of them:
 *     window-user NAME write TEXT, read, hold (until killed), beyond (what must be refused)
 *     window-user /dev/daxX.Y fd: open it and hold it, without a mapping
 *     window-user /dev/daxX.Y map OFFSET LENGTH: map it, close it, hold the mapping
 */
#include <daxwindow.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(char *message, int r)
{
	printf("%s (%s)\n", message ? message : "no message", strerror(-r));
	free(message);
	return EXIT_FAILURE;
}

_Noreturn static void hold(void)
{
	printf("holding\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

/* Each line is what the test compares. */
static int go_beyond(struct daxwindow *window, char *memory)
{
	uint64_t size = daxwindow_size(window), align = daxwindow_align(window);
	void *other = NULL;

	printf("the end: %d\n", daxwindow_map(window, size, 1, &other, NULL));
	printf("over the end: %d\n", daxwindow_map(window, size - align, align + 1, &other, NULL));
	printf("wraps: %d\n", daxwindow_map(window, align, SIZE_MAX, &other, NULL));
	printf("misaligned: %d\n", daxwindow_map(window, 1, 1, &other, NULL));
	printf("the last page: %d\n", daxwindow_map(window, size - align, 1, &other, NULL));
	printf("persist beyond: %d\n", daxwindow_persist(window, memory, size + 1));
	printf("persist all: %d\n", daxwindow_persist(window, memory, size));
	printf("unmap another: %d\n", daxwindow_unmap(window, memory + 1));
	printf("unmap: %d\n", daxwindow_unmap(window, memory));
	return EXIT_SUCCESS;
}

static int use_window(const char *name, const char *what, const char *text)
{
	unsigned int flags = strcmp(what, "read") == 0 ? DAXWINDOW_READ_ONLY : 0;
	struct daxwindow *window;
	char *message = NULL;
	void *memory;
	int r = daxwindow_open(name, flags, &window, &message);

	if (r < 0)
		return fail(message, r);
	r = daxwindow_map(window, 0, 0, &memory, &message);
	if (r < 0) {
		daxwindow_close(window);
		return fail(message, r);
	}
	if (strcmp(what, "write") == 0) {
		memcpy(memory, text, strlen(text) + 1);
		r = daxwindow_persist(window, memory, strlen(text) + 1);
	} else if (strcmp(what, "read") == 0) {
		printf("%.100s\n", (const char *)memory);
	} else if (strcmp(what, "hold") == 0) {
		hold();
	} else {
		r = go_beyond(window, memory);
	}
	daxwindow_close(window);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int hold_node(const char *path, const char *offset, const char *length)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		return EXIT_FAILURE;
	}
	if (offset) {
		void *at = mmap(NULL, strtoull(length, NULL, 0), PROT_READ | PROT_WRITE, MAP_SHARED,
				fd, (off_t)strtoull(offset, NULL, 0));

		if (at == MAP_FAILED) {
			perror("mmap");
			return EXIT_FAILURE;
		}
		*(volatile char *)at; /* it is there */
		(void)close(fd);
	}
	hold();
}

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[2], "fd") == 0)
		return hold_node(argv[1], NULL, NULL);
	if (argc == 5 && strcmp(argv[2], "map") == 0)
		return hold_node(argv[1], argv[3], argv[4]);
	if (argc == 3 || (argc == 4 && strcmp(argv[2], "write") == 0))
		return use_window(argv[1], argv[2], argc == 4 ? argv[3] : NULL);
	fprintf(stderr, "usage: window-user NAME|NODE write TEXT|read|hold|beyond|fd|map OFFSET LENGTH\n");
	return 2;
}
