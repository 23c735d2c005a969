// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One image of a catalog, read again and judged again: exactly these bytes are staged.
 */
#include <errno.h>

#include "catalog-entry.h"
#include "catalog-files.h"
#include "catalog-load.h"
#include "form.h"
#include "io.h"
#include "util.h"

DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)
DEFINE_CLEANUP(struct tdxupd_image, image, tdxupd_image_free)

int catalog_read_bytes(int root_fd, const char *images, const char *name, unsigned flags,
		       uint8_t **ret, size_t *ret_count)
{
	unsigned io = flags & TDXUPD_CATALOG_REQUIRE_SAFE ? IO_REQUIRE_SAFE : 0;
	const char *file = name;
	_cleanup_(cleanup_close)
	int dir_fd = files_open_images(root_fd, images, name, io, &file);
	_cleanup_(form_done)
	struct form form = { .fd = -1, .partner_fd = -1 };
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = form_open(dir_fd, file, io, &form);
	return r < 0 ? r : form_read(&form, ret, ret_count, NULL);
}

/* What the listing found out of which version it is holds: these are the same bytes. */
static int merge_version(struct tdxupd_report *report, const struct tdxupd_entry *entry)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tdxupd_report_count(entry->report); i++) {
		const struct tdxupd_verdict *verdict =
			tdxupd_report_get(entry->report, i);

		if (verdict->check == TDXUPD_CHECK_VERSION_UNKNOWN ||
		    verdict->check == TDXUPD_CHECK_VERSION_MISMATCH ||
		    verdict->check == TDXUPD_CHECK_VERSION_AMBIGUOUS)
			r = tdxupd_report_add(report, verdict->check, verdict->severity,
					      verdict->found, verdict->wanted);
	}
	return r;
}

int catalog_check_bytes(const void *bytes, size_t count, const struct tdxupd_entry *entry,
			const struct tdxupd_policy *policy, struct tdxupd_report *report,
			struct tdxupd_image **ret)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *found = NULL;
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	int r;

	r = tdxupd_report_new(&found) ?: tdxupd_image_parse(bytes, count, found, &image);
	if (r < 0)
		return r;
	if (!image || !entry->image ||
	    !tdxupd_digest_is_equal(&image->file_digest, &entry->image->file_digest))
		return -ESTALE;
	r = tdxupd_image_verify(image, policy, found)
		?: entry_check_blocked(entry, policy, found) ?: merge_version(found, entry)
		?: tdxupd_report_merge(report, found);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(image);
	return 0;
}

_public_ int tdxupd_catalog_load(int root_fd, const char *images,
				 const struct tdxupd_entry *entry,
				 const struct tdxupd_policy *policy, unsigned flags,
				 struct tdxupd_report *report, struct tdxupd_image **ret)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = 0;
	int r;

	if (root_fd < 0 || !images || !entry || !policy || !report || !ret)
		return -EINVAL;
	if (!entry->image)
		return -ESTALE;
	r = catalog_read_bytes(root_fd, images, entry->name, flags, &bytes, &count);
	if (r < 0)
		return r == -ENOMEM ? r : -ESTALE;
	return catalog_check_bytes(bytes, count, entry, policy, report, ret);
}
