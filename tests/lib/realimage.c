// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "realimage.h"

#define SKIPPED 77 /* meson's exit status for a test that could not run */

int realimage_open_or_skip(void)
{
	const char *dir = getenv("TDXUPD_IMAGES");
	const char *source = getenv("TDXUPD_SOURCE");
	char *path = NULL;
	int fd;

	if (asprintf(&path, "%s%s",
		     dir      ? dir
		     : source ? source
			      : ".",
		     dir ? "" : "/../shared/tdx-modules") < 0)
		abort();
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		printf("skipped: no published images in %s (%s); set TDXUPD_IMAGES\n",
		       path, strerror(errno));
		exit(SKIPPED);
	}
	free(path);
	return fd;
}
