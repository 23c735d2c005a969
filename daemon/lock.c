// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One writer a host. The kernel's upload files have no owner: two writers share one
 * buffer, and a `1` from anyone drops what the other has staged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lock.h"
#include "util.h"

/* Creates run/tdxupd where systemd-tmpfiles has not; run itself is never missing on a
 * host, but is in a test's root. */
static int open_run_dir(int root_fd, int *ret_fd)
{
	int fd;

	if (mkdirat(root_fd, "run", 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdirat(root_fd, "run/tdxupd", 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(root_fd, "run/tdxupd",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int lock_take(int root_fd, int *ret_fd)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	_cleanup_(cleanup_close)
	int fd = -1;
	int r;

	r = open_run_dir(root_fd, &dir);
	if (r < 0)
		return r;
	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	/* For whoever wonders; nothing reads it back. */
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
