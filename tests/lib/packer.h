/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PACKER_H
#define PACKER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes compressed files and archives for tests, good ones and bad ones. Aborts the
 * program on any error.
 */
enum packer_kind {
	PACKER_FILE,
	PACKER_SYMLINK,
	PACKER_HARDLINK,
	PACKER_FIFO,
	PACKER_FOLDER,
};

struct packer_member {
	const char *name;
	const void *bytes;
	size_t count;
	enum packer_kind kind;
};

/* @filter: "gzip", "xz", "zstd" or "none". @ret: free() it. */
void packer_tar(const struct packer_member *members, size_t count, const char *filter,
		uint8_t **ret, size_t *ret_count);
void packer_file(const void *bytes, size_t count, const char *filter, uint8_t **ret,
		 size_t *ret_count);

#endif
