// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images by their digest. What is written is complete and on disk before it gets its
 * name; a draft that a crash left behind is nothing that anybody reads, and the next
 * import removes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "image-store.h"
#include "io.h"
#include "state-dir.h"
#include "util.h"

#define STORE_NAME "images"
#define DRAFT_NAME ".draft"

int image_store_open(int root_fd, int *ret_fd)
{
	_cleanup_(cleanup_close)
	int state_fd = -1;
	_cleanup_(cleanup_close)
	int fd = -1;
	int r = state_dir_open(root_fd, &state_fd);

	if (r < 0)
		return r;
	if (mkdirat(state_fd, STORE_NAME, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state_fd, STORE_NAME,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
	r = state_dir_check(fd, S_IFDIR);
	if (r < 0)
		return r;
	/* One writer: the draft is everybody's. */
	if (flock(fd, LOCK_EX) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int write_draft(int store_fd, const uint8_t *bytes, size_t count)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	int r;

	if (unlinkat(store_fd, DRAFT_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(store_fd, DRAFT_NAME,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = io_write_all_fd(fd, bytes, count);
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int give_name(int store_fd, const char *name)
{
	if (renameat(store_fd, DRAFT_NAME, store_fd, name) < 0)
		return -errno;
	return fsync(store_fd) < 0 ? -errno : 0;
}

/* A file of this name that is not whole is no image: the disk was full, or it broke. */
static bool is_there(int store_fd, const char *name, size_t bytes)
{
	struct stat st;

	return fstatat(store_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (size_t)st.st_size == bytes;
}

int image_store_put(int store_fd, const struct tdxupd_image *image,
		    char ret_name[IMAGE_STORE_NAME_BYTES])
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest digest;
	int r = tdxupd_image_convert(image, TDXUPD_CONTAINER_PUBLISHED, &bytes);

	if (r == 0)
		r = digest_sha384(bytes, image->bytes_count, &digest);
	if (r < 0)
		return r;
	snprintf(ret_name, IMAGE_STORE_NAME_BYTES, "%s.blob",
		 tdxupd_digest_format(&digest, text));
	if (is_there(store_fd, ret_name, image->bytes_count))
		return 0;
	r = write_draft(store_fd, bytes, image->bytes_count);
	if (r == 0)
		r = give_name(store_fd, ret_name);
	if (r < 0)
		(void)unlinkat(store_fd, DRAFT_NAME, 0);
	return r < 0 ? r : 1;
}

int image_store_remove(int store_fd, const char *name)
{
	if (strchr(name, '/') || unlinkat(store_fd, name, 0) < 0)
		return strchr(name, '/') ? -EINVAL : -errno;
	return fsync(store_fd) < 0 ? -errno : 0;
}
