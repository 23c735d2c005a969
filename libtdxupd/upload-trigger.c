// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The trigger files of our kernel piece: `image` takes the bytes, and writing 1 to
 * `update` checks, shuts down, installs and restores before it returns, with the true
 * errno. What is staged can't be read back and needs no dropping: nothing but a commit
 * uses it, and the next write at offset 0 starts afresh.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "io.h"
#include "upload.h"
#include "util.h"

static int trigger_open(struct tdxupd_upload *upload, struct host_files *files)
{
	return upload_open_file(files->device_fd, "image", O_WRONLY, &upload->data_fd)
		       ?: upload_open_file(files->device_fd, "update", O_WRONLY,
					   &upload->control_fd);
}

static int trigger_stage(struct tdxupd_upload *upload, const uint8_t *bytes, size_t count)
{
	int r = io_write_all_fd(upload->data_fd, bytes, count);

	/* Not where the last write ended: somebody began afresh in between. */
	return r == -EINVAL ? -ESTALE : r;
}

static int trigger_is_staged(struct tdxupd_upload *upload, bool is_watched)
{
	(void)is_watched;
	return upload->state == TDXUPD_UPLOAD_STAGED;
}

static int trigger_commit(struct tdxupd_upload *upload)
{
	return io_write_text_fd(upload->control_fd, "1");
}

static enum tdxupd_upload_error translate(int error)
{
	switch (error) {
	case 0:
		return TDXUPD_UPLOAD_ERROR_NONE;
	case -EBUSY:
		return TDXUPD_UPLOAD_ERROR_BUSY;
	case -EALREADY:
		return TDXUPD_UPLOAD_ERROR_ALREADY;
	case -EAGAIN:
		return TDXUPD_UPLOAD_ERROR_CPU_OFFLINE;
	case -EINVAL:
		return TDXUPD_UPLOAD_ERROR_INVALID;
	case -ENOSPC:
		return TDXUPD_UPLOAD_ERROR_NO_SLOTS;
	case -ENXIO:
		return TDXUPD_UPLOAD_ERROR_LOST;
	default:
		return TDXUPD_UPLOAD_ERROR_OTHER;
	}
}

static int trigger_read_result(struct tdxupd_upload *upload,
			       struct tdxupd_upload_result *ret)
{
	struct tdxupd_upload_result result = {
		.state = TDXUPD_UPLOAD_ENDED,
		.error = translate(upload->commit_error),
	};

	if (upload->commit_error < 0)
		snprintf(result.text, sizeof(result.text), "%s",
			 strerrorname_np(-upload->commit_error));
	*ret = result;
	return 0;
}

static int trigger_drop(struct tdxupd_upload *upload)
{
	(void)upload;
	return 0;
}

const struct upload_ops upload_trigger_ops = {
	.open = trigger_open,
	.stage = trigger_stage,
	.is_staged = trigger_is_staged,
	.commit = trigger_commit,
	.read_result = trigger_read_result,
	.drop = trigger_drop,
};
