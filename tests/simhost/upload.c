// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An fw_upload node as Linux 7.3 has it (drivers/base/firmware_loader/sysfs.c and
 * sysfs_upload.c), without the worker itself: what its files accept and say in which
 * state. Most of what surprises a caller is here: writes that succeed and do nothing.
 */
#include "upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* The kernel takes pages until memory ends; nothing here may. */
#define DATA_BYTES_MAX ((size_t)64 << 20)

static const char *const progress_names[] = {
	[UPLOAD_IDLE] = "idle",
	[UPLOAD_RECEIVING] = "receiving",
	[UPLOAD_PREPARING] = "preparing",
	[UPLOAD_TRANSFERRING] = "transferring",
	[UPLOAD_PROGRAMMING] = "programming",
};
STRING_TABLE_TO(upload_progress, enum upload_progress, progress_names)
STRING_TABLE_FROM(upload_progress, enum upload_progress, progress_names)

static const char *const error_names[] = {
	[UPLOAD_ERROR_NONE] = "none",
	[UPLOAD_ERROR_BUSY] = "device-busy",
	[UPLOAD_ERROR_FW_INVALID] = "firmware-invalid",
};
STRING_TABLE_TO(upload_error, enum upload_error, error_names)

static void drop_data(struct upload *upload)
{
	free(upload->data);
	upload->data = NULL;
	upload->size = 0;
}

/* kstrtoint() with base 10: one newline is allowed. */
static int parse_loading(const char *text, long *ret)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || errno || (*end && strcmp(end, "\n")) || *text == ' ')
		return -EINVAL;

	*ret = value;
	return 0;
}

static void commit(struct upload *upload)
{
	upload->is_loading = false;
	/* Nothing to upload: success, no worker, and the old error stays. */
	if (!upload->size)
		return;

	upload->is_committed = true;
	upload->progress = UPLOAD_RECEIVING;
	upload->error = UPLOAD_ERROR_NONE;
	upload->remaining_size = upload->size;
}

/* firmware_loading_store() */
int upload_write_loading(struct upload *upload, const char *text)
{
	long value;

	if (parse_loading(text, &value))
		return -EINVAL;
	if (upload->is_committed || upload->is_aborted)
		return 0;

	if (value == 1) {
		drop_data(upload);
		upload->is_loading = true;
	} else if (value == 0 && upload->is_loading) {
		commit(upload);
	} else {
		/* -1, or what the kernel calls an unexpected value. The bytes stay, but
		 * only a begin leads to a commit, and that drops them. */
		upload->is_loading = false;
	}

	return 0;
}

/* fw_load_abort(): only what belongs to a single request is ever made anew after it. */
void upload_abort(struct upload *upload)
{
	upload->is_loading = false;
	if (upload->recovers)
		drop_data(upload);
	else
		upload->is_aborted = true;
}

/*
 * firmware_data_write(): any offset, any order; what was skipped is zero. Nothing asks
 * for a `1` first, which only drops what came before it.
 */
ssize_t upload_write_data(struct upload *upload, const void *bytes, size_t count,
			  size_t offset)
{
	uint8_t *data;

	if (upload->is_committed)
		return -ENODEV;
	if (offset > DATA_BYTES_MAX || count > DATA_BYTES_MAX - offset)
		return -ENOMEM;

	if (offset + count > upload->size) {
		data = realloc(upload->data, offset + count);
		if (!data) {
			upload_abort(upload);
			return -ENOMEM;
		}
		memset(data + upload->size, 0, offset + count - upload->size);
		upload->data = data;
		upload->size = offset + count;
	}
	memcpy(upload->data + offset, bytes, count);

	return (ssize_t)count;
}

ssize_t upload_read_data(const struct upload *upload, void *ret, size_t count,
			 size_t offset)
{
	if (upload->is_committed)
		return -ENODEV;
	if (offset >= upload->size)
		return 0;

	if (count > upload->size - offset)
		count = upload->size - offset;
	memcpy(ret, upload->data + offset, count);

	return (ssize_t)count;
}

/* cancel_store(): kstrtobool(), and the driver's cancel does nothing. */
int upload_write_cancel(const struct upload *upload, const char *text)
{
	if (!strchr("yYtT1", text[0]) && strncasecmp(text, "on", 2) != 0)
		return -EINVAL;

	return upload->progress == UPLOAD_IDLE ? -ENODEV : 0;
}

void upload_set_progress(struct upload *upload, enum upload_progress progress)
{
	upload->progress = progress;
}

void upload_set_error(struct upload *upload, enum upload_error error)
{
	upload->error = error;
	upload->error_progress = upload->progress;
}

/* remaining_size is left alone: after a failure it tells how much was not written. */
void upload_finish(struct upload *upload)
{
	if (!upload->error)
		upload->remaining_size = 0;
	drop_data(upload);
	upload->is_committed = false;
	upload->progress = UPLOAD_IDLE;
}

void upload_reset(struct upload *upload)
{
	drop_data(upload);
	*upload = (struct upload){ .recovers = upload->recovers };
}
