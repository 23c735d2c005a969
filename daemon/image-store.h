/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include "tdxupd.h"

/* The name of an image there: its SHA-384 and ".blob". */
#define IMAGE_STORE_NAME_BYTES (TDXUPD_DIGEST_TEXT_BYTES + 8)

/*
 * The store of images that were imported, /var/lib/tdxupd/images below the root. It is
 * created where there is none. Return: 0; -EPERM others could write to it; an errno.
 */
int image_store_open(int root_fd, int *ret_fd);
/*
 * Put @image, which has its bytes and was verified, into the store as a published
 * container, so that one module has one name whatever form it came in. Killed at any
 * moment, the store has all of it or nothing. Return: 1; 0 it was there; an errno.
 */
int image_store_put(int store_fd, const struct tdxupd_image *image,
		    char ret_name[IMAGE_STORE_NAME_BYTES]);
/* Return: 0; -ENOENT; an errno. */
int image_store_remove(int store_fd, const char *name);

#endif
