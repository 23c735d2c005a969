/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOCK_H
#define LOCK_H

#define LOCK_PATH "run/tdxupd/lock"

/*
 * Become the only one that may change this host's module: an flock on LOCK_PATH below
 * @root_fd, held until @ret_fd is closed, by a crash too.
 *
 * Return: 0; -EWOULDBLOCK somebody else holds it; another errno.
 */
int lock_take(int root_fd, int *ret_fd);

#endif
