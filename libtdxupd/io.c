// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The only part of the library that touches files: attributes of the kernel and data
 * files, all below the descriptor of a root directory. What the bytes mean is decided
 * elsewhere; whether they may be trusted is decided here only as far as file modes tell.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"
#include "util.h"

#define FILE_BYTES_FIRST  4096 /* procfs tells no size; mostly enough */
#define SYMLINKS_MAX      8    /* in a row, inside one directory */
#define DIRECTORY_UPS_MAX 64   /* depth of a directory that is still looked at */
#define NAMES_FIRST       64

static int open_below(int root_fd, const char *path, int open_flags)
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
	do {
		/* -EAGAIN: something was renamed on the way, so ".." could not be judged.
		 */
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd >= 0)
		return (int)fd;
	return errno == ENOENT || errno == ENOTDIR ? -ENODATA : -errno;
}

int io_open(int root_fd, const char *path, int open_flags)
{
	return open_below(root_fd, path, open_flags);
}

bool io_is_present(int root_fd, const char *path)
{
	_cleanup_(cleanup_close)
	int fd = open_below(root_fd, path, O_PATH);

	return fd >= 0;
}

/* ---- what only root could have written ---- */

/* A sticky directory that all may write (/tmp) is no place for images either. */
static bool is_roots_own(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Look at the directory and at all above it up to the root directory. Going up from the
 * opened directory and not down along its name leaves no moment in which somebody could
 * exchange a part of the name: whatever the name led to, this is where the files are.
 */
static int check_safe_dir(int root_fd, int dir_fd)
{
	_cleanup_(cleanup_close)
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	struct stat root, st;

	if (fd < 0 || fstat(root_fd, &root) < 0)
		return -errno;
	for (unsigned i = 0; i < DIRECTORY_UPS_MAX; i++) {
		struct stat above;
		int up;

		if (fstat(fd, &st) < 0)
			return -errno;
		if (!is_roots_own(&st))
			return -EPERM;
		if (is_same_file(&st, &root))
			return 0;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return -errno;
		close(fd);
		fd = up;
		if (fstat(fd, &above) < 0)
			return -errno;
		if (is_same_file(&st, &above))
			return 0; /* the machine's own root */
	}
	return -ELOOP;
}

int io_open_dir(int root_fd, const char *path, unsigned flags)
{
	_cleanup_(cleanup_close)
	int fd = open_below(root_fd, path, O_RDONLY | O_DIRECTORY);
	int rc;

	if (fd < 0)
		return fd;
	if (flags & IO_REQUIRE_SAFE) {
		rc = check_safe_dir(root_fd, fd);
		if (rc < 0)
			return rc;
	}
	return TAKE_FD(fd);
}

/*
 * Open @name, following symlinks by hand and only to names in the same directory: then
 * every step is a look-up in a directory that has been judged.
 */
static int open_inside(int dir_fd, const char *name)
{
	char target[NAME_MAX + 2];

	for (unsigned i = 0; i < SYMLINKS_MAX; i++) {
		ssize_t length;
		int fd;

		if (strchr(name, '/') || strcmp(name, "..") == 0)
			return -EXDEV;
		fd = openat(dir_fd, name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != ELOOP)
			return errno == ENOENT ? -ENODATA : -errno;
		length = readlinkat(dir_fd, name, target, sizeof(target));
		if (length < 0)
			return -errno;
		if (length == (ssize_t)sizeof(target))
			return -EXDEV; /* too long for a file name: a path */
		target[length] = '\0';
		name = target;
	}
	return -ELOOP;
}

/* ---- reading ---- */

int io_read_text_fd(int fd, char *ret, size_t size)
{
	char extra;
	ssize_t n;

	if (fd < 0 || !ret || !size)
		return -EINVAL;
	do {
		n = pread(fd, ret, size - 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (memchr(ret, '\0', (size_t)n))
		return -EBADMSG;
	if ((size_t)n == size - 1 && pread(fd, &extra, 1, n) != 0)
		return -EBADMSG;
	if (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	return 0;
}

int io_read_text(int root_fd, const char *path, char *ret, size_t size)
{
	_cleanup_(cleanup_close)
	int fd = open_below(root_fd, path, O_RDONLY | O_NONBLOCK);
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

/* Read up to the end whatever st_size says: procfs says 0, and a file may be growing. */
static int read_to_end(int fd, size_t max_bytes, size_t first_bytes, uint8_t **ret,
		       size_t *ret_bytes)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t size = first_bytes, used = 0;

	for (;;) {
		uint8_t *more;
		ssize_t n;

		if (!bytes || used == size) {
			/* One byte above the maximum tells "too big" from "just fits". */
			if (bytes)
				size = size * 2;
			if (size > max_bytes + 1)
				size = max_bytes + 1;
			more = realloc(bytes, size + 1);
			if (!more)
				return -ENOMEM;
			bytes = more;
		}
		n = read(fd, bytes + used, size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max_bytes)
			return -EFBIG;
	}
	bytes[used] = '\0';
	*ret = TAKE_PTR(bytes);
	*ret_bytes = used;
	return 0;
}

static int read_regular(int fd, size_t max_bytes, unsigned flags, uint8_t **ret,
			size_t *ret_bytes)
{
	struct stat st;
	size_t first = FILE_BYTES_FIRST;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EBADFD;
	if ((flags & IO_REQUIRE_SAFE) && !is_roots_own(&st))
		return -EPERM;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max_bytes)
		return -EFBIG;
	if (st.st_size > 0)
		first = (size_t)st.st_size + 1;
	return read_to_end(fd, max_bytes, first, ret, ret_bytes);
}

int io_read_file(int root_fd, const char *path, size_t max_bytes, uint8_t **ret,
		 size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int fd = open_below(root_fd, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	if (!ret || !ret_bytes || max_bytes >= SIZE_MAX / 4)
		return -EINVAL;
	return read_regular(fd, max_bytes, 0, ret, ret_bytes);
}

int io_read_file_in(int dir_fd, const char *name, size_t max_bytes, unsigned flags,
		    uint8_t **ret, size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	struct stat st;

	if (dir_fd < 0 || !name || !*name || strchr(name, '/') || !ret || !ret_bytes ||
	    max_bytes >= SIZE_MAX / 4)
		return -EINVAL;
	/* Opening a device can do something: look first. Who can put one there between
	 * these two lines needs no trick. */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EBADFD;
	if (flags & IO_REQUIRE_SAFE)
		fd = open_inside(dir_fd, name);
	else
		fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return flags & IO_REQUIRE_SAFE ? fd : errno == ENOENT ? -ENODATA : -errno;
	return read_regular(fd, max_bytes, flags, ret, ret_bytes);
}

/* ---- directories ---- */

char **io_free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
	return NULL;
}

DEFINE_CLEANUP(DIR, closedir, closedir)
DEFINE_CLEANUP(char *, names, io_free_names)

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keeps a NULL behind the last name, so that half a list can be freed. */
static int append_name(char ***names, size_t *count, size_t *size, const char *name)
{
	if (*count + 1 >= *size) {
		size_t more = *size ? *size * 2 : NAMES_FIRST;
		char **grown = reallocarray(*names, more, sizeof(**names));

		if (!grown)
			return -ENOMEM;
		*names = grown;
		*size = more;
	}
	(*names)[*count + 1] = NULL;
	(*names)[*count] = strdup(name);
	if (!(*names)[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

int io_list(int dir_fd, char ***ret, size_t *ret_count)
{
	_cleanup_(cleanup_closedir)
	DIR *dir = NULL;
	_cleanup_(cleanup_names)
	char **names = calloc(1, sizeof(*names));
	size_t count = 0, size = 1;
	int fd;

	if (dir_fd < 0 || !ret || !ret_count)
		return -EINVAL;
	if (!names)
		return -ENOMEM;
	/* A descriptor of its own: closedir() closes it, and its position is its own. */
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (;;) {
		struct dirent *entry;
		int rc;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return -errno;
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		rc = append_name(&names, &count, &size, entry->d_name);
		if (rc < 0)
			return rc;
	}
	qsort(names, count, sizeof(*names), compare_names);
	*ret = TAKE_PTR(names);
	*ret_count = count;
	return 0;
}

/* ---- writing ---- */

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
	int fd = open_below(root_fd, path, O_WRONLY | O_NONBLOCK);

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
