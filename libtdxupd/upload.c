// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handing an image to the kernel: staged ahead, looked at once more, committed with one
 * write. This is the only part that changes a host. When to commit is the gate's and the
 * job's business, what came of it is decided in confirm.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "io.h"
#include "upload.h"
#include "util.h"

#define ATTRIBUTE_BYTES 4097

DEFINE_CLEANUP(struct tdxupd_upload, upload, tdxupd_upload_free)

static const char *const transport_table[] = {
	[TDXUPD_TRANSPORT_AUTO] = "auto",
	[TDXUPD_TRANSPORT_FW_UPLOAD] = "fw-upload",
	[TDXUPD_TRANSPORT_TRIGGER] = "trigger",
};
PUBLIC_STRING_TABLE_TO(tdxupd_transport, enum tdxupd_transport, transport_table)

static const char *const upload_state_table[] = {
	[TDXUPD_UPLOAD_IDLE] = "idle",
	[TDXUPD_UPLOAD_STAGED] = "staged",
	[TDXUPD_UPLOAD_RUNNING] = "running",
	[TDXUPD_UPLOAD_ENDED] = "ended",
};
PUBLIC_STRING_TABLE_TO(tdxupd_upload_state, enum tdxupd_upload_state, upload_state_table)

static const char *const upload_error_table[] = {
	[TDXUPD_UPLOAD_ERROR_NONE] = "none",
	[TDXUPD_UPLOAD_ERROR_BUSY] = "busy",
	[TDXUPD_UPLOAD_ERROR_INVALID] = "invalid",
	[TDXUPD_UPLOAD_ERROR_NO_SLOTS] = "no-slots",
	[TDXUPD_UPLOAD_ERROR_CPU_OFFLINE] = "cpu-offline",
	[TDXUPD_UPLOAD_ERROR_LOST] = "lost",
	[TDXUPD_UPLOAD_ERROR_ALREADY] = "already",
	[TDXUPD_UPLOAD_ERROR_OTHER] = "other",
};
PUBLIC_STRING_TABLE_TO(tdxupd_upload_error, enum tdxupd_upload_error, upload_error_table)

/* ---- new and free ---- */

static void close_files(struct tdxupd_upload *upload)
{
	int *fds[] = { &upload->version_fd, &upload->online_fd, &upload->data_fd,
		       &upload->control_fd, &upload->status_fd, &upload->error_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -1;
	}
}

_public_ struct tdxupd_upload *tdxupd_upload_free(struct tdxupd_upload *upload)
{
	if (!upload)
		return NULL;
	if (upload->state == TDXUPD_UPLOAD_STAGED)
		(void)upload->ops->drop(upload);
	close_files(upload);
	free(upload);
	return NULL;
}

static int open_transport(struct tdxupd_upload *upload, struct host_files *files,
			  enum tdxupd_transport transport)
{
	int r;

	upload->transport = transport;
	upload->ops = transport == TDXUPD_TRANSPORT_TRIGGER ? &upload_trigger_ops
							    : &upload_fw_ops;
	r = upload->ops->open(upload, files);
	if (r == 0)
		r = host_files_dup(files, HOST_FILE_VERSION, &upload->version_fd);
	if (r == 0)
		r = host_files_dup(files, HOST_FILE_ONLINE, &upload->online_fd);
	if (r < 0)
		close_files(upload);
	return r;
}

int upload_new(struct host_files *files, enum tdxupd_transport transport,
	       struct tdxupd_upload **ret)
{
	_cleanup_(cleanup_upload)
	struct tdxupd_upload *upload = calloc(1, sizeof(*upload));
	int r;

	if (!upload)
		return -ENOMEM;
	upload->version_fd = upload->online_fd = upload->data_fd = -1;
	upload->control_fd = upload->status_fd = upload->error_fd = -1;
	r = host_files_find_device(files);
	if (r < 0)
		return r;
	if (transport == TDXUPD_TRANSPORT_AUTO) {
		r = open_transport(upload, files, TDXUPD_TRANSPORT_TRIGGER);
		if (r == -ENODATA)
			r = open_transport(upload, files, TDXUPD_TRANSPORT_FW_UPLOAD);
	} else {
		r = open_transport(upload, files, transport);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(upload);
	return 0;
}

_public_ int tdxupd_upload_new(int root_fd, enum tdxupd_transport transport,
			       struct tdxupd_upload **ret)
{
	struct host_files files;
	int r;

	if (root_fd < 0 || !tdxupd_transport_to_string(transport) || !ret)
		return -EINVAL;
	host_files_init(&files, root_fd);
	r = upload_new(&files, transport, ret);
	host_files_done(&files);
	return r;
}

_public_ enum tdxupd_transport
tdxupd_upload_get_transport(const struct tdxupd_upload *upload)
{
	return upload->transport;
}

/* ---- staging ---- */

_public_ int tdxupd_upload_stage(struct tdxupd_upload *upload,
				 const struct tdxupd_image *image)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	int r;

