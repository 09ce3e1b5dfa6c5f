/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../daxd/rivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "core/topology-json.h"
#include "test.h"

#define UUID "108fd05c-2b42-5490-93bd-e3fae96cfcac"
#define CONF "/etc/daxctl.conf.d/a.conf"
#define OURS "/etc/udev/rules.d/40-memory.rules"
#define THEIRS "/usr/lib/udev/rules.d/40-memory.rules"
#define RULE "SUBSYSTEM==\"memory\", ACTION == \"add\", ATTR{state}=\"online\"\n"

/* A labelled namespace and a default device that is memory in zone Normal. */
#define MACHINE(policy, records) "{\"topology\":1,\"memory_block_size\":134217728,"       \
	"\"auto_online\":\"" policy "\",\"regions\":["                                     \
	"{\"name\":\"region0\",\"path\":\"/r0\",\"type\":\"pmem\",\"start\":8589934592,"     \
	"\"size\":1073741824,\"namespaces\":[{\"name\":\"namespace0.0\",\"label\":\"vm\","  \
	"\"uuid\":\"" UUID "\",\"mode\":\"devdax\",\"start\":8589934592,"                   \
	"\"size\":268435456}]},"                                                          \
	"{\"name\":\"hmem.0\",\"path\":\"/r1\",\"type\":\"hmem\",\"start\":4294967296,"     \
	"\"size\":134217728,\"devices\":[{\"name\":\"dax0.0\",\"size\":134217728,"        \
	"\"driver\":\"kmem\",\"ranges\":[{\"start\":4294967296,\"size\":134217728}],"       \
	"\"blocks\":[{\"number\":32,\"state\":\"online\",\"zone\":\"normal\"}]}]}],"        \
	"\"records\":[" records "]}"
#define RECORD "{\"volume\":\"far\",\"mode\":\"system-ram\","                              \
	"\"ranges\":[{\"start\":4294967296,\"size\":134217728}]}"

/* A volume in each region; rest is of the second. */
#define VOLUMES(rest) "{\"daxd\":1,\"volumes\":[{\"name\":\"vm\",\"region\":{\"type\":\"pmem\"}," \
	"\"mode\":\"devdax\",\"size\":\"256M\"},{\"name\":\"far\","                        \
	"\"region\":{\"type\":\"hmem\"},\"size\":\"all\"," rest "}]}"
#define MEMORY "\"mode\":\"system-ram\",\"persist\":\"kmem\""

static const struct {
	const char *policy_and_records, *volumes;
	const char *path, *text, *path2, *text2; /* files below a root of the test's own */
	const char *note, *file;		 /* the only one, without its root; "" none */
} cases[] = {
	{ MACHINE("offline", ""), VOLUMES(MEMORY), NULL, NULL, NULL, NULL, "", "" },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), CONF,
	  "# [x]\n[reconfigure-device x]\n nvdimm.uuid = \"" UUID "\"\n", NULL, NULL,
	  "daxctl has a section for volume \"vm\", which daxd configures and daxctl does not.", CONF },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), CONF, "#nvdimm.uuid=" UUID "\n", NULL, NULL, "",
	  "" },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), CONF,
	  "nvdimm.uuid=208fd05c-2b42-5490-93bd-e3fae96cfcac\nuuid\n=\n", NULL, NULL, "", "" },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), THEIRS, RULE, NULL, NULL,
	  "A rule of udev may put memory of volumes online behind the back of daxd.", THEIRS },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), THEIRS, RULE, OURS, "", "", "" },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), THEIRS,
	  "SUBSYSTEM!=\"memory\", GOTO=\"end\"\nATTR{state}==\"offline\", ATTR{state}=\"$env{.s}\"\n",
	  NULL, NULL, "A rule of udev may put memory of volumes online behind the back of daxd.",
	  THEIRS },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), THEIRS, "#" RULE, NULL, NULL, "", "" },
	{ MACHINE("offline", ""), VOLUMES(MEMORY), THEIRS,
	  "SUBSYSTEM==\"memory\", ATTR{state}==\"online\", TAG+=\"x\"\n", NULL, NULL, "", "" },
	{ MACHINE("offline", ""), VOLUMES("\"mode\":\"devdax\""), THEIRS, RULE, NULL, NULL, "", "" },
	{ MACHINE("online", ""), VOLUMES(MEMORY ",\"zone\":\"movable\""), NULL, NULL, NULL, NULL,
	  "The kernel by itself has put memory of hmem.0, where volume \"far\" is to be, online in "
	  "zone normal (its policy is \"online\").", "" },
	{ MACHINE("online", ""), VOLUMES(MEMORY ",\"zone\":\"normal\""), NULL, NULL, NULL, NULL, "",
	  "" },
	{ MACHINE("online", ""), VOLUMES(MEMORY ",\"online\":false"), NULL, NULL, NULL, NULL,
	  "The kernel by itself has put memory of hmem.0, where volume \"far\" is to be, online in "
	  "zone normal (its policy is \"online\").", "" },
	{ MACHINE("online", RECORD), VOLUMES(MEMORY ",\"zone\":\"movable\""), NULL, NULL, NULL, NULL,
	  "", "" },
};

static void put(const char *root, const char *path, const char *text)
{
	_cleanup_(error_clear) struct error error = ERROR_INIT;
	char full[256], folder[256];

	if (!path)
		return;
	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(full, '/') - full), full);
	CHECK_INT(file_make_folders(folder, &error), 0, folder);
	CHECK_INT(file_replace(full, text, strlen(text), &error), 0, full);
}

static void drop(const char *root, const char *path)
{
	char full[256];

	if (!path)
		return;
	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	(void)unlink(full); /* the folders go when they are empty, and last */
	for (char *slash; (slash = strrchr(full, '/')) && slash > full + strlen("/tmp/");) {
		*slash = 0;
		if (rmdir(full) < 0)
			break;
	}
}

static void check(size_t i, const char *root)
{
	_cleanup_(report_clear) struct report problems = REPORT_INIT, notes = REPORT_INIT;
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	const char *machine = cases[i].policy_and_records, *volumes = cases[i].volumes, *file;

	(void)topology_parse(machine, strlen(machine), &topology, &problems);
	(void)config_parse(volumes, strlen(volumes), NULL, &config, &problems);
	CHECK_STR(problems.n ? error_message(&problems.errors[0]) : "", "", cases[i].note);
	if (problems.n)
		return;
	rivals_find(root, config, topology, &notes);
	CHECK_INT(notes.n, cases[i].note[0] ? 1 : 0, machine);
	CHECK_STR(notes.n ? error_message(&notes.errors[0]) : "", cases[i].note, machine);
	file = notes.n && notes.errors[0].file ? notes.errors[0].file : "";
	CHECK_STR(*file ? file + strlen(root) : file, cases[i].file, machine);
}

TEST(rivals_find)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char root[] = "/tmp/daxd-rivals-XXXXXX";

		CHECK(mkdtemp(root) != NULL);
		put(root, cases[i].path, cases[i].text);
		put(root, cases[i].path2, cases[i].text2);
		check(i, root);
		drop(root, cases[i].path);
		drop(root, cases[i].path2);
		(void)rmdir(root); /* gone with its last file */
	}
}
