/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * D-Bus calls that a shell cannot make, or not so many of them in a reasonable time.
 *
 *   call private METHOD TEXT    on the private socket, with text (of a file) as its document
 *   call cancel FILE            Apply it, Cancel after its first step, print the outcome
 *   call flood N                N calls that are wrong in different ways, one after the other
 *   call crowd N                N clients at once, each asks for the topology and a check
 *   call mistakes LENGTH        Check a document of so many bytes, all of it wrong
 *
 * flood and crowd print how many calls were answered as they should.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"

#define NAME "org.daxd1"
#define ROOT "/org/daxd1"
#define MANAGER NAME ".Manager"
#define CROWD_MAX 128

static int complain(const char *what, int r, const sd_bus_error *error)
{
	(void)fprintf(stderr, "%s: %s\n", what,
		      error && error->message ? error->message : strerror(-r));
	return 1;
}

static int open_private(sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, "unix:path=/run/daxd/private");
	if (r >= 0)
		r = sd_bus_start(bus);
	*ret = bus;
	return r;
}

static char *read_text(const char *path)
{
	struct error error = ERROR_INIT;
	char *text = NULL;

	if (strcmp(path, "") == 0)
		return strdup("");
	if (file_read(path, 1 << 20, &text, NULL, &error) < 0)
		error_clear(&error);
	return text;
}

static int call_private(const char *method, const char *file)
{
	_cleanup_(freep) char *text = read_text(file);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path = "";
	sd_bus *bus;
	int r;

	r = open_private(&bus);
	if (r >= 0)
		r = sd_bus_call_method(bus, NULL, ROOT, MANAGER, method, &error, &reply, "sa{sv}",
				       text, 1, "allow-data-loss", "b", true);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return complain("private", r, &error);
	return printf("o \"%s\"\n", path) < 0; /* as busctl does */
}

static int call_cancel(const char *file)
{
	_cleanup_(freep) char *text = read_text(file), *outcome = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	unsigned int tries = 0;
	const char *job = "";
	uint32_t done = 0;
	sd_bus *bus = NULL;
	int r;

	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}",
				       text, 1, "allow-data-loss", "b", true);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job);
	while (r >= 0 && done == 0 && tries++ < 1000) {
		(void)usleep(20000);
		r = sd_bus_get_property_trivial(bus, NAME, job, NAME ".Job", "StepsDone", &error,
						'u', &done);
	}
	if (r >= 0)
		r = sd_bus_call_method(bus, NAME, job, NAME ".Job", "Cancel", &error, NULL, "a{sv}",
				       0);
	for (int i = 0; r >= 0 && i < 300 && (!outcome || !*outcome); i++) {
		(void)usleep(100000);
		free(TAKE(outcome));
		r = sd_bus_get_property_string(bus, NAME, job, NAME ".Job", "Outcome", &error,
					       &outcome);
	}
	if (r < 0)
		return complain("cancel", r, &error);
	return printf("%s\n", outcome) < 0;
}

#define KINDS 12

/* What is wrong by itself. */
struct documents {
	char deep[100001];
	char long_key[250001]; /* each of its mistakes is at a place with a long name */
	char longest[(4 << 20) + 1]; /* a text that is longer than any document may be */
};

static void write_documents(struct documents *documents)
{
	static const char mistake[] = "\"\\u0000\",";
	const size_t step = sizeof(mistake) - 1, room = sizeof(documents->long_key);
	char *at = documents->long_key;

	memset(documents->deep, '[', sizeof(documents->deep) - 1);
	memset(documents->longest, 'x', sizeof(documents->longest) - 1);
	memset(at, 'k', room / 2);
	memcpy(at, "{\"", 2);
	at += room / 2;
	memcpy(at, "\":[", 3);
	for (at += 3; at + step + 5 < documents->long_key + room; at += step)
		memcpy(at, mistake, step);
	memcpy(at, "1]}", 4);
}

