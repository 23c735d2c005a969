/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGES_WATCH_H
#define IMAGES_WATCH_H

/*
 * Put watches on all that a catalog is read from into the inotify instance @watch_fd: the
 * images and their folders, the store, the mapping file, added records. To be called
 * where a file system that does not answer may hang the caller. What can't be watched is
 * left out. @mapping: NULL where it lies among the images.
 */
void images_watch(int watch_fd, const char *root, const char *images,
		  const char *mapping);

#endif
