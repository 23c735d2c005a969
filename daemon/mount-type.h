/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TYPE_H
#define MOUNT_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of what is mounted at or above a path. Pure. */
#define MOUNT_TYPE_BYTES 32

/*
 * The type of the file system that @path, absolute, would be on by @mounts, the text of
 * /proc/self/mountinfo; symlinks are not looked at. Return: whether there is one.
 */
bool mount_type_find(const char *mounts, const char *path, char ret[MOUNT_TYPE_BYTES]);
/*
 * A number for all that is mounted at, above or below @path, absolute and without
 * symlinks: another one where any of it has changed. What is mounted elsewhere has no
 * part in it.
 */
uint64_t mount_type_sum(const char *mounts, const char *path);
/* Does somebody else have to answer before it does: over a network, or a process (FUSE)?
 */
bool mount_type_is_remote(const char *type);

#endif
