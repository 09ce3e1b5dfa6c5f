/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "core/json-read.h"
#include "device-verb.h"
#include "device-volume.h"
#include "meaning.h"
#include "part-list.h"

struct part_options {
	struct device_options common;
	const char *name, *number, *size, *start, *type, *uuid;
	bool repair;
};

/* What a word takes of the options that not all take. */
enum takes {
	TAKES_NAME = 1 << 0,
	TAKES_NUMBER = 1 << 1,
	TAKES_SIZE = 1 << 2,
	TAKES_START = 1 << 3,
	TAKES_TYPE = 1 << 4,
	TAKES_UUID = 1 << 5,
	TAKES_REPAIR = 1 << 6,
};

/* The word after "part": what becomes of the volume that stands for the device. */
struct part_word {
	const char *word;
	unsigned int takes;
	bool of_entry; /* the device may be named by the partition */
	bool loses; /* to say it is consent to lose what it names */
	bool of_disks; /* block devices are concerned */
	void (*want)(struct device_run *run, const struct volume_view *view,
		     struct volume *volume);
};

static const struct part_options *part_options(const struct device_run *run)
{
	return (const struct part_options *)(const void *)run->options;
}

/* Of a disk, or of a dax device, which may have none yet. */
static const struct partition_table *table_of(const struct volume_view *view)
{
	static const struct partition_table none = { .kind = TABLE_NONE };

	if (view->ns->disk)
		return &view->ns->disk->table;
	return view->device->table ? view->device->table : &none;
}

static const char *node_of(const struct volume_view *view)
{
	return view->ns->disk ? view->ns->blockdev : view->device->name;
}

static struct partition *add_partition(struct volume *volume)
{
	struct partition *partition = ARRAY_APPEND(volume->partitions, volume->n_partitions);

	if (!partition)
		abort(); /* nothing has begun */
	volume->n_partitions++;
	return partition;
}

/* --size, --start and --type; false: refused. */
static bool read_place(struct device_run *run, struct partition *partition)
{
	const struct part_options *options = part_options(run);
	struct size_spec start;

	partition->size.kind = SIZE_ALL;
	if (options->size && !device_read_size(run, options->size, &partition->size))
		return false;
	if (options->start && (device_size_parse(options->start, &start) < 0 ||
			       start.kind != SIZE_BYTES)) {
		problem_add(&run->cli->problems, EINVAL,
			    "bytes from the start of the device, such as 2M",
			    "--start %s is no place.", json_show(options->start).text);
		return false;
	}
	partition->has_start = options->start != NULL;
	partition->start = options->start ? start.bytes : 0;
	if (!options->type || partition_type_from_word(options->type, &partition->type) == 0 ||
	    (uuid_parse_text(options->type, &partition->type) == 0 &&
	     !uuid_is_nil(&partition->type)))
		return true;
	problem_add(&run->cli->problems, EINVAL, "it is linux, swap, esp or a GUID",
		    "--type %s is no type of partition.", json_show(options->type).text);
	return false;
}

static const struct table_entry *find_named(const struct partition_table *table, const char *name,
					    size_t *n)
{
	const struct table_entry *found = NULL;

	*n = 0;
	for (size_t i = 0; i < table->n_entries; i++)
		if (table->entries[i].name && strcmp(table->entries[i].name, name) == 0) {
			found = &table->entries[i];
			++*n;
		}
	return found;
}

/* The entry of the partition that the command line names instead of a device; NULL: refused. */
static const struct table_entry *find_own(struct device_run *run, const struct part *part)
{
	const struct part_options *options = part_options(run);

	if (options->name || options->number)
		problem_add(&run->cli->problems, EINVAL, "leave out --name and --number",
			    "%s is a partition already.", run->args[1]);
	else if (!part->entry)
		device_refuse(run, run->args[1], ENOENT, "part sync takes it away once it is idle",
			      "It is in no table.");
	else
		return part->entry;
	return NULL;
}

