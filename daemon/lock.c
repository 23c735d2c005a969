// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One writer a machine. The kernel's upload files have no owner: two writers share one
 * buffer, and a `1` from anyone drops what the other has staged.
 *
 * A file in /run is what people and `guard` know, and is not enough: a container has a
 * /run of its own beside the machine's kernel, and a clean-up tool may remove the file
 * under its holder. So the directory of a file system is locked, too, of which the kernel
 * has one and no more, whatever namespaces whoever opens it is in: tracefs and debugfs
 * are such (get_tree_single()), sysfs, procfs and cgroup2 are not (one for each namespace
 * of networks, processes, cgroups). Both are root's alone, so that no user shuts updates
 * out, as with a descriptor of a namespace (nsfs, one as well), and nobody can remove
 * them. The device's own directory is added for two in one namespace where neither is
 * there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "io.h"
#include "lock.h"
#include "util.h"

/* A file that is removed and made anew all the time is somebody's attack. */
#define ATTEMPTS_MAX 16

/* The last two may be one as the first, and then are taken once. */
static const char *const objects[LOCK_OBJECTS] = {
	"sys/kernel/tracing",
	"sys/kernel/debug",
	"sys/kernel/debug/tracing",
	"sys/devices/faux/tdx_host",
};

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

void lock_mark(const struct lock *lock, uint64_t until_usec)
{
	char text[LOCK_TEXT_BYTES];
	int length = snprintf(text, sizeof(text), UNTIL_FORMAT, until_usec);

	(void)!pwrite(lock->fd, text, (size_t)length, PID_BYTES);
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

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int try_flock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* ---- the file ---- */

/* Return: whether @fd is still what has the name; a negative errno. */
static int has_name(int dir, int fd)
{
	struct stat held, named;

	if (fstat(fd, &held) < 0)
		return -errno;
	if (fstatat(dir, "lock", &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return is_same_file(&held, &named);
}

static int take_file(int dir, int *ret_fd)
{
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		_cleanup_(cleanup_close)
		int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				0600);
		int r;

		if (fd < 0)
			return -errno;
		r = try_flock(fd);
		if (r == 0)
			r = has_name(dir, fd);
		if (r < 0)
			return r;
		/* Removed between the two. */
		if (r == 0)
			continue;
		if (ftruncate(fd, 0) < 0 || dprintf(fd, PID_FORMAT, (int)getpid()) < 0)
			return -errno;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return -EBUSY;
}

/* ---- what the machine has one of ---- */

static bool is_of_kind(int fd, long kind)
{
	struct statfs statfs;

	return fstatfs(fd, &statfs) == 0 && (long)statfs.f_type == kind;
}

/* The same by another path: a second lock on it would be in the way of the first. */
static bool is_held(const struct lock *lock, size_t count, int fd)
{
	struct stat new, old;

	if (fstat(fd, &new) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (lock->objects[i] >= 0 && fstat(lock->objects[i], &old) == 0 &&
		    is_same_file(&new, &old))
			return true;
	return false;
}

/* A directory that stands for a machine, and not for a real one, has no kernel of its
 * own.
 */
static bool is_real(int root_fd)
{
	_cleanup_(cleanup_close)
	int fd = openat(root_fd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && is_of_kind(fd, SYSFS_MAGIC);
}

static int take_objects(int root_fd, struct lock *lock)
{
	bool is_alone = false;

	for (size_t i = 0; i < LOCK_OBJECTS; i++) {
		_cleanup_(cleanup_close)
		int fd = openat(root_fd, objects[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r;

		if (fd < 0 || is_held(lock, i, fd))
			continue;
		r = try_flock(fd);
		if (r < 0)
			return r;
		is_alone = is_alone || is_of_kind(fd, TRACEFS_MAGIC) ||
			   is_of_kind(fd, DEBUGFS_MAGIC);
		lock->objects[i] = TAKE_FD(fd);
	}
	return is_alone || !is_real(root_fd) ? 0 : -ENOLCK;
}

/* ---- the whole ---- */

const char *lock_explain(int error)
{
	if (error == -EWOULDBLOCK)
		return "another tdxupd works on this machine";
	if (error == -ENOLCK)
		return "neither tracefs nor debugfs is there, so nothing tells whether "
		       "another tdxupd works on this machine, in a container or outside; "
		       "mount tracefs on /sys/kernel/tracing";
	return NULL;
}

void lock_init(struct lock *lock)
{
	lock->fd = -1;
	for (size_t i = 0; i < LOCK_OBJECTS; i++)
		lock->objects[i] = -1;
}

/* Closing is not enough where a worker has just been made. */
static void unlock(int fd)
{
	if (fd < 0)
		return;
	(void)flock(fd, LOCK_UN);
	close(fd);
}

void lock_release(struct lock *lock)
{
	unlock(lock->fd);
	for (size_t i = 0; i < LOCK_OBJECTS; i++)
		unlock(lock->objects[i]);
	lock_init(lock);
}

int lock_take(int root_fd, struct lock *ret)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	struct lock lock;
	int r;

	lock_init(&lock);
	r = open_run_dir(root_fd, &dir);
	if (r == 0)
		r = take_file(dir, &lock.fd);
	if (r == 0)
		r = take_objects(root_fd, &lock);
	if (r < 0) {
		lock_release(&lock);
		return r;
	}
	lock_mark(&lock, 0);
	*ret = lock;
	return 0;
}

int lock_keep(int root_fd, struct lock *lock)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	int fd = -1;
	int r;

	r = open_run_dir(root_fd, &dir);
	if (r == 0)
		r = has_name(dir, lock->fd);
	if (r != 0)
		return r < 0 ? r : 0;
	r = take_file(dir, &fd);
	if (r < 0)
		return r;
	close(lock->fd);
	lock->fd = fd;
	lock_mark(lock, 0);
	return 0;
}
