/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_CATALOG_READ_H
#define CTL_CATALOG_READ_H

#include "image-place.h"
#include "tdxupd.h"

/* Arguments of tdxupd_catalog_read(). */
struct ctl_catalog_place {
	const char *root;
	int root_fd;
	const char *images;
	const char *mapping;
	const struct tdxupd_policy *policy;
	unsigned flags;
};

/* As tdxupd_catalog_read(); -ETIMEDOUT where a remote file system does not answer. The
 * bytes of images are not read from one. */
int ctl_catalog_read(const struct ctl_catalog_place *place, struct tdxupd_catalog **ret,
		     char **ret_why);

#endif
