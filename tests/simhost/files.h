/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FILES_H
#define FILES_H

#include <sys/types.h>

#include "host.h"

/*
 * struct file - one file of the host
 * @path: below the root, no leading slash
 * @target: a symlink's text; then the rest is not used
 * @is_there: whether this host has it; NULL: always
 * @show: the text of a whole read; 0 or -errno
 * @store: one write of text; 0 or -errno
 * @read, @write: for binary files; bytes or -errno
 * @needs_rawio: writing takes CAP_SYS_RAWIO
 * @event: what counts its notifications, as sysfs_notify() and cgroup_file_notify() make
 *	them; NULL: there are none
 * @has_input: for poll, whether a read would give something; NULL: always
 */
struct file {
	const char *path;
	mode_t mode;
	const char *target;
	bool (*is_there)(const struct host *host);
	int (*show)(struct host *host, FILE *text);
	int (*store)(struct host *host, const char *text);
	ssize_t (*read)(struct host *host, void *ret, size_t count, size_t offset);
	ssize_t (*write)(struct host *host, const void *bytes, size_t count,
			 size_t offset);
	bool needs_rawio;
	unsigned (*event)(const struct host *host);
	bool (*has_input)(const struct host *host);
};

/* With the lock of @host held. NULL: no such file on this host, but see files_is_dir().
 */
const struct file *files_find(const struct host *host, const char *path);
bool files_is_dir(const struct host *host, const char *path);
/* Calls @found with the names in the directory @path, each once. */
void files_list(const struct host *host, const char *path,
		void (*found)(void *userdata, const char *name), void *userdata);

/* A whole read: 0 and newly allocated text, or -errno. */
int files_show(struct host *host, const struct file *file, char **ret, size_t *ret_bytes);
/* One write() of sysfs, which takes at most a page: bytes taken or -errno. */
ssize_t files_write(struct host *host, const struct file *file, const char *bytes,
		    size_t count, size_t offset);

#endif
