/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_LOAD_H
#define CATALOG_LOAD_H

#include "tdxupd.h"

/*
 * tdxupd_catalog_load() in its two halves, for whoever has one process read and another
 * judge.
 *
 * The bytes of @name in the directory @images. Return: 0, free() them; an errno.
 */
int catalog_read_bytes(int root_fd, const char *images, const char *name, unsigned flags,
		       uint8_t **ret, size_t *ret_count);
/*
 * Judge bytes that are said to be @entry's: all verdicts on them into @report. Return: 0;
 * -ESTALE they are not; -ENOMEM.
 */
int catalog_check_bytes(const void *bytes, size_t count, const struct tdxupd_entry *entry,
			const struct tdxupd_policy *policy, struct tdxupd_report *report,
			struct tdxupd_image **ret);

#endif
