// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which files make up the configuration, and what they assign. libeconf reads a file;
 * its own merging knows two directories and forgets which file a value came from, so the
 * order of files is decided here. What the keys mean is decided in config.c.
 */
#include <dirent.h>
#include <errno.h>
#include <libeconf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config-files.h"
#include "util.h"

/* Weakest first. */
static const char *const directories[] = { "usr/lib/tdxupd", "run/tdxupd", "etc/tdxupd" };

#define MAIN_FILE   "tdxupd.conf"
#define DROP_IN_DIR "tdxupd.conf.d"
#define SUFFIX      ".conf"

#define UNSAFE "somebody else than root could have written it"

/* A drop-in's name, and the strongest directory that has it. */
struct drop_in {
	char *name;
	size_t directory;
};

struct drop_ins {
	size_t count;
	struct drop_in *items;
};

static void drop_ins_done(struct drop_ins *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

void config_lines_done(struct config_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->items[i].file);
		free(lines->items[i].group);
		free(lines->items[i].key);
		free(lines->items[i].value);
	}
	free(lines->items);
	*lines = (struct config_lines){ 0 };
}

static int fail(int error, char **ret_why, const char *path, uint64_t line,
		const char *text)
{
	char *why = NULL;
	int n;

	n = line ? asprintf(&why, "%s:%llu: %s", path, (unsigned long long)line, text)
		 : asprintf(&why, "%s: %s", path, text);
	if (n < 0)
		return -ENOMEM;
	*ret_why = why;
	return error;
}

static int add_line(struct config_lines *lines, const char *file, const char *group,
		    const char *key, const char *value)
{
	struct config_line *items;
	struct config_line *line;

	items = reallocarray(lines->items, lines->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	lines->items = items;
	line = &items[lines->count++];
	*line = (struct config_line){
		.file = strdup(file),
		.group = group ? strdup(group) : NULL,
		.key = strdup(key),
		.value = strdup(value ? value : ""),
	};
	if (!line->file || !line->key || !line->value || (group && !line->group))
		return -ENOMEM;
	return 0;
}

static int read_group(econf_file *file, const char *path, const char *group,
		      struct config_lines *lines)
{
	size_t count = 0;
	char **keys = NULL;
	econf_err e;
	int r = 0;

	e = econf_getKeys(file, group, &count, &keys);
	if (e == ECONF_NOKEY)
		return 0;
	if (e)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		_cleanup_(cleanup_free)
		char *value = NULL;

		if (econf_getStringValue(file, group, keys[i], &value) != ECONF_SUCCESS)
			r = -ENOMEM;
		else
			r = add_line(lines, path, group, keys[i], value);
	}
	econf_freeArray(keys);
	return r;
}

static int read_groups(econf_file *file, const char *path, struct config_lines *lines)
{
	size_t count = 0;
	char **groups = NULL;
	econf_err e;
	int r;

	r = read_group(file, path, NULL, lines);
	if (r < 0)
		return r;
	e = econf_getGroups(file, &count, &groups);
	if (e == ECONF_NOGROUP)
		return 0;
	if (e)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = read_group(file, path, groups[i], lines);
	econf_freeArray(groups);
	return r;
}

/* Root's or our own, and nobody else can write it: as with images, whoever could change
 * it would decide what is loaded. */
static bool is_safe(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int check_directory(const char *path, char **ret_why)
{
	_cleanup_(cleanup_free)
	char *directory = realpath(path, NULL);
	char *slash = directory ? strrchr(directory, '/') : NULL;
	struct stat st;

	if (!slash)
		return errno == ENOMEM ? -ENOMEM
				       : fail(-errno, ret_why, path, 0, strerror(errno));
	/* Where the file is, not where a link to it is. */
	slash[slash == directory] = '\0';
	if (stat(directory, &st) < 0)
		return fail(-errno, ret_why, directory, 0, strerror(errno));
	if (!is_safe(&st))
		return fail(-EBADMSG, ret_why, directory, 0, UNSAFE);
	return 0;
}

/* A file of another kind than a plain one or /dev/null (a mask) would be read as empty.
 */
static int check_file(const char *path, char **ret_why)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fail(-errno, ret_why, path, 0, strerror(errno));
	if (S_ISCHR(st.st_mode))
		return 0; /* /dev/null: all may write there, and nothing comes of it */
	if (!S_ISREG(st.st_mode))
		return fail(-EBADMSG, ret_why, path, 0, "not a file");
	if (!is_safe(&st))
		return fail(-EBADMSG, ret_why, path, 0, UNSAFE);
	return check_directory(path, ret_why);
}

