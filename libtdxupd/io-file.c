// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Data files and their directories: read whole, once and bounded. Whether they may be
 * trusted is decided here only as far as owners and modes tell.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "util.h"

#define FILE_BYTES_FIRST  4096 /* procfs tells no size; mostly enough */
#define SYMLINKS_MAX      8    /* in a row, inside one directory */
#define DIRECTORY_UPS_MAX 64   /* depth of a directory that is still looked at */
#define NAMES_FIRST       64

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
	int fd = io_open(root_fd, path, O_RDONLY | O_DIRECTORY);
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
	char target[NAME_MAX + 1], text[NAME_MAX + 2];

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
		length = readlinkat(dir_fd, name, text, sizeof(text));
		if (length < 0)
			return -errno;
		if (length > NAME_MAX)
			return -EXDEV; /* too long for a file name: a path */
		memcpy(target, text, (size_t)length);
		target[length] = '\0';
		name = target;
	}
	return -ELOOP;
}

/* ---- whole files ---- */

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

/* Return: 0, or why this is no file to read. */
static int check_regular(int fd, unsigned flags, struct stat *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EBADFD;
	if ((flags & IO_REQUIRE_SAFE) && !is_roots_own(&st))
		return -EPERM;
	*ret = st;
	return 0;
}

int io_read_file_fd(int fd, size_t max_bytes, uint8_t **ret, size_t *ret_bytes)
{
	struct stat st;
	size_t first = FILE_BYTES_FIRST;
	int rc;

	if (!ret || !ret_bytes || max_bytes >= SIZE_MAX / 4)
		return -EINVAL;
	rc = check_regular(fd, 0, &st);
	if (rc < 0)
		return rc;
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
	int fd = io_open(root_fd, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return fd;
	return io_read_file_fd(fd, max_bytes, ret, ret_bytes);
}

int io_open_file_in(int dir_fd, const char *name, unsigned flags)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	struct stat st;
	int rc;

	if (dir_fd < 0 || !name || !*name || strchr(name, '/'))
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
	rc = check_regular(fd, flags, &st);
	return rc < 0 ? rc : TAKE_FD(fd);
}

int io_read_file_in(int dir_fd, const char *name, size_t max_bytes, unsigned flags,
		    uint8_t **ret, size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int fd = io_open_file_in(dir_fd, name, flags);

	if (fd < 0)
		return fd;
	return io_read_file_fd(fd, max_bytes, ret, ret_bytes);
}

/* In one step, so that a reader finds the old file or the new one and never a half. */
int io_replace_file_in(int dir_fd, const char *name, const void *bytes, size_t count)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	char draft[NAME_MAX + 1];
	int rc;

	if (snprintf(draft, sizeof(draft), ".%s.%d", name, getpid()) >=
	    (int)sizeof(draft))
		return -EINVAL;
	(void)unlinkat(dir_fd, draft, 0);
	fd = openat(dir_fd, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	rc = io_write_all_fd(fd, bytes, count);
	/* Whatever the umask is. */
	if (rc == 0 && fchmod(fd, 0644) < 0)
		rc = -errno;
	if (rc == 0 && renameat(dir_fd, draft, dir_fd, name) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlinkat(dir_fd, draft, 0);
	return rc;
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

struct names {
	char **names;
	size_t count;
	size_t size;
};

static void names_done(struct names *names)
{
	io_free_names(names->names);
}

static int open_listing(int dir_fd, DIR **ret)
{
	/* A descriptor of its own: closedir() closes it, and its position is its own. */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (!*ret) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

static bool is_folder(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* @folders: NULL where all go into one list. */
static int fill_lists(int dir_fd, DIR *dir, struct names *files, struct names *folders)
{
	for (;;) {
		struct names *to = files;
		struct dirent *entry;
		int rc;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (folders && is_folder(dir_fd, entry))
			to = folders;
		rc = append_name(&to->names, &to->count, &to->size, entry->d_name);
		if (rc < 0)
			return rc;
	}
}

static int list_names(int dir_fd, struct names *files, struct names *folders)
{
	_cleanup_(cleanup_closedir)
	DIR *dir = NULL;
	int rc;

	files->names = calloc(1, sizeof(*files->names));
	files->size = 1;
	if (folders) {
		folders->names = calloc(1, sizeof(*folders->names));
		folders->size = 1;
	}
	if (!files->names || (folders && !folders->names))
		return -ENOMEM;
	rc = open_listing(dir_fd, &dir);
	if (rc == 0)
		rc = fill_lists(dir_fd, dir, files, folders);
	if (rc < 0)
		return rc;
	qsort(files->names, files->count, sizeof(*files->names), compare_names);
	if (folders)
		qsort(folders->names, folders->count, sizeof(*folders->names),
		      compare_names);
	return 0;
}

int io_list(int dir_fd, char ***ret, size_t *ret_count)
{
	_cleanup_(names_done)
	struct names files = {};
	int rc;

	if (dir_fd < 0 || !ret || !ret_count)
		return -EINVAL;
	rc = list_names(dir_fd, &files, NULL);
	if (rc < 0)
		return rc;
	*ret_count = files.count;
	*ret = TAKE_PTR(files.names);
	return 0;
}

int io_list_kinds(int dir_fd, char ***ret_files, size_t *ret_file_count,
		  char ***ret_folders, size_t *ret_folder_count)
{
	_cleanup_(names_done)
	struct names files = {};
	_cleanup_(names_done)
	struct names folders = {};
	int rc = list_names(dir_fd, &files, &folders);

	if (rc < 0)
		return rc;
	*ret_file_count = files.count;
	*ret_files = TAKE_PTR(files.names);
	*ret_folder_count = folders.count;
	*ret_folders = TAKE_PTR(folders.names);
	return 0;
}

int io_open_folder_in(int dir_fd, const char *name, unsigned flags)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	struct stat st;

	if (strchr(name, '/') || strcmp(name, "..") == 0)
		return -EINVAL;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((flags & IO_REQUIRE_SAFE) && !is_roots_own(&st))
		return -EPERM;
	return TAKE_FD(fd);
}
