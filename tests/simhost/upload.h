/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* drivers/base/firmware_loader/sysfs_upload.h: enum fw_upload_prog */
enum upload_progress {
	UPLOAD_IDLE,
	UPLOAD_RECEIVING,
	UPLOAD_PREPARING,
	UPLOAD_TRANSFERRING,
	UPLOAD_PROGRAMMING,
	_UPLOAD_PROGRESS_MAX,
};

/* What `error` says after the colon; enum fw_upload_err. */
enum upload_error {
	UPLOAD_ERROR_NONE,
	UPLOAD_ERROR_BUSY,
	UPLOAD_ERROR_FW_INVALID,
	_UPLOAD_ERROR_MAX,
};

/*
 * struct upload - the state of one fw_upload node
 * @is_loading: between begin and commit
 * @recovers: as with kernel/patches: a load that failed is over
 * @is_aborted: a write of data found no memory (upload_abort()); nothing helps any more
 * @is_committed: a worker has the data; whatever is written meanwhile is ignored
 */
struct upload {
	bool is_loading;
	bool recovers;
	bool is_aborted;
	bool is_committed;
	uint8_t *data;
	size_t size;
	size_t remaining_size;
	enum upload_progress progress;
	enum upload_progress error_progress;
	enum upload_error error;
};

/* One write to `loading`, `data`, `cancel`: 0 or bytes taken, or -errno. */
int upload_write_loading(struct upload *upload, const char *text);
ssize_t upload_write_data(struct upload *upload, const void *bytes, size_t count,
			  size_t offset);
ssize_t upload_read_data(const struct upload *upload, void *ret, size_t count,
			 size_t offset);
/* As fw_realloc_pages() without memory. */
void upload_abort(struct upload *upload);
int upload_write_cancel(const struct upload *upload, const char *text);

/* The worker's way: receiving -> preparing -> transferring -> programming. */
void upload_set_progress(struct upload *upload, enum upload_progress progress);
/* The write operation failed, while transferring. */
void upload_set_error(struct upload *upload, enum upload_error error);
/* The worker is through. */
void upload_finish(struct upload *upload);
/* As after a boot. */
void upload_reset(struct upload *upload);

const char *upload_progress_to_string(enum upload_progress progress);
enum upload_progress upload_progress_from_string(const char *text);
const char *upload_error_to_string(enum upload_error error);

#endif
