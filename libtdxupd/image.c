// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One module image: from bytes in memory to facts and verdicts. Pure: where the bytes
 * came from and on which host they are to run is not known here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "image-format.h"
#include "util.h"

DEFINE_CLEANUP(struct tdxupd_image, image, tdxupd_image_free)
DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)

_public_ struct tdxupd_image *tdxupd_image_free(struct tdxupd_image *image)
{
	if (image)
		free(image->bytes);
	free(image);
	return NULL;
}

_public_ void tdxupd_image_drop_bytes(struct tdxupd_image *image)
{
	if (image)
		free(TAKE_PTR(image->bytes));
}

static int read_facts(struct tdxupd_image *image)
{
	int rc = digest_sha384(image->bytes, image->bytes_count, &image->file_digest);

	if (rc < 0)
		return rc;
	image->container = load_le16(image->bytes + IMAGE_VERSION);
	image->module_pages =
		(uint32_t)((image->bytes_count - IMAGE_MODULE) / TDXUPD_PAGE_BYTES);
	return image_read_sigstruct(image->bytes + IMAGE_SIGSTRUCT, image);
}

_public_ int tdxupd_image_parse(const void *bytes, size_t bytes_count,
				struct tdxupd_report *report, struct tdxupd_image **ret)
{
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	_cleanup_(cleanup_report)
	struct tdxupd_report *found = NULL;
	bool has_layout = false;
	int rc;

	if ((!bytes && bytes_count) || !report || !ret)
		return -EINVAL;
	/* A report may hold verdicts on other things already. */
	rc = tdxupd_report_new(&found);
	if (rc < 0)
		return rc;
	rc = image_check_container(bytes, bytes_count, found, &has_layout);
	if (rc < 0)
		return rc;
	if (has_layout) {
		image = calloc(1, sizeof(*image));
		if (!image)
			return -ENOMEM;
		image->bytes = malloc(bytes_count);
		if (!image->bytes)
			return -ENOMEM;
		memcpy(image->bytes, bytes, bytes_count);
		image->bytes_count = bytes_count;
		rc = image_check_sigstruct(image->bytes + IMAGE_SIGSTRUCT, found);
		if (rc == 0)
			rc = read_facts(image);
		if (rc < 0)
			return rc;
	}
	rc = tdxupd_report_merge(report, found);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(image);
	return 0;
}