/* The entry that --name, --number or the device means; NULL: refused. */
static const struct table_entry *find_entry(struct device_run *run,
					    const struct volume_view *view)
{
	const struct part_options *options = part_options(run);
	const struct partition_table *table = table_of(view);
	const struct table_entry *entry = NULL;
	struct part part;
	uint64_t number;
	size_t n = 1;

	if (!volume_is_called(view, run->args[1]) && part_find(&run->volumes, run->args[1], &part))
		return find_own(run, &part);
	if (!options->name == !options->number) {
		problem_add(&run->cli->problems, EINVAL,
			    options->name ? "one of the two says which" : "part list shows both",
			    options->name ? "--name and --number are both given." :
					    "Say which partition, by --name or --number.");
		return NULL;
	}
	if (options->name)
		entry = find_named(table, options->name, &n);
	else if (json_parse_u64(options->number, &number) == 0 && number <= TABLE_ENTRIES_MAX)
		entry = table_find(table, (unsigned int)number);
	if (n > 1)
		device_refuse(run, node_of(view), ENOTUNIQ, "say which by --number",
			      "%zu partitions are named \"%s\".", n, options->name);
	else if (!entry)
		device_refuse(run, node_of(view), ENOENT,
			      "daxctl-ext part list shows those there are.",
			      "It has no partition %s.",
			      options->name ? options->name : options->number);
	return n > 1 ? NULL : entry;
}

static void want_add(struct device_run *run, const struct volume_view *view,
		     struct volume *volume)
{
	const struct part_options *options = part_options(run);
	const struct partition_table *table = table_of(view);
	struct partition *partition;
	struct uuid uuid;
	size_t n;

	if (!options->name) {
		problem_add(&run->cli->problems, EINVAL, "such as --name data",
			    "A new partition needs --name.");
		return;
	}
	(void)find_named(table, options->name, &n);
	if (n) {
		device_refuse(run, node_of(view), EEXIST, "part resize changes it",
			      "It has a partition named \"%s\".", options->name);
		return;
	}
	partition = add_partition(volume);
	partition->name = device_text(options->name);
	if (!read_place(run, partition))
		return;
	uuid = partition_uuid(&run->topology->seed, volume, view->ns, options->name);
	if (options->uuid &&
	    (uuid_parse_text(options->uuid, &uuid) < 0 || uuid_is_nil(&uuid))) {
		problem_add(&run->cli->problems, EINVAL, NULL, "--uuid %s is no uuid.",
			    json_show(options->uuid).text);
		return;
	}
	for (size_t i = 0; i < table->n_entries; i++)
		if (uuid_equal(&table->entries[i].uuid, &uuid)) {
			device_refuse(run, node_of(view), EEXIST, "give another --uuid",
				      "Its partition %u has the uuid %s.",
				      table->entries[i].number, uuid.text);
			return;
		}
	partition->uuid = uuid;
}

/* One that is there, known by its uuid; NULL: what is wrong was told. */
static struct partition *add_existing(struct device_run *run, const struct volume_view *view,
				      struct volume *volume)
{
	const struct table_entry *entry = find_entry(run, view);
	struct partition *partition = entry ? add_partition(volume) : NULL;

	if (partition)
		partition->uuid = entry->uuid;
	return partition;
}

static void want_delete(struct device_run *run, const struct volume_view *view,
			struct volume *volume)
{
	struct partition *partition = add_existing(run, view, volume);

	if (partition)
		partition->absent = true;
}

static void want_resize(struct device_run *run, const struct volume_view *view,
			struct volume *volume)
{
	struct partition *partition = add_existing(run, view, volume);

	if (partition)
		(void)read_place(run, partition); /* what is wrong is told */
}

static void want_sync(struct device_run *run, const struct volume_view *view,
		      struct volume *volume)
{
	(void)view;
	volume->repair = part_options(run)->repair;
}

static void want_takeover(struct device_run *run, const struct volume_view *view,
			  struct volume *volume)
{
	(void)run;
	(void)view;
	volume->partitioning = PARTITIONING_DAXD;
}

static void want_release(struct device_run *run, const struct volume_view *view,
			 struct volume *volume)
{
	(void)run;
	(void)view;
	volume->partitioning = PARTITIONING_KERNEL;
}

static const struct part_word words[] = {
	{ "add", TAKES_NAME | TAKES_SIZE | TAKES_START | TAKES_TYPE | TAKES_UUID,
	  .want = want_add },
	{ "delete", TAKES_NAME | TAKES_NUMBER, .of_entry = true, .loses = true,
	  .want = want_delete },
	{ "resize", TAKES_NAME | TAKES_NUMBER | TAKES_SIZE | TAKES_START | TAKES_TYPE,
	  .of_entry = true, .want = want_resize },
	{ "sync", TAKES_REPAIR, .want = want_sync },
	{ "takeover", .of_disks = true, .want = want_takeover },
	{ "release", .of_disks = true, .loses = true, .want = want_release },
};

static const struct part_word *find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return &words[i];
	return NULL;
}

/* Why a volume's partitions are not ours to change, or NULL. */
static const char *why_not(const struct volume_view *view, const struct part_word *word)
{
	const char *why = part_why_none(view);

	if (why)
		return why;
	if (!view->ns->disk)
		return word->of_disks ? "Of the partitions of a dax device nobody makes block devices." :
					NULL;
	return view->ns->mode == NAMESPACE_FSDAX ?
		       NULL : "Partitions are changed of fsdax and devdax namespaces only.";
}

