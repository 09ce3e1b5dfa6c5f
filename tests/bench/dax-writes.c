/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing but the kernel's writes: no plan, no journal, no look at what has become, no wait for
 * udev.  No program that does the same can take less time, so this is what a figure of daxctl-ext
 * can at best come to on the machine it runs on.
 *
 *   dax-writes REGION NUMBER BYTES   make dax devices, and bind them
 *   dax-writes REGION DEVICE...      bind those that are there
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVER "/sys/bus/dax/drivers/device_dax/new_id"
#define DEVICES_MAX 1024

static void die(const char *path)
{
	(void)fprintf(stderr, "dax-writes: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	(void)close(fd);
}

static void get(const char *path, char value[64])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, 63);

	if (n <= 0)
		die(path);
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	(void)close(fd);
}

static int usage(void)
{
	(void)fputs("usage: dax-writes REGION NUMBER BYTES\n"
		    "       dax-writes REGION DEVICE...\n", stderr);
	return 2;
}

static void make(char names[][64], long number, const char *bytes)
{
	char path[64 + sizeof("/size")];

	for (long i = 0; i < number; i++) {
		put("dax_region/create", "1");
		get("dax_region/create", names[i]); /* the youngest */
		(void)snprintf(path, sizeof(path), "%.63s/size", names[i]);
		put(path, bytes);
	}
	for (long i = 0; i < number; i++)
		put(DRIVER, names[i]); /* which binds it, too */
}

int main(int argc, char *argv[])
{
	static char names[DEVICES_MAX][64];
	long number;

	if (argc < 3)
		return usage();
	if (chdir(argv[1]) < 0)
		die(argv[1]);
	if (strncmp(argv[2], "dax", 3) == 0) {
		for (int i = 2; i < argc; i++)
			put(DRIVER, argv[i]);
		return 0;
	}
	number = strtol(argv[2], NULL, 10);
	if (argc != 4 || number < 1 || number > DEVICES_MAX)
		return usage();
	make(names, number, argv[3]);
	return 0;
}
