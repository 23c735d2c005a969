/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every path is looked up below @root_fd as after a chroot: a leading '/' means the root
 * directory, and neither a symlink nor ".." leads out of it. An absent file is -ENODATA;
 * all other errnos are the kernel's.
 */

enum io_flags {
	/*
	 * Only what nobody but root could have put there: regular files and directories
	 * that root owns and nobody else may write, all the way up to the root directory;
	 * symlinks inside a directory may name its own files only. Breaches are -EPERM
	 * (writable by others), -EXDEV (a symlink that leaves).
	 */
	IO_REQUIRE_SAFE = 1 << 0,
};

/* Return: a descriptor, close() it. @open_flags: as for open(2), O_CLOEXEC is added. */
int io_open(int root_fd, const char *path, int open_flags);
int io_open_dir(int root_fd, const char *path, unsigned flags);
bool io_is_present(int root_fd, const char *path);

/*
 * A small text attribute, as in sysfs: one read(2) from the start, one trailing newline
 * dropped. Return: 0; -EBADMSG no text, or more than fits in @ret.
 */
int io_read_text(int root_fd, const char *path, char *ret, size_t size);
/* The same from a descriptor that is kept open; where poll(2) is used, re-arms it. One
 * that can't be sought in (attributes of debugfs) is read from where it stands: open it
 * anew. */
int io_read_text_fd(int fd, char *ret, size_t size);

/*
 * A whole file whose size is not to be trusted (procfs says 0): read once, up to its end.
 * @ret gets a NUL behind the last byte. Return: 0; -EFBIG more than @max_bytes; -EBADFD
 * no regular file.
 */
int io_read_file(int root_fd, const char *path, size_t max_bytes, uint8_t **ret,
		 size_t *ret_bytes);
/*
 * The same for a file right in @dir_fd; @name is a file name, no path. Without
 * IO_REQUIRE_SAFE a symlink may lead anywhere that the caller may read.
 */
int io_read_file_in(int dir_fd, const char *name, size_t max_bytes, unsigned flags,
		    uint8_t **ret, size_t *ret_bytes);
/* The same in two steps, to look at the file in between. */
int io_open_file_in(int dir_fd, const char *name, unsigned flags);
int io_read_file_fd(int fd, size_t max_bytes, uint8_t **ret, size_t *ret_bytes);
/* Write a file anew, mode 0644. */
int io_replace_file_in(int dir_fd, const char *name, const void *bytes, size_t count);

/*
 * Names in a directory without "." and "..", sorted bytewise. @ret: @ret_count strings
 * and a NULL; io_free_names() them.
 */
int io_list(int dir_fd, char ***ret, size_t *ret_count);
char **io_free_names(char **names);
/* The same in two lists: folders, and everything else. */
int io_list_kinds(int dir_fd, char ***ret_files, size_t *ret_file_count,
		  char ***ret_folders, size_t *ret_folder_count);
/*
 * A folder right in @dir_fd, which was judged before; @name is no path and no symlink.
 * @flags: enum io_flags. Return: a descriptor, close() it; an errno.
 */
int io_open_folder_in(int dir_fd, const char *name, unsigned flags);

/* One write(2) from the start, as sysfs attributes want it. Return: 0; -EIO cut short. */
int io_write_text_fd(int fd, const char *text);
int io_write_text(int root_fd, const char *path, const char *text);
/* All bytes from the start, in as many writes as it takes. */
int io_write_all_fd(int fd, const void *bytes, size_t count);

/* Return: a few static words for an errno of these functions. */
const char *io_strerror(int rc);

#endif
