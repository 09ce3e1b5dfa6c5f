/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dax-faults FILE: make FILE of 32 MiB, map it directly (MAP_SYNC, which only DAX has), write to
 * each of its pages and print how many faults that took: 16 with huge pages, 8192 without.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIZE (32ul << 20)
#define PAGE 4096ul
#define HUGE_PAGE (2ul << 20)

static long count_faults(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage); /* it cannot fail */
	return usage.ru_minflt + usage.ru_majflt;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char *argv[])
{
	volatile char *at;
	char *room;
	long before;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail("open");
	errno = posix_fallocate(fd, 0, SIZE);
	if (errno)
		return fail("posix_fallocate");
	room = mmap(NULL, SIZE + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return fail("mmap");
	room += HUGE_PAGE - (unsigned long)room % HUGE_PAGE;
	at = mmap(room, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED,
		  fd, 0);
	if (at == MAP_FAILED)
		return fail("mmap MAP_SYNC");
	before = count_faults();
	for (unsigned long i = 0; i < SIZE; i += PAGE)
		at[i] = (char)i;
	printf("%ld\n", count_faults() - before);
	return 0;
}
