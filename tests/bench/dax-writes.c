/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dax-writes REGION NUMBER BYTES: make dax devices by nothing but the kernel's writes: no plan, no
 * journal, no look at what has become, no wait for udev.  No program that makes devices can take
 * less time, so this is what a figure of daxctl-ext can at best come to on the machine it runs on.
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

int main(int argc, char *argv[])
{
	static char names[DEVICES_MAX][64];
	char path[64 + sizeof("/size")];
	long number = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

	if (number < 1 || number > DEVICES_MAX) {
		(void)fprintf(stderr, "usage: dax-writes REGION NUMBER BYTES\n");
		return 2;
	}
	if (chdir(argv[1]) < 0)
		die(argv[1]);
	for (long i = 0; i < number; i++) {
		put("dax_region/create", "1");
		get("dax_region/create", names[i]); /* the youngest */
		(void)snprintf(path, sizeof(path), "%.63s/size", names[i]);
		put(path, argv[3]);
	}
	for (long i = 0; i < number; i++)
		put(DRIVER, names[i]); /* which binds it, too */
	return 0;
}