	if (!upload || !image)
		return -EINVAL;
	if (upload->state == TDXUPD_UPLOAD_RUNNING)
		return -EBUSY;
	r = tdxupd_image_convert(image, TDXUPD_CONTAINER_KERNEL, &bytes);
	if (r < 0)
		return r;
	upload->state = TDXUPD_UPLOAD_IDLE;
	r = upload->ops->stage(upload, bytes, image->bytes_count);
	if (r < 0)
		return r;
	upload->state = TDXUPD_UPLOAD_STAGED;
	return 0;
}

_public_ int tdxupd_upload_drop(struct tdxupd_upload *upload)
{
	int r;

	if (!upload)
		return -EINVAL;
	if (upload->state == TDXUPD_UPLOAD_RUNNING)
		return -EBUSY;
	r = upload->ops->drop(upload);
	if (r == 0)
		upload->state = TDXUPD_UPLOAD_IDLE;
	return r;
}

/* ---- the last look ---- */

static int check_online(struct tdxupd_upload *upload, const struct tdxupd_host *host,
			struct tdxupd_report *report)
{
	_cleanup_(cleanup_free)
	char *list = NULL;
	char text[ATTRIBUTE_BYTES], found[ATTRIBUTE_BYTES + 16];
	struct tdxupd_cpuset online;
	int r = io_read_text_fd(upload->online_fd, text, sizeof(text));

	if (r == 0)
		r = tdxupd_cpuset_parse(text, &online);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(online.bits); i++)
		online.bits[i] = host->online.bits[i] & ~online.bits[i];
	if (tdxupd_cpuset_count(&online) == 0)
		return 0;
	list = tdxupd_cpuset_format(&online);
	if (!list)
		return -ENOMEM;
	snprintf(found, sizeof(found), "CPU %s offline by now", list);
	return tdxupd_report_add(report, TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_REFUSE,
				 found, "all online");
}

/* Another module than the plan was made for: the plan is void, whatever it said. */
static int check_module(struct tdxupd_upload *upload, const struct tdxupd_host *host,
			struct tdxupd_report *report)
{
	char text[TDXUPD_VERSION_TEXT_BYTES + 2];
	struct tdxupd_version version;
	int r = io_read_text_fd(upload->version_fd, text, sizeof(text));

	if (r == -ENXIO)
		return tdxupd_report_add(report, TDXUPD_CHECK_TDX_LOST,
					 TDXUPD_SEVERITY_REFUSE, "no live module",
					 "a live one");
	if (r == 0)
		r = tdxupd_version_parse(text, &version);
	if (r < 0)
		return r;
	return tdxupd_version_compare(&version, &host->module_version) == 0 ? 0
									    : -EREMCHG;
}

int upload_check(struct tdxupd_upload *upload, const struct tdxupd_host *host,
		 bool is_watched, struct tdxupd_report *report)
{
	int r;

	if (!upload || !host || !report)
		return -EINVAL;
	if (host->state != TDXUPD_TDX_LIVE || !host->has_cpus)
		return -EINVAL;
	r = upload->ops->is_staged(upload, is_watched);
	if (r == 0 || upload->state != TDXUPD_UPLOAD_STAGED)
		return -ESTALE;
	if (r < 0)
		return r;
	return check_module(upload, host, report) ?: check_online(upload, host, report);
}

_public_ int tdxupd_upload_check(struct tdxupd_upload *upload,
				 const struct tdxupd_host *host,
				 struct tdxupd_report *report)
{
	return upload_check(upload, host, false, report);
}

/* ---- commit and after ---- */

_public_ int tdxupd_upload_commit(struct tdxupd_upload *upload)
{
	if (!upload || upload->state != TDXUPD_UPLOAD_STAGED)
		return -EINVAL;
	upload->commit_error = upload->ops->commit(upload);
	upload->state = TDXUPD_UPLOAD_RUNNING;
	return 0;
}

static int read_result(struct tdxupd_upload *upload, struct tdxupd_upload_result *ret)
{
	int r = upload->ops->read_result(upload, ret);

	if (r == 0 && ret->state == TDXUPD_UPLOAD_ENDED)
		upload->state = TDXUPD_UPLOAD_ENDED;
	return r;
}

_public_ int tdxupd_upload_poll(struct tdxupd_upload *upload,
				struct tdxupd_upload_result *ret)
{
	int r;

	if (!upload || !ret)
		return -EINVAL;
	if (upload->state == TDXUPD_UPLOAD_RUNNING ||
	    upload->state == TDXUPD_UPLOAD_ENDED)
		return read_result(upload, ret);
	if (upload->state == TDXUPD_UPLOAD_STAGED) {
		r = upload->ops->is_staged(upload, false);
		if (r < 0)
			return r;
		if (r == 0)
			upload->state = TDXUPD_UPLOAD_IDLE;
	}
	*ret = (struct tdxupd_upload_result){ .state = upload->state };
	return 0;
}