static int read_file(const char *path, struct config_lines *lines, char **ret_why)
{
	econf_file *file = NULL;
	econf_err e;
	int r;

	r = check_file(path, ret_why);
	if (r < 0)
		return r;
	e = econf_readFile(&file, path, "=", "#;");
	if (e) {
		char *name = NULL;
		uint64_t line = 0;

		econf_errLocation(&name, &line);
		free(name);
		if (e == ECONF_NOMEM)
			return -ENOMEM;
		return fail(-EBADMSG, ret_why, path, line, econf_errString(e));
	}
	r = read_groups(file, path, lines);
	econf_freeFile(file);
	return r;
}

static int read_main_file(const char *root, struct config_lines *lines, char **ret_why)
{
	for (size_t i = ARRAY_SIZE(directories); i-- > 0;) {
		_cleanup_(cleanup_free)
		char *path = NULL;

		if (asprintf(&path, "%s/%s/" MAIN_FILE, root, directories[i]) < 0)
			return -ENOMEM;
		if (access(path, F_OK) == 0)
			return read_file(path, lines, ret_why);
		if (errno != ENOENT && errno != ENOTDIR)
			return fail(-errno, ret_why, path, 0, strerror(errno));
	}
	return 0;
}

static int add_drop_in(struct drop_ins *list, const char *name, size_t directory)
{
	struct drop_in *items;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0) {
			list->items[i].directory = directory;
			return 0;
		}
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count].name = strdup(name);
	items[list->count].directory = directory;
	return items[list->count++].name ? 0 : -ENOMEM;
}

static int find_drop_ins(const char *path, size_t directory, struct drop_ins *list,
			 char **ret_why)
{
	DIR *dir = opendir(path);
	int r = 0;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return fail(-errno, ret_why, path, 0, strerror(errno));
	for (;;) {
		struct dirent *entry;
		size_t length;

		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			if (errno)
				r = fail(-errno, ret_why, path, 0, strerror(errno));
			break;
		}
		length = strlen(entry->d_name);
		if (entry->d_name[0] == '.' || length <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		r = add_drop_in(list, entry->d_name, directory);
		if (r < 0)
			break;
	}
	closedir(dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct drop_in *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_drop_ins(const char *root, struct config_lines *lines, char **ret_why)
{
	_cleanup_(drop_ins_done)
	struct drop_ins list = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		_cleanup_(cleanup_free)
		char *path = NULL;

		if (asprintf(&path, "%s/%s/" DROP_IN_DIR, root, directories[i]) < 0)
			return -ENOMEM;
		r = find_drop_ins(path, i, &list, ret_why);
		if (r < 0)
			return r;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_name);
	for (size_t i = 0; i < list.count; i++) {
		_cleanup_(cleanup_free)
		char *path = NULL;

		if (asprintf(&path, "%s/%s/" DROP_IN_DIR "/%s", root,
			     directories[list.items[i].directory],
			     list.items[i].name) < 0)
			return -ENOMEM;
		r = read_file(path, lines, ret_why);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_files_read(const char *root, struct config_lines *ret, char **ret_why)
{
	_cleanup_(config_lines_done)
	struct config_lines lines = { 0 };
	const char *prefix = strcmp(root, "/") == 0 ? "" : root;
	int r;

	/* Without it libeconf takes the first of several assignments and hides the rest,
	 * so that one of two `Blocked=` lines would be lost. It offers no other switch.
	 */
	if (setenv("ECONF_JOIN_SAME_ENTRIES", "1", 1) < 0)
		return -errno;
	r = read_main_file(prefix, &lines, ret_why);
	if (r == 0)
		r = read_drop_ins(prefix, &lines, ret_why);
	if (r < 0)
		return r;
	*ret = lines;
	lines = (struct config_lines){ 0 };
	return 0;
}
