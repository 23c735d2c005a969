/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_PLACE_H
#define IMAGE_PLACE_H

#include "mount-type.h"

/*
 * Is a directory where a hang is to be expected: on a file system that is a network's or
 * a process's? Looks at what is mounted, never at the directory, and so does not hang
 * itself.
 * @root: of the host; @images: below it
 * @ret: its type, "nfs4" or "fuse.sshfs", where it is
 */
bool image_place_is_remote(const char *root, const char *images,
			   char ret[MOUNT_TYPE_BYTES]);

#endif
