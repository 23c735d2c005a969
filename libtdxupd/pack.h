/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PACK_H
#define PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is unpacked of one file at most, whatever it claims. */
#define PACK_BYTES_MAX   (16u << 20)
#define PACK_MEMBERS_MAX 64

/* One regular file of an archive. @name: its path there, without "./" in front. */
struct pack_member {
	char *name;
	uint8_t *bytes;
	size_t count;
};

struct pack {
	size_t count;
	struct pack_member *members;
};

/* Can this build unpack anything? */
bool pack_is_supported(void);
/* "x.tar.gz", "x.tgz", "x.tar.xz", "x.tar.zst", "x.tar" */
bool pack_is_archive(const char *name);
/* "x.zst", "x.xz", "x.gz" that is no archive. @ret_length: of the name without that. */
bool pack_is_compressed(const char *name, size_t *ret_length);

/*
 * Unpack one compressed file. Return: 0; -EBADMSG with @ret_why (may be NULL), a few
 * words, free() it; -EFBIG more than @max_bytes; -EOPNOTSUPP this build cannot; -ENOMEM.
 */
int pack_read_file(const uint8_t *bytes, size_t count, size_t max_bytes, uint8_t **ret,
		   size_t *ret_count, char **ret_why);
/*
 * Read an archive whole into memory; nothing is ever written to disk. One that holds a
 * link, a device, an absolute path or "..", too many members or too much is refused
 * whole. Return: as above; pack_done() it.
 */
int pack_read_archive(const uint8_t *bytes, size_t count, struct pack *ret,
		      char **ret_why);
void pack_done(struct pack *pack);

#endif
