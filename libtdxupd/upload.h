/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "host-files.h"
#include "io.h"
#include "tdxupd.h"

/*
 * One way into the kernel. None of these changes upload->state: upload.c does.
 *
 * @open: open what is needed. Return: 0;
 * -ENODATA no such interface; another errno.
 * @stage: hand over the bytes. Return: as tdxupd_upload_stage().
 * @is_staged: @is_watched as of upload_check(). Return: 1, 0, or an errno: unknown.
 * @commit: the one write. Return: 0, or the errno that it gave.
 * @read_result: Return: 0; an errno: unknown.
 * @drop: take it back. Return: as tdxupd_upload_drop().
 */
struct upload_ops {
	int (*open)(struct tdxupd_upload *upload, struct host_files *files);
	int (*stage)(struct tdxupd_upload *upload, const uint8_t *bytes, size_t count);
	int (*is_staged)(struct tdxupd_upload *upload, bool is_watched);
	int (*commit)(struct tdxupd_upload *upload);
	int (*read_result)(struct tdxupd_upload *upload,
			   struct tdxupd_upload_result *ret);
	int (*drop)(struct tdxupd_upload *upload);
};

extern const struct upload_ops upload_fw_ops;
extern const struct upload_ops upload_trigger_ops;

/*
 * @version_fd, @online_fd: for the last look
 * @data_fd, @control_fd: where bytes go, and where the committing write goes
 * @status_fd, @error_fd: fw_upload's, else -1
 * @staged_bytes: how many were staged
 * @commit_error: what the committing write returned, 0 or an errno
 */
struct tdxupd_upload {
	enum tdxupd_transport transport;
	const struct upload_ops *ops;
	enum tdxupd_upload_state state;
	size_t staged_bytes;
	int commit_error;
	int version_fd;
	int online_fd;
	int data_fd;
	int control_fd;
	int status_fd;
	int error_fd;
};

/* As tdxupd_upload_new(), for whoever has the host's files open. */
int upload_new(struct host_files *files, enum tdxupd_transport transport,
	       struct tdxupd_upload **ret);

/*
 * As tdxupd_upload_check(). @is_watched: the caller gets to know of each write to
 * `loading` and asks tdxupd_upload_poll() then, so that reading it here can be spared:
 * after a drop the bytes are still there, but a commit of them starts nothing.
 */
int upload_check(struct tdxupd_upload *upload, const struct tdxupd_host *host,
		 bool is_watched, struct tdxupd_report *report);

/* Fill in *fd; @open_flags as for open(2). Return: 0 or an errno. */
static inline int upload_open_file(int dir_fd, const char *path, int open_flags, int *fd)
{
	int r = io_open(dir_fd, path, open_flags);

	if (r < 0)
		return r;
	*fd = r;
	return 0;
}

#endif
