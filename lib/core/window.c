/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/window.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool window_name_is_valid(const char *name)
{
	if (!name || !isascii(name[0]) || !isalnum(name[0]))
		return false;
	for (const char *c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-", *c)))
			return false;
	return true;
}

bool table_is_window(const struct partition_table *table, size_t index, uint64_t size,
		     uint64_t align)
{
	const struct table_entry *entry = &table->entries[index];

	if (!window_name_is_valid(entry->name) ||
	    (table->kind != TABLE_GPT && table->kind != TABLE_BACKUP) ||
	    !entry_fit_is_usable(table_judge(table, index, size, align)) || align == 0 ||
	    entry->extent.start % align || entry->extent.size % align)
		return false;
	for (size_t i = 0; i < table->n_entries; i++)
		if (i != index && table->entries[i].name &&
		    strcmp(table->entries[i].name, entry->name) == 0)
			return false;
	return true;
}

void windows_clear(struct windows *windows)
{
	free(windows->windows);
	*windows = (struct windows){ 0 };
}

static int add_windows(struct windows *windows, const struct namespace *ns)
{
	const struct dax_device *device = ns->device;

	if (!device || !device->table || device->driver != DRIVER_DEVICE_DAX)
		return 0;
	for (size_t i = 0; i < device->table->n_entries; i++) {
		struct window *window;

		if (!table_is_window(device->table, i, device->size, device->align))
			continue;
		window = ARRAY_APPEND(windows->windows, windows->n);
		if (!window)
			return -ENOMEM;
		*window = (struct window){ .entry = &device->table->entries[i], .ns = ns,
					   .device = device };
		window->volume = device->node.link ? access_link_name(device->node.link) : NULL;
		windows->n++;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct window *x = a, *y = b;

	return strcmp(x->entry->name, y->entry->name);
}

/* Leave out what has the same name as another. */
static void drop_twins(struct windows *windows, void (*twice)(void *userdata, const char *name),
		       void *userdata)
{
	size_t kept = 0;

	for (size_t i = 0; i < windows->n;) {
		size_t next = i + 1;

		while (next < windows->n && compare(&windows->windows[i], &windows->windows[next]) == 0)
			next++;
		if (next == i + 1)
			windows->windows[kept++] = windows->windows[i];
		else if (twice)
			twice(userdata, windows->windows[i].entry->name);
		i = next;
	}
	windows->n = kept;
}

int windows_find(const struct topology *topology, struct windows *ret,
		 void (*twice)(void *userdata, const char *name), void *userdata)
{
	struct windows windows = { 0 };

	for (size_t i = 0; i < topology->n_regions; i++)
		for (size_t j = 0; j < topology->regions[i].n_namespaces; j++)
			if (add_windows(&windows, &topology->regions[i].namespaces[j]) < 0) {
				windows_clear(&windows);
				return -ENOMEM;
			}
	if (windows.n)
		qsort(windows.windows, windows.n, sizeof(windows.windows[0]), compare);
	drop_twins(&windows, twice, userdata);
	*ret = windows;
	return 0;
}

const struct window *windows_by_name(const struct windows *windows, const char *name)
{
	for (size_t i = 0; i < windows->n; i++)
		if (strcmp(windows->windows[i].entry->name, name) == 0)
			return &windows->windows[i];
	return NULL;
}
