/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STATE_DIR_H
#define STATE_DIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define STATE_DIR "var/lib/tdxupd"

/*
 * Open the directory of what has to outlive the daemon, create it where there is none.
 * Return: 0; -EPERM it or one above is a symlink, or it belongs to somebody else or is
 * writable by others; another errno.
 */
int state_dir_open(int root_fd, int *ret_fd);
/* The same for who only reads: -ENOENT where there is none. */
int state_dir_find(int root_fd, int *ret_fd);
/* Is this ours alone? @kind: S_IFREG or S_IFDIR. Return: 0; -EPERM; another errno. */
int state_dir_check(int fd, mode_t kind);

/* A whole file in it, a byte 0 behind; free() it. Makes no directory. Return: 0; -ENOENT;
 * -EPERM not ours alone; -EFBIG; another errno. */
int state_dir_read(int root_fd, const char *name, size_t max_bytes, uint8_t **ret,
		   size_t *ret_bytes);
/* A new one in its place, on disk when this returns, or an errno and the old one. */
int state_dir_write(int root_fd, const char *name, const char *text);
/* Return: 0, also where there was none; an errno. */
int state_dir_drop(int root_fd, const char *name);

#endif