/* A table is written anew from its backup, or as an empty one, only when that was asked for. */
static bool refuse_damaged(struct device_run *run, const struct volume_view *view,
			   const struct part_word *word)
{
	_cleanup_(freep) char *hint = NULL;
	const struct partition_table *table = table_of(view);
	bool damaged = table->kind == TABLE_DAMAGED &&
		       (word->takes & (TAKES_NAME | TAKES_REPAIR));

	if ((table->kind != TABLE_BACKUP && !damaged) || table->half_written ||
	    part_options(run)->repair)
		return false;
	if (damaged && view->ns->disk && view->ns->disk->n_maps)
		hint = part_lost_hint(view);
	else if (asprintf(&hint, "\"daxctl-ext part sync %s --repair%s\" writes %s.", node_of(view),
			  damaged ? " --allow-data-loss" : "",
			  damaged ? "a new, empty one" : "it anew from there") < 0)
		hint = NULL;
	device_refuse(run, node_of(view), EUCLEAN, hint, "Its partition table is damaged: %s.",
		      damaged ? "neither copy can be read" : "only its backup can be read");
	return true;
}

/* What lies in an extended partition only the kernel makes block devices of, or of none. */
static bool refuse_extended(struct device_run *run, const struct volume_view *view,
			    const struct part_word *word)
{
	if (word->want != want_takeover || !table_of(view)->extended)
		return false;
	device_refuse(run, node_of(view), EOPNOTSUPP,
		      "a GPT has no such partitions: \"sgdisk --mbrtogpt\" makes one of the table",
		      "It stays the kernel's: its DOS table has an extended partition, and daxd does "
		      "not map what lies in that.");
	return true;
}

/* Who asks for block devices as the table says is told that it says nothing. */
static bool refuse_lost(struct device_run *run, const struct volume_view *view,
			const struct part_word *word)
{
	_cleanup_(freep) char *text = NULL, *hint = NULL;

	if (!(word->takes & TAKES_REPAIR) || part_options(run)->repair || !part_is_lost(view))
		return false;
	text = part_lost_text(view);
	hint = part_lost_hint(view);
	device_refuse(run, node_of(view), EUCLEAN, hint, "%s", text ? text : "");
	return true;
}

/* Where nothing is left of a table there is nothing to repair it from. */
static bool refuse_missing(struct device_run *run, const struct volume_view *view)
{
	_cleanup_(freep) char *hint = NULL;

	if (!part_options(run)->repair || table_of(view)->kind != TABLE_NONE)
		return false;
	if (asprintf(&hint, "\"daxctl-ext part add %s --name NAME --start OFFSET --size SIZE\" makes a "
		     "new one; a partition in its old place holds what it held.", node_of(view)) < 0)
		hint = NULL;
	device_refuse(run, node_of(view), ENOENT, hint,
		      "It has no partition table, and no copy of one, so there is none to repair.");
	return true;
}

static void fill_volume(struct device_run *run, const struct volume_view *view)
{
	struct volume *volume = device_add_volume(run->config);
	size_t before = run->cli->problems.n;

	if (device_volume_fill(run->topology, view, volume, &run->cli->problems) == 0) {
		/* As it is, unless that is what is to change. */
		volume->has_partitioning = view->ns->disk != NULL;
		if (view->ns->disk)
			volume->partitioning = view->ns->disk->policy;
		find_word(run->args[0])->want(run, view, volume);
	}
	for (size_t i = 0; i < volume->n_partitions; i++)
		volume->partitions[i].index = i;
	if (run->cli->problems.n == before)
		return;
	volume_clear(volume);
	run->config->n_volumes--;
}

/* The device, or that of the partition; NULL: there is none. */
static const struct volume_view *find_view(const struct device_run *run, const char *name)
{
	struct part part;

	for (size_t i = 0; i < run->volumes.n; i++)
		if (volume_is_called(&run->volumes.views[i], name))
			return &run->volumes.views[i];
	return part_find(&run->volumes, name, &part);
}

