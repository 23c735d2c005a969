// SPDX-License-Identifier: LGPL-2.1-or-later
/* /var/lib/tdxupd: what is in it decides what the daemon does, so it is root's alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "state-dir.h"
#include "util.h"

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
