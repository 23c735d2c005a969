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
	/* Of the second file, where an image is made of two; else 0. */
	uint64_t partner_inode;
	uint64_t partner_bytes;
	uint64_t partner_mtime_nsec;
	uint64_t partner_ctime_nsec;
};

/* Bytes that are read from the front; @is_bad once something did not fit. */
struct record_reader {
	const uint8_t *bytes;
	size_t left;
	bool is_bad;
};

/* The parts that records are made of. Once something did not fit, all reads give 0. */
void record_put_number(struct buffer *out, uint64_t number);
void record_put_text(struct buffer *out, const char *text);
void record_put_image(struct buffer *out, const struct tdxupd_image *image);
void record_put_report(struct buffer *out, const struct tdxupd_report *report);
void record_get_bytes(struct record_reader *reader, void *ret, size_t count);
/* @max: the highest that makes sense. */
uint64_t record_get_number(struct record_reader *reader, uint64_t max);
/* At most @size bytes with the NUL; a NUL within is none that record_put_text() wrote. */
void record_get_text(struct record_reader *reader, char *ret, size_t size);
/* Return: 0, *ret may be NULL; -EBADMSG; -ENOMEM. */
int record_get_image(struct record_reader *reader, struct tdxupd_image **ret);
int record_get_report(struct record_reader *reader, struct tdxupd_report **ret);

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