static void fill(struct device_run *run)
{
	const struct part_word *word = find_word(run->args[0]);
	const char *name = run->args[1];
	const struct volume_view *view = find_view(run, name);
	_cleanup_(freep) char *hint = NULL;
	const char *why;

	if (meaning_refuse_several(&run->cli->problems, run->topology, &run->volumes, name, NULL))
		return;
	if (!view) {
		problem_add(&run->cli->problems, ENOENT, "daxctl-ext status shows what is there.",
			    "There is no device or volume \"%s\".", name);
		return;
	}
	if (!volume_is_called(view, name) && !word->of_entry) {
		if (asprintf(&hint, "its disk is %s", node_of(view)) < 0)
			hint = NULL;
		device_refuse(run, name, EINVAL, hint, "It is a partition, and %s needs a device.",
			      word->word);
		return;
	}
	why = why_not(view, word);
	if (why) {
		hint = part_hint_none(view);
		device_refuse(run, name, ENODEV, hint, "%s", why);
	} else if (!refuse_missing(run, view) && !refuse_damaged(run, view, word) &&
		   !refuse_lost(run, view, word) && !refuse_extended(run, view, word)) {
		fill_volume(run, view);
	}
}

/* Nothing is wiped: a new partition may begin with the file system that was there before. */
static void note_content(struct device_run *run, const struct volume_view *view)
{
	const struct part_options *options = part_options(run);
	const struct table_entry *entry;
	_cleanup_(freep) char *content = NULL, *hint = NULL;
	struct part_name name;
	size_t n;

	if (strcmp(run->args[0], "add") != 0 || options->common.topology || !view->ns->disk)
		return;
	entry = find_named(table_of(view), options->name, &n);
	content = entry ? part_content(view->ns, entry->number) : NULL;
	if (!content)
		return;
	name = part_name(view->ns, entry->number);
	if (asprintf(&hint, "\"wipefs -a /dev/%s\" takes it away if nobody needs it.",
		     name.text) < 0)
		hint = NULL;
	problem_add(&run->notes, EEXIST, hint, "%s begins with what was there before: %s.",
		    name.text, content);
}

/* What has become of it. */
static enum cli_exit show(struct device_run *run)
{
	for (size_t i = 0; i < run->volumes.n; i++) {
		const struct volume_view *view = &run->volumes.views[i];
		const struct disk *disk = view->ns ? view->ns->disk : NULL;

		if (!device_volume_is(&run->config->volumes[0], view))
			continue;
		if (disk && disk->policy == PARTITIONING_DAXD && !disk->managed)
			(void)fprintf(run->cli->err, disk->table.extended ?
				      "%s has an extended partition: the kernel keeps all of them.\n" :
				      "%s is in use: its partitions are taken over once it is idle.\n",
				      view->ns->blockdev);
		note_content(run, view);
		return part_list(run->cli, &run->volumes, node_of(view));
	}
	return part_list(run->cli, &run->volumes, run->args[1]);
}

static const struct device_verb changes = {
	.name = "part",
	.looks = true,
	.creates = true,
	.fill = fill,
	.finish = show,
};

static const struct device_verb losses = {
	.name = "part",
	.looks = true,
	.fill = fill,
	.finish = show,
};

static enum cli_exit list(struct cli *cli, const struct part_options *options, const char *name)
{
	_cleanup_(client_clear) struct client client = { 0 };
	_cleanup_(topology_freep) struct topology *topology = NULL;
	_cleanup_(volumes_clear) struct volumes volumes = { 0 };
	enum cli_exit status;

	client_init(&client, options->common.topology);
	status = client_scan(&client, LOOK_ALL, &topology, &cli->problems);
	if (status != CLI_DONE)
		return status;
	if (volumes_fill(&volumes, topology) == 0)
		return part_list(cli, &volumes, name);
	problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
	return CLI_FAILED;
}

/* No option is passed over in silence. */
static bool takes_all(struct cli *cli, const struct part_options *options, const char *word,
		      unsigned int takes)
{
	const struct {
		const char *name;
		unsigned int bit;
		bool given;
	} given[] = {
		{ "name", TAKES_NAME, options->name },
		{ "number", TAKES_NUMBER, options->number },
		{ "size", TAKES_SIZE, options->size },
		{ "start", TAKES_START, options->start },
		{ "type", TAKES_TYPE, options->type },
		{ "uuid", TAKES_UUID, options->uuid },
		{ "repair", TAKES_REPAIR, options->repair },
	};
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].given && !(takes & given[i].bit)) {
			problem_add(&cli->problems, EINVAL, NULL, "\"part %s\" takes no --%s.",
				    word, given[i].name);
			all = false;
		}
	return all;
}

static enum cli_exit run(struct cli *cli, const void *userdata, char *args[])
{
	const struct part_options *options = userdata;
	const struct part_word *word = find_word(args[0]);

