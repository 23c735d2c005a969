// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's fw_upload interface (drivers/base/firmware_loader/sysfs_upload.c).
 *
 * Its writes succeed whether or not they do anything: while an update runs they are
 * ignored, a commit of nothing starts nothing, and anybody's begin or drop takes away
 * what was staged. So `loading` is read back after every write to it. No file ever wakes
 * a poller.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "upload.h"
#include "util.h"

static int fw_open(struct tdxupd_upload *upload, struct host_files *files)
{
	int dir_fd, r = host_files_find_upload(files);

	if (r < 0)
		return r;
	dir_fd = files->upload_fd;
	return upload_open_file(dir_fd, "loading", O_RDWR, &upload->control_fd)
		       ?: upload_open_file(dir_fd, "data", O_RDWR, &upload->data_fd)
		       ?: upload_open_file(dir_fd, "status", O_RDONLY,
					   &upload->status_fd)
		       ?: upload_open_file(dir_fd, "error", O_RDONLY,
					   &upload->error_fd);
}

/* Return: 1 open for data, 0 not, or an errno. */
static int is_loading(struct tdxupd_upload *upload)
{
	char text[16];
	int r = io_read_text_fd(upload->control_fd, text, sizeof(text));

	if (r < 0)
		return r;
	if (strcmp(text, "1") == 0)
		return 1;
	return strcmp(text, "0") == 0 ? 0 : -EBADMSG;
}

static ssize_t read_data(struct tdxupd_upload *upload, void *buffer, size_t count,
			 size_t offset)
{
	ssize_t n;

	do
		n = pread(upload->data_fd, buffer, count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	/* ENODEV: not open for data any more. */
	if (n < 0)
		return errno == ENODEV ? 0 : -errno;
	return n;
}

/*
 * A drop sets `loading` to 0 and leaves the data (firmware_loading_store()); another
 * begin leaves `loading` at 1 and takes the data away, and the end of an update does: the
 * last byte has to be there, too, and no more than that.
 */
static int fw_is_staged(struct tdxupd_upload *upload, bool is_watched)
{
	char last[2];
	ssize_t n;
	int r = is_watched ? 1 : is_loading(upload);

	if (r <= 0)
		return r;
	n = read_data(upload, last, sizeof(last), upload->staged_bytes - 1);
	return n < 0 ? (int)n : n == 1;
}

/* Return: 1 the kernel holds just these bytes, 0 others, or an errno. */
static int holds(struct tdxupd_upload *upload, const uint8_t *bytes, size_t count)
{
	uint8_t page[TDXUPD_PAGE_BYTES];

	for (size_t done = 0; done < count;) {
		ssize_t n = read_data(upload, page, sizeof(page), done);

		if (n <= 0)
			return (int)n;
		if ((size_t)n > count - done ||
		    memcmp(page, bytes + done, (size_t)n) != 0)
			return 0;
		done += (size_t)n;
	}
	return fw_is_staged(upload, false);
}

/* Return: 1 idle, 0 at work, or an errno. */
static int is_idle(struct tdxupd_upload *upload)
{
	char text[32];
	int r = io_read_text_fd(upload->status_fd, text, sizeof(text));

	return r < 0 ? r : strcmp(text, "idle") == 0;
}

/* Return: 1 begun; 0 it was ignored; -EBUSY; another errno. */
static int try_to_begin(struct tdxupd_upload *upload)
{
	int r = is_idle(upload);

	if (r <= 0)
		return r < 0 ? r : -EBUSY;
	r = io_write_text_fd(upload->control_fd, "1");
	return r < 0 ? r : is_loading(upload);
}

/* An update may begin after the look at `status`, and end before the next one: but not
 * that often. */
#define BEGINS_MAX 3

static int begin(struct tdxupd_upload *upload)
{
	for (unsigned i = 0; i < BEGINS_MAX; i++) {
		int r = try_to_begin(upload);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	/* fw_realloc_pages() had no memory once: firmware_loading_store() ignores
	 * whatever is written after that. */
	return -ENOTRECOVERABLE;
}

static int fw_drop(struct tdxupd_upload *upload)
{
	int r = is_idle(upload);

	if (r <= 0)
		return r < 0 ? r : -EBUSY;
	r = is_loading(upload);
	if (r <= 0)
		return r;
	r = io_write_text_fd(upload->control_fd, "-1");
	if (r < 0)
		return r;
	r = is_loading(upload);
	return r > 0 ? -EIO : r;
}

static int fw_stage(struct tdxupd_upload *upload, const uint8_t *bytes, size_t count)
{
	int r = begin(upload);

	if (r < 0)
		return r;
	upload->staged_bytes = count;
	r = io_write_all_fd(upload->data_fd, bytes, count);
	/* Somebody dropped or committed in between. */
	if (r == -ENODEV)
		return -ESTALE;
	if (r == 0)
		r = holds(upload, bytes, count);
	if (r < 0)
		(void)fw_drop(upload);
	/* What is there instead is somebody else's, and not ours to drop. */
	return r == 0 ? -ESTALE : r < 0 ? r : 0;
}

static int fw_commit(struct tdxupd_upload *upload)
{
	return io_write_text_fd(upload->control_fd, "0");
}

/* "transferring:device-busy": the phase in which it failed, and why. */
static enum tdxupd_upload_error parse_error(const char *text)
{
	const char *colon = strchr(text, ':');

	if (!*text)
		return TDXUPD_UPLOAD_ERROR_NONE;
	if (colon && strcmp(colon + 1, "device-busy") == 0)
		return TDXUPD_UPLOAD_ERROR_BUSY;
	if (colon && strcmp(colon + 1, "firmware-invalid") == 0)
		return TDXUPD_UPLOAD_ERROR_INVALID;
	return TDXUPD_UPLOAD_ERROR_OTHER;
}

static int fw_read_result(struct tdxupd_upload *upload, struct tdxupd_upload_result *ret)
{
	struct tdxupd_upload_result result = { .state = TDXUPD_UPLOAD_RUNNING };
	char text[sizeof(result.text)];
	int r = is_idle(upload);

	if (r < 0)
		return r;
	if (r == 0) {
		*ret = result;
		return 0;
	}
	r = io_read_text_fd(upload->error_fd, text, sizeof(text));
	if (r < 0 && r != -EBUSY)
		return r;
	if (r == 0) {
		result.state = TDXUPD_UPLOAD_ENDED;
		result.error = parse_error(text);
		text_make_printable(result.text, sizeof(result.text), text);
	}
	*ret = result;
	return 0;
}

const struct upload_ops upload_fw_ops = {
	.open = fw_open,
	.stage = fw_stage,
	.is_staged = fw_is_staged,
	.commit = fw_commit,
	.read_result = fw_read_result,
	.drop = fw_drop,
};
