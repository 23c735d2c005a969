// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hangfs DIR: a file system with a directory of images whose bytes never come, as one on
 * a network is whose server has gone. Names and sizes are answered: it is the read that
 * hangs, and no signal ends it. Unmount it, or end this program.
 */
#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fuse3/fuse.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = { "mapping_file.json", "tdx_module_1.5.16.blob" };

static int on_getattr(const char *path, struct stat *ret, struct fuse_file_info *file)
{
	(void)file;
	memset(ret, 0, sizeof(*ret));
	if (strcmp(path, "/") == 0) {
		ret->st_mode = S_IFDIR | 0755;
		ret->st_nlink = 2;
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path + 1, names[i]) == 0) {
			ret->st_mode = S_IFREG | 0644;
			ret->st_nlink = 1;
			ret->st_size = 100000;
			return 0;
		}
	return -ENOENT;
}

static int on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	(void)path, (void)offset, (void)file, (void)flags;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fill(buffer, names[i], NULL, 0, 0);
	return 0;
}

static int on_open(const char *path, struct fuse_file_info *file)
{
	(void)path, (void)file;
	return 0;
}

static int on_read(const char *path, char *ret, size_t size, off_t offset,
		   struct fuse_file_info *file)
{
	(void)path, (void)ret, (void)size, (void)offset, (void)file;
	for (;;)
		(void)pause();
	return -EIO; /* never */
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.getattr = on_getattr,
		.readdir = on_readdir,
		.open = on_open,
		.read = on_read,
	};
	/* In the foreground; names of others than its own user's are looked up, too. */
	char *args[] = { argv[0],
			 (char *)"-f",
			 (char *)"-o",
			 (char *)"allow_other",
			 argc == 2 ? argv[1] : (char *)"",
			 NULL };

	return fuse_main(5, args, &operations, NULL);
}
