/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LOCK_PATH "run/tdxupd/lock"

/* Of the file: who holds the lock, and until when at the most it commits an update. */
#define LOCK_TEXT_BYTES 64

#define LOCK_OBJECTS 4

/* @fd: of LOCK_PATH; @objects: of what the machine has one of, -1 where it is not there
 */
struct lock {
	int fd;
	int objects[LOCK_OBJECTS];
};

/*
 * Become the only one that may change this machine's module: an flock on LOCK_PATH below
 * @root_fd, and on what no namespace and no clean-up tool can give to two, held until
 * lock_release(), or a crash.
 *
 * Return: 0; -EWOULDBLOCK somebody else holds it; -ENOLCK there is nothing that only one
 * can hold; another errno.
 */
int lock_take(int root_fd, struct lock *ret);
/* The file may have been removed: make it anew. Return: 0; as lock_take(). */
int lock_keep(int root_fd, struct lock *lock);
/* No lock. */
void lock_init(struct lock *lock);
/* Also none. */
void lock_release(struct lock *lock);
/* In words why lock_take() failed; NULL where the errno says enough. */
const char *lock_explain(int error);
/* For lock_is_committing() of others: this one commits, until @until_usec of
 * CLOCK_MONOTONIC at the most, should it die; 0: it does not. One write. */
void lock_mark(const struct lock *lock, uint64_t until_usec);
/* The kernel is at work on an update, whoever started it and whatever became of them. */
bool lock_is_kernel_updating(int root_fd);
/* Whether the one who has the lock commits just now; false where only root may know. With
 * the trigger nothing else tells. */
bool lock_is_committing(int root_fd, uint64_t now_usec);

#endif
