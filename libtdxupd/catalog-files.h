/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_FILES_H
#define CATALOG_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Where `image import` puts images, below the root directory. */
#define STORE_DIR "/var/lib/tdxupd/images"

/*
 * Names of an images directory are paths below it, at most FILES_DEPTH_MAX folders deep;
 * that of an image of the store begins with STORE_DIR.
 */
#define FILES_DEPTH_MAX 3
#define FILES_PATH_MAX  1024

/* Is this such a path, without "." and ".." and empty parts? */
bool files_is_path(const char *path);
/* Is it one of the store? */
bool files_is_stored(const char *path);

/*
 * All files below @dir_fd, sorted; @ret: @ret_count paths and a NULL, io_free_names()
 * them. A folder that cannot be entered is listed as if it were a file: reading it tells
 * why. Return: 0; -EFBIG more than @max; -ENOMEM; another errno of @dir_fd itself.
 */
int files_list(int dir_fd, unsigned io_flags, size_t max, char ***ret, size_t *ret_count);
/*
 * The folder that @path is in, below @dir_fd, and its last part. Return: a descriptor,
 * close() it; an errno.
 */
int files_open_parent(int dir_fd, const char *path, unsigned io_flags,
		      const char **ret_name);
/* The same for any name of a catalog: @images or the store, below @root_fd. */
int files_open_images(int root_fd, const char *images, const char *path,
		      unsigned io_flags, const char **ret_name);

#endif
