/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STATE_DIR_H
#define STATE_DIR_H

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

#endif
