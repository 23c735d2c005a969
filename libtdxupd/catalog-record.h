/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_RECORD_H
#define CATALOG_RECORD_H

#include "buffer.h"
#include "tdxupd.h"

/* Which state of which file a record is of. */
struct record_key {
	uint64_t device;
	uint64_t inode;
	uint64_t bytes;
	uint64_t mtime_nsec;
	uint64_t ctime_nsec;
};

/* Bytes that are read from the front; @is_bad once something did not fit. */
struct record_reader {
	const uint8_t *bytes;
	size_t left;
	bool is_bad;
};

/* A key, then the image without its bytes (or that there is none), then the verdicts. */
void record_put(struct buffer *out, const struct record_key *key,
		const struct tdxupd_image *image, const struct tdxupd_report *report);
/*
 * Read one record and advance. @ret_image, @ret_report: NULL to skip it. Return: 0;
 * -EBADMSG; -ENOMEM.
 */
int record_get(struct record_reader *reader, struct record_key *ret_key,
	       struct tdxupd_image **ret_image, struct tdxupd_report **ret_report);

#endif
