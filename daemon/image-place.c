// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where the images lie. What a type of file system is, mount-type.c knows. */
#include <fcntl.h>
#include <string.h>

#include "image-place.h"
#include "io.h"
#include "text.h"

/* What a host with many containers has is a tenth of that. */
#define MOUNTS_BYTES_MAX (16u << 20)

bool image_place_is_remote(const char *root, const char *images,
			   char ret[MOUNT_TYPE_BYTES])
{
	_cleanup_(cleanup_free)
	char *path = text_new("%s%s", strcmp(root, "/") ? root : "", images);
	_cleanup_(cleanup_free)
	uint8_t *mounts = NULL;
	_cleanup_(cleanup_close)
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t count = 0;

	return path && fd >= 0 &&
	       io_read_file_fd(fd, MOUNTS_BYTES_MAX, &mounts, &count) == 0 &&
	       mount_type_find((const char *)mounts, path, ret) &&
	       mount_type_is_remote(ret);
}
