// SPDX-License-Identifier: LGPL-2.1-or-later
/* /var/lib/tdxupd: what is in it decides what the daemon does, so it is root's alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "io.h"
#include "state-dir.h"
#include "util.h"

#define NAME_BYTES 64

int state_dir_check(int fd, mode_t kind)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != kind || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return 0;
}

static int open_below(int fd, const char *name, bool may_make, int *ret)
{
	int r;

	if (may_make && mkdirat(fd, name, 0755) < 0 && errno != EEXIST && errno != EROFS)
		return -errno;
	r = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r < 0)
		return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
	*ret = r;
	return 0;
}

static int open_all(int root_fd, bool may_make, int *ret_fd)
{
	_cleanup_(cleanup_close)
	int var = -1;
	_cleanup_(cleanup_close)
	int lib = -1;
	_cleanup_(cleanup_close)
	int dir = -1;
	int r;

	r = open_below(root_fd, "var", may_make, &var);
	if (r == 0)
		r = open_below(var, "lib", may_make, &lib);
	if (r == 0)
		r = open_below(lib, "tdxupd", may_make, &dir);
	if (r == 0)
		r = state_dir_check(dir, S_IFDIR);
	if (r == 0)
		*ret_fd = TAKE_FD(dir);
	return r;
}

int state_dir_open(int root_fd, int *ret_fd)
{
	return open_all(root_fd, true, ret_fd);
}

int state_dir_find(int root_fd, int *ret_fd)
{
	return open_all(root_fd, false, ret_fd);
}

/* ---- small files ---- */

int state_dir_read(int root_fd, const char *name, size_t max_bytes, uint8_t **ret,
		   size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	_cleanup_(cleanup_close)
	int fd = -1;
	int r = state_dir_find(root_fd, &dir);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = state_dir_check(fd, S_IFREG);
	return r < 0 ? r : io_read_file_in(dir, name, max_bytes, 0, ret, ret_bytes);
}

static int write_new(int dir, const char *name, const char *text)
{
	_cleanup_(cleanup_close)
	int fd = -1;

	(void)unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", text) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int state_dir_write(int root_fd, const char *name, const char *text)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	char new_name[NAME_BYTES];
	int r = state_dir_open(root_fd, &dir);

	snprintf(new_name, sizeof(new_name), "%s.new", name);
	if (r == 0)
		r = write_new(dir, new_name, text);
	if (r < 0)
		return r;
	if (renameat(dir, new_name, dir, name) < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}

int state_dir_drop(int root_fd, const char *name)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	int r = state_dir_find(root_fd, &dir);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) < 0 ? -errno : 0;
}
