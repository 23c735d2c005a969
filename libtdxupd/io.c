// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The only part of the library that touches files, all of them below the descriptor of a
 * root directory; here the kernel's attributes, in io-file data files. What the bytes
 * mean is decided elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"
#include "util.h"

#define OPENS_MAX 64 /* who renames all the time shall not keep us for ever */

int io_open(int root_fd, const char *path, int open_flags)
{
	struct open_how how = {
		/* openat2() takes no flag that O_PATH has no use for. */
		.flags = (uint64_t)(open_flags | O_CLOEXEC |
				    (open_flags & O_PATH ? 0 : O_NOCTTY)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (root_fd < 0 || !path)
		return -EINVAL;
	for (unsigned tries = 0; tries < OPENS_MAX; tries++) {
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: a rename on the way, so the kernel could not judge "..". */
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	return errno == ENOENT || errno == ENOTDIR ? -ENODATA : -errno;
}

bool io_is_present(int root_fd, const char *path)
{
	_cleanup_(cleanup_close)
	int fd = io_open(root_fd, path, O_PATH);

	return fd >= 0;
}

/* ---- attributes ---- */

/* From @offset, or where it stands in what can't be sought in. */
static ssize_t read_at(int fd, char *ret, size_t size, off_t offset)
{
	ssize_t n;

	do {
		n = pread(fd, ret, size, offset);
		if (n < 0 && errno == ESPIPE)
			n = read(fd, ret, size);
	} while (n < 0 && errno == EINTR);
	return n;
}

int io_read_text_fd(int fd, char *ret, size_t size)
{
	char extra;
	ssize_t n;

	if (fd < 0 || !ret || !size)
		return -EINVAL;
	n = read_at(fd, ret, size - 1, 0);
	if (n < 0)
		return -errno;
	if (memchr(ret, '\0', (size_t)n))
		return -EBADMSG;
	if ((size_t)n == size - 1 && read_at(fd, &extra, 1, n) != 0)
		return -EBADMSG;
	if (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	return 0;
}

int io_read_text(int root_fd, const char *path, char *ret, size_t size)
{
	_cleanup_(cleanup_close)
	int fd = io_open(root_fd, path, O_RDONLY | O_NONBLOCK);
	_cleanup_(cleanup_free)
	char *text = NULL;
	int rc;

	if (fd < 0)
		return fd;
	if (!ret || !size)
		return -EINVAL;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	rc = io_read_text_fd(fd, text, size);
	if (rc < 0)
		return rc;
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

int io_write_text_fd(int fd, const char *text)
{
	size_t length;
	ssize_t n;

	if (fd < 0 || !text)
		return -EINVAL;
	length = strlen(text);
	do {
		n = pwrite(fd, text, length, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

int io_write_text(int root_fd, const char *path, const char *text)
{
	_cleanup_(cleanup_close)
	int fd = io_open(root_fd, path, O_WRONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	return io_write_text_fd(fd, text);
}

int io_write_all_fd(int fd, const void *bytes, size_t count)
{
	size_t done = 0;

	if (fd < 0 || (!bytes && count))
		return -EINVAL;
	while (done < count) {
		ssize_t n = pwrite(fd, (const uint8_t *)bytes + done, count - done,
				   (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

const char *io_strerror(int rc)
{
	switch (rc) {
	case -EPERM:
		return "others than root can write it or a directory above it";
	case -EXDEV:
		return "a symbolic link that leaves the directory";
	case -EBADFD:
		return "no regular file";
	case -EFBIG:
		return "too big";
	case -ENODATA:
		return "not there";
	case -EBADMSG:
		return "no text of the expected length";
	default:
		return strerrordesc_np(rc < 0 ? -rc : rc);
	}
}
