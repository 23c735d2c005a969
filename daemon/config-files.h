/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CONFIG_FILES_H
#define DAEMON_CONFIG_FILES_H

#include <stddef.h>

/* One assignment of one file. */
struct config_line {
	char *file;
	char *group; /* NULL before the first [group] */
	char *key;
	char *value; /* "" for an empty assignment */
};

struct config_lines {
	size_t count;
	struct config_line *items;
};

/*
 * All assignments that count, weakest first: the main file of the strongest directory,
 * then the drop-ins of all directories by name, a name in a stronger directory hiding the
 * same name in a weaker one.
 *
 * A key that a file repeats comes once, its values joined by newlines.
 *
 * Return: 0; -EBADMSG with @ret_why "FILE:LINE: trouble"; -ENOMEM; another errno with
 * @ret_why.
 */
int config_files_read(const char *root, struct config_lines *ret, char **ret_why);
void config_lines_done(struct config_lines *lines);

#endif
