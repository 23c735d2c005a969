/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LOCK_PATH "run/tdxupd/lock"

/* Of the file: who holds the lock, and until when at the most it commits an update. */
#define LOCK_TEXT_BYTES 64

/*
 * Become the only one that may change this host's module: an flock on LOCK_PATH below
 * @root_fd, held until @ret_fd is closed, by a crash too.
 *
 * Return: 0; -EWOULDBLOCK somebody else holds it; another errno.
 */
int lock_take(int root_fd, int *ret_fd);
/* For lock_is_committing() of others: this one commits, until @until_usec of
 * CLOCK_MONOTONIC at the most, should it die; 0: it does not. One write. */
void lock_mark(int fd, uint64_t until_usec);
/* The kernel is at work on an update, whoever started it and whatever became of them. */
bool lock_is_kernel_updating(int root_fd);
/* Whether the one who has the lock commits just now; false where only root may know. With
 * the trigger nothing else tells. */
bool lock_is_committing(int root_fd, uint64_t now_usec);

#endif