	if (strcmp(args[0], "list") == 0)
		return takes_all(cli, options, args[0], 0) ? list(cli, options, args[1]) :
							     CLI_INVALID;
	if (!word) {
		problem_add(&cli->problems, EINVAL,
			    "it is list, add, delete, resize, sync, takeover or release",
			    "\"part\" cannot %s.", json_show(args[0]).text);
		return CLI_INVALID;
	}
	if (!args[1]) {
		problem_add(&cli->problems, EINVAL, "such as pmem0, or the name of a volume",
			    "\"part %s\" needs a device.", args[0]);
		return CLI_INVALID;
	}
	if (!takes_all(cli, options, word->word, word->takes))
		return CLI_INVALID;
	return device_verb_run(cli, word->loses ? &losses : &changes, &options->common, args);
}

static const struct verb_option options[] = {
	{
		.name = "name", .value = "NAME", .offset = offsetof(struct part_options, name),
		.help = "Of add: what the partition is called. "
			"Of delete and resize: which it is.",
	},
	{
		.name = "number", .value = "N", .offset = offsetof(struct part_options, number),
		.help = "Of delete and resize: which it is, by its number.",
	},
	{
		.name = "size", .letter = 's', .value = "SIZE",
		.offset = offsetof(struct part_options, size),
		.help = "Bytes, or K, M, G, T behind a number (powers of 1024), a percentage, or "
			"all, which is what is free in one piece, and the default.",
	},
	{
		.name = "start", .value = "OFFSET", .offset = offsetof(struct part_options, start),
		.help = "Exactly there, from the start of the device; without, in the first free "
			"space that is large enough, at a multiple of 2M.",
	},
	{
		.name = "type", .value = "TYPE", .offset = offsetof(struct part_options, type),
		.help = "Of the partition: linux, swap, esp or a GUID.",
	},
	{
		.name = "uuid", .value = "UUID", .offset = offsetof(struct part_options, uuid),
		.help = "Of a new partition; without, it is made from the disk and the name.",
	},
	{
		.name = "repair", .offset = offsetof(struct part_options, repair),
		.help = "Of sync: write a table anew of which only one of the two copies can be read, "
			"or the copy at the end where that is of another table, or, with "
			"--allow-data-loss, an empty one where neither can be read.",
	},
	OPTION_ALLOW_DATA_LOSS_AT(struct part_options, common.allow_data_loss),
	{
		.name = "verbose", .letter = 'v',
		.offset = offsetof(struct part_options, common.verbose),
		.help = "Show the plan and each step on standard error.",
	},
	{
		.name = "dry-run", .letter = 'n',
		.offset = offsetof(struct part_options, common.dry_run),
		.help = "Show the steps instead, and run none.",
	},
	{
		.name = "no-ask-password",
		.offset = offsetof(struct part_options, common.no_ask_password),
		.help = "Do not ask for a password where polkit wants one; fail instead.",
	},
	{
		.name = "topology", .value = "FILE",
		.offset = offsetof(struct part_options, common.topology),
		.help = "List or change a simulated machine, a copy of one that status --json "
			"wrote.",
	},
};

const struct verb verb_part = {
	.name = "part",
	.args = "list|add|delete|resize|sync|takeover|release DEVICE",
	.min_args = 1,
	.max_args = 2,
	.help = "List and change partitions of block devices and dax devices",
	.about = "DEVICE is pmemN, daxX.Y or a volume, for delete and resize also pmemNpM; list "
		 "takes none, too, and shows all that have partitions, and who uses them. Partitions of "
		 "dax devices are windows, see daxwindow(3). "
		 "Tables are GPT; those of DOS are only read, and those with an extended partition "
		 "stay the kernel's.\n"
		 "add makes a partition, and a table on a device that holds nothing at all; what "
		 "was there before is not wiped, and a file system is named. "
		 "delete removes one, and what it holds. resize grows one in place, also while it "
		 "is mounted where daxd makes the block devices; to shrink or move it needs "
		 "--allow-data-loss. What is in use is "
		 "neither shrunk, moved nor removed. sync makes block devices as the table says, "
		 "after another program has changed it; where the table is gone, maps stay, and it "
		 "says so: write the table back, or release gives them up.\n"
		 "takeover has daxd make the block devices of the partitions, which are called as "
		 "the kernel's would be: then several file systems of one device can use DAX, and "
		 "XFS with reflinks. The kernel's go, once none is in use, at each boot. A "
		 "partition that does not begin and end at multiples of 4K gets none, since DAX "
		 "would write to the wrong place. release gives them back to the kernel.",
	.json = "Print the disks as JSON: of each its device, size, policy and table, and of each "
		"partition its path, offset, size, align, uuid, name, number and holders. offset "
		"counts from the start of the device; path of a window is the device.",
	VERB_OPTIONS(struct part_options, options),
	.run = run,
};
