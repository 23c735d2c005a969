// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files of an images directory: a few folders deep, as a clone of Intel's repository
 * has them, never through a symlink to a folder, and never out of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog-files.h"
#include "io.h"
#include "util.h"

DEFINE_CLEANUP(char *, names, io_free_names)

static bool is_relative_path(const char *path)
{
	unsigned depth = 0;

	if (!*path || *path == '/' || strlen(path) >= FILES_PATH_MAX)
		return false;
	for (const char *part = path;; part += strcspn(part, "/") + 1) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
		    (length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (!part[length])
			return true;
		if (++depth > FILES_DEPTH_MAX)
			return false;
	}
}

bool files_is_stored(const char *path)
{
	return strncmp(path, STORE_DIR "/", strlen(STORE_DIR "/")) == 0 &&
	       is_relative_path(path + strlen(STORE_DIR "/"));
}

bool files_is_path(const char *path)
{
	return files_is_stored(path) || is_relative_path(path);
}

/* ---- listing ---- */

struct listing {
	unsigned io_flags;
	size_t max;
	size_t count;
	char **paths;
};

static void listing_done(struct listing *listing)
{
	io_free_names(listing->paths);
}

static int add(struct listing *listing, const char *folder, const char *name)
{
	char **more;
	char *path = NULL;

	if (listing->count >= listing->max)
		return -EFBIG;
	more = reallocarray(listing->paths, listing->count + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	listing->paths = more;
	if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0)
		path = NULL;
	more[listing->count] = path;
	more[listing->count + 1] = NULL;
	if (!path)
		return -ENOMEM;
	listing->count++;
	return 0;
}

static int list_folder(struct listing *listing, int dir_fd, const char *folder,
		       unsigned depth);

static int enter(struct listing *listing, int dir_fd, const char *folder,
		 const char *name, unsigned depth)
{
	_cleanup_(cleanup_free)
	char *path = NULL;
	_cleanup_(cleanup_close)
	int fd = depth < FILES_DEPTH_MAX
			 ? io_open_folder_in(dir_fd, name, listing->io_flags)
			 : -ELOOP;

	if (fd == -ENOMEM)
		return fd;
	if (fd < 0)
		return add(listing, folder, name);
	if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return list_folder(listing, fd, path, depth + 1);
}

static int list_folder(struct listing *listing, int dir_fd, const char *folder,
		       unsigned depth)
{
	_cleanup_(cleanup_names)
	char **names = NULL;
	_cleanup_(cleanup_names)
	char **folders = NULL;
	size_t count = 0, folder_count = 0;
	int r = io_list_kinds(dir_fd, &names, &count, &folders, &folder_count);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(listing, folder, names[i]);
	/* A version control system's own files are thousands. */
	for (size_t i = 0; r == 0 && i < folder_count; i++)
		if (folders[i][0] != '.')
			r = enter(listing, dir_fd, folder, folders[i], depth);
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int files_list(int dir_fd, unsigned io_flags, size_t max, char ***ret, size_t *ret_count)
{
	_cleanup_(listing_done)
	struct listing listing = { .io_flags = io_flags, .max = max };
	int r;

	listing.paths = calloc(1, sizeof(*listing.paths));
	if (!listing.paths)
		return -ENOMEM;
	r = list_folder(&listing, dir_fd, "", 0);
	if (r < 0)
		return r;
	qsort(listing.paths, listing.count, sizeof(*listing.paths), compare_paths);
	*ret_count = listing.count;
	*ret = TAKE_PTR(listing.paths);
	return 0;
}

/* ---- opening ---- */

int files_open_parent(int dir_fd, const char *path, unsigned io_flags,
		      const char **ret_name)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	const char *slash;

	if (!is_relative_path(path))
		return -EINVAL;
	fd = io_open_folder_in(dir_fd, ".", io_flags);
	while (fd >= 0 && (slash = strchr(path, '/'))) {
		_cleanup_(cleanup_free)
		char *part = strndup(path, (size_t)(slash - path));
		int next = part ? io_open_folder_in(fd, part, io_flags) : -ENOMEM;

		close(fd);
		fd = next;
		path = slash + 1;
	}
	if (fd < 0)
		return fd;
	*ret_name = path;
	return TAKE_FD(fd);
}

int files_open_images(int root_fd, const char *images, const char *path,
		      unsigned io_flags, const char **ret_name)
{
	bool is_stored = files_is_stored(path);
	_cleanup_(cleanup_close)
	int dir_fd = io_open_dir(root_fd, is_stored ? STORE_DIR : images, io_flags);

	if (dir_fd < 0)
		return dir_fd;
	return files_open_parent(dir_fd, path + (is_stored ? strlen(STORE_DIR "/") : 0),
				 io_flags, ret_name);
}
