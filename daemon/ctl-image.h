/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_IMAGE_H
#define CTL_IMAGE_H

#include "ctl.h"
#include "tdxupd.h"

DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)
DEFINE_CLEANUP(struct tdxupd_image, image, tdxupd_image_free)

/* The bytes of a file that might be an image. Return: an exit code, and has said why. */
int ctl_image_read(struct ctl *ctl, const char *path, uint8_t **ret, size_t *ret_bytes);
/* The same as a container's, in whatever form the file is. */
int ctl_image_read_form(struct ctl *ctl, const char *path, uint8_t **ret,
			size_t *ret_bytes);

#endif
