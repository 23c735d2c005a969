// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One writer a host. The kernel's upload files have no owner: two writers share one
 * buffer, and a `1` from anyone drops what the other has staged.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "io.h"
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

/* Of one length each, so that the file is whole for whoever reads it. */
#define PID_FORMAT   "%-10d "
#define PID_BYTES    11
#define UNTIL_FORMAT "%20" PRIu64 "\n"

void lock_mark(int fd, uint64_t until_usec)
{
	char text[LOCK_TEXT_BYTES];
	int length = snprintf(text, sizeof(text), UNTIL_FORMAT, until_usec);

	(void)!pwrite(fd, text, (size_t)length, PID_BYTES);
}

bool lock_is_kernel_updating(int root_fd)
{
	char status[32];

	/* "receiving" is committed, too: its worker has not begun yet
	 * (fw_upload_start()). */
	return io_read_text(root_fd, "sys/class/firmware/tdx_module/status", status,
			    sizeof(status)) == 0 &&
	       strcmp(status, "idle") != 0;
}

bool lock_is_committing(int root_fd, uint64_t now_usec)
{
	char text[LOCK_TEXT_BYTES];
	uint64_t until;

	return io_read_text(root_fd, LOCK_PATH, text, sizeof(text)) == 0 &&
	       sscanf(text, "%*d %" SCNu64, &until) == 1 && now_usec < until;
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
	if (ftruncate(fd, 0) < 0 || dprintf(fd, PID_FORMAT, (int)getpid()) < 0)
		return -errno;
	lock_mark(fd, 0);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