/* Each kind of wrong call; true: it was refused as it should be. */
static bool call_wrongly(sd_bus *bus, unsigned int kind, const struct documents *documents)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	bool refused, long_one = false;
	int r = 0;

	switch (kind % KINDS) {
	case 0:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "s", "");
		break;
	case 1:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}",
				       "{", 0);
		break;
	case 2:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Check", &error, &reply, "sa{sv}",
				       "{}", 1, "no-such", "b", true);
		break;
	case 3:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}",
				       "", 1, "allow-data-loss", "s", "yes");
		break;
	case 4:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "NoSuch", &error, &reply, "");
		break;
	case 5:
		r = sd_bus_call_method(bus, NAME, ROOT "/job/999999", NAME ".Job", "Cancel", &error,
				       &reply, "a{sv}", 0);
		break;
	case 6:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "CreateVolume", &error, &reply,
				       "a{sv}a{sv}", 2, "name", "s", "x", "size", "d", 1.5, 0);
		break;
	case 7:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}",
				       documents->deep, 0);
		break;
	case 8:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Apply", &error, &reply, "sa{sv}",
				       documents->long_key, 0);
		break;
	case 9:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "CreateVolume", &error, &reply,
				       "a{sv}a{sv}", 2, "name", "s", documents->long_key, "size", "s",
				       documents->deep, 0);
		long_one = true;
		break;
	case 10:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "CreateVolume", &error, &reply,
				       "a{sv}a{sv}", 1, documents->longest, "b", true, 0);
		long_one = true;
		break;
	case 11:
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "RemoveVolume", &error, &reply,
				       "sa{sv}", documents->long_key, 0);
		break;
	}
	refused = r < 0 && sd_bus_error_is_set(&error) &&
		  (!long_one || sd_bus_error_has_name(&error, SD_BUS_ERROR_LIMITS_EXCEEDED));
	if (!refused)
		(void)fprintf(stderr, "kind %u: %d\n", kind % KINDS, r);
	sd_bus_error_free(&error);
	(void)sd_bus_message_unref(reply);
	return refused;
}

static int flood(unsigned int n)
{
	_cleanup_(freep) struct documents *documents = calloc(1, sizeof(*documents));
	unsigned int refused = 0;
	sd_bus *bus = NULL;
	int r;

	r = documents ? sd_bus_open_system(&bus) : -1;
	if (r < 0)
		return complain("flood", r, NULL);
	write_documents(documents);
	for (unsigned int i = 0; i < n; i++)
		refused += call_wrongly(bus, i, documents);
	return printf("%u refused\n", refused) < 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	unsigned int *answers = userdata;

	(void)error;
	if (!sd_bus_message_is_method_error(reply, NULL))
		(*answers)++;
	return 1;
}

static int crowd(unsigned int n)
{
	sd_bus *clients[CROWD_MAX] = { NULL };
	unsigned int answers = 0;
	int r = 0;

	for (unsigned int i = 0; r >= 0 && i < n && i < CROWD_MAX; i++)
		r = sd_bus_open_system(&clients[i]);
	for (unsigned int i = 0; r >= 0 && i < n && i < CROWD_MAX; i++) {
		r = sd_bus_call_method_async(clients[i], NULL, NAME, ROOT, MANAGER, "GetTopology",
					     on_answer, &answers, "a{sv}", 0);
		if (r >= 0)
			r = sd_bus_call_method_async(clients[i], NULL, NAME, ROOT, MANAGER, "Check",
						     on_answer, &answers, "sa{sv}", "{}", 0);
		if (r >= 0)
			r = sd_bus_flush(clients[i]);
	}
	for (unsigned int i = 0; r >= 0 && i < 200 && answers < 2 * n; i++) {
		for (unsigned int j = 0; j < n && j < CROWD_MAX; j++)
			while (sd_bus_process(clients[j], NULL) > 0)
				;
		(void)usleep(100000);
	}
	if (r < 0)
		return complain("crowd", r, NULL);
	return printf("%u answers\n", answers) < 0;
}

static int count_problems(sd_bus_message *reply, unsigned int *n)
{
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
	while (r > 0 && (r = sd_bus_message_skip(reply, "a{sv}")) > 0)
		(*n)++;
	return r;
}

static int mistakes(size_t length)
{
	static const char begin[] = "{\"daxd\":1,\"volumes\":[", end[] = "1]}";
	_cleanup_(freep) char *text = malloc(length + 1);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	unsigned int n = 0;
	sd_bus *bus = NULL;
	int r;

	if (!text || length < sizeof(begin) + sizeof(end))
		return 2;
	for (size_t i = 0; i < length; i++)
		text[i] = i % 2 == strlen(begin) % 2 ? '1' : ',';
	memcpy(text, begin, strlen(begin));
	memcpy(text + length - strlen(end), end, strlen(end) + 1);
	if (text[length - strlen(end) - 1] != ',')
		text[length - strlen(end) - 1] = ' ';
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_call_method(bus, NAME, ROOT, MANAGER, "Check", &error, &reply, "sa{sv}",
				       text, 0);
	if (r >= 0)
		r = count_problems(reply, &n);
	if (r < 0)
		return complain("mistakes", r, &error);
	return printf("%u problems\n", n) < 0;
}

int main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "private") == 0)
		return call_private(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "cancel") == 0)
		return call_cancel(argv[2]);
	if (argc == 3 && strcmp(argv[1], "flood") == 0)
		return flood((unsigned int)strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "crowd") == 0)
		return crowd((unsigned int)strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "mistakes") == 0)
		return mistakes(strtoul(argv[2], NULL, 10));
	return 2;
}
