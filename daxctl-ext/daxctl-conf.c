/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daxctl-conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

#define CONF_SIZE_MAX (1u << 20)
#define SPACE " \t\r\f\v"

struct reader {
	struct conf *conf;
	struct conf_section *section; /* NULL: in a section that is not for us */
	const char *file;
	unsigned int line;
	struct report *notes;
};

void conf_clear(struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++)
		free(conf->sections[i].name);
	free(conf->sections);
	*conf = (struct conf){ 0 };
}

static void note(struct reader *reader, const char *format, ...) _printf_(2, 3);
static void note(struct reader *reader, const char *format, ...)
{
	struct error error = ERROR_INIT;
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	(void)error_set(&error, EINVAL, "Line %u: %s", reader->line, text ? text : "");
	free(text);
	error.file = strdup(reader->file);
	(void)report_take(reader->notes, &error);
}

/* Cut off the blanks at both ends, and then the quotes. */
static char *trim(char *text)
{
	size_t n;

	text += strspn(text, SPACE);
	n = strlen(text);
	while (n && strchr(SPACE, text[n - 1]))
		n--;
	text[n] = 0;
	if (n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0]) {
		text[n - 1] = 0;
		text++;
	}
	return text;
}

static void begin_section(struct reader *reader, char *heading)
{
	char *name = heading + strcspn(heading, SPACE);
	struct conf_section *section;

	if (*name)
		*name++ = 0;
	reader->section = NULL;
	if (strcasecmp(heading, "reconfigure-device") != 0 &&
	    strcasecmp(heading, "auto-online") != 0)
		return;
	section = ARRAY_APPEND(reader->conf->sections, reader->conf->n);
	if (!section)
		abort(); /* nothing has begun */
	reader->conf->n++;
	name = trim(name);
	*section = (struct conf_section){
		.name = *name ? strdup(name) : NULL,
		.ram = true,
		.online = true,
		.movable = true,
		.file = reader->file,
		.line = reader->line,
	};
	reader->section = section;
}

static bool read_bool(struct reader *reader, const char *key, const char *value, bool before)
{
	if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	    strcasecmp(value, "yes") == 0)
		return true;
	if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0 ||
	    strcasecmp(value, "no") == 0)
		return false;
	note(reader, "\"%s\" is \"%s\", which is neither true nor false.", key, value);
	return before;
}

static void set(struct reader *reader, const char *key, const char *value)
{
	struct conf_section *section = reader->section;

	if (strcasecmp(key, "nvdimm.uuid") == 0 || strcasecmp(key, "uuid") == 0) {
		if (uuid_parse_text(value, &section->uuid) < 0)
			note(reader, "\"%s\" is no uuid.", value);
	} else if (strcasecmp(key, "mode") == 0) {
		section->ram = strcasecmp(value, "system-ram") == 0;
		section->unknown = !section->ram && strcasecmp(value, "devdax") != 0;
		if (section->unknown)
			note(reader, "\"%s\" is no mode, which is devdax or system-ram; this "
				     "section counts for nothing.", value);
	} else if (strcasecmp(key, "online") == 0) {
		section->online = read_bool(reader, key, value, section->online);
	} else if (strcasecmp(key, "no-online") == 0) {
		section->online = !read_bool(reader, key, value, !section->online);
	} else if (strcasecmp(key, "movable") == 0) {
		section->movable = read_bool(reader, key, value, section->movable);
	} else if (strcasecmp(key, "no-movable") == 0) {
		section->movable = !read_bool(reader, key, value, !section->movable);
	} else {
		note(reader, "\"%s\" is no key of such a section.", key);
	}
}

static void read_line(struct reader *reader, char *line)
{
	char *text = trim(line), *end, *equals;

	if (!*text || *text == '#' || *text == ';')
		return;
	if (*text == '[') {
		end = strchr(text, ']');
		if (end)
			*end = 0;
		else
			note(reader, "\"]\" is missing.");
		begin_section(reader, trim(text + 1));
		return;
	}
	if (!reader->section)
		return;
	equals = strchr(text, '=');
	if (!equals) {
		note(reader, "\"%s\" has no \"=\".", text);
		return;
	}
	*equals = 0;
	/* A remark at the end of the line needs a blank before it. */
	for (char *c = equals + 1; (c = strpbrk(c, "#;")); c++)
		if (strchr(SPACE, c[-1]))
			*c-- = 0;
	set(reader, trim(text), trim(equals + 1));
}

/* What it may mean loses contents, so nothing is guessed. */
static void drop_unknown(struct conf *conf)
{
	size_t kept = 0;

	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].unknown)
			free(conf->sections[i].name);
		else
			conf->sections[kept++] = conf->sections[i];
	}
	conf->n = kept;
}

/* Every line of it would be passed over without a word. */
static bool is_json(const char *text)
{
	text += strspn(text, SPACE "\n");
	if (*text == '[')
		text += 1 + strspn(text + 1, SPACE "\n");
	return *text == '{';
}

int conf_load(struct conf *conf, const char *path, struct report *notes, struct error *reterr)
{
	struct reader reader = { .conf = conf, .file = path, .notes = notes };
	_cleanup_(freep) char *text = NULL;
	char *rest, *line;
	size_t length;
	int r;

	r = file_read(path, CONF_SIZE_MAX, &text, &length, reterr);
	if (r < 0)
		return r;
	if (is_json(text)) {
		(void)error_set(reterr, EBADMSG, "%s is JSON, and the files of daxctl are not: they "
				"have sections such as [reconfigure-device NAME].", path);
		return error_hint(reterr, "a configuration of daxd needs no import: give it to plan "
				  "or apply");
	}
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		reader.line++;
		read_line(&reader, line);
	}
	drop_unknown(conf);
	return 0;
}
