// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What tells that images, or what is on record of them, have changed. Mounts are seen
 * elsewhere, in manager-mounts.c.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>

#include "catalog-files.h"
#include "images-watch.h"
#include "io.h"
#include "known.h"
#include "text.h"
#include "util.h"

#define FOLDERS_MAX 64 /* in a folder; more are read, and not watched */

#define IMAGE_EVENTS                                                            \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define PARENT_EVENTS \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
/* Of a part of a path, be it a symlink: it leads elsewhere, or others may write there. */
#define PART_EVENTS (IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB | IN_DONT_FOLLOW)

DEFINE_CLEANUP(char *, names, io_free_names)

/* Several paths may meet in one directory: what each wants of it is kept. */
static bool watch(int watch_fd, const char *path, uint32_t events)
{
	return inotify_add_watch(watch_fd, path, events | IN_MASK_ADD) >= 0;
}

/* Folders of images, as deep as they are read. What fails is found by the next look. */
static void watch_folders(int watch_fd, const char *path, unsigned depth)
{
	_cleanup_(cleanup_close)
	int fd = depth ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	_cleanup_(cleanup_names)
	char **files = NULL;
	_cleanup_(cleanup_names)
	char **folders = NULL;
	size_t file_count, folder_count = 0;

	if (fd < 0 || io_list_kinds(fd, &files, &file_count, &folders, &folder_count) < 0)
		return;
	for (size_t i = 0; i < folder_count && i < FOLDERS_MAX; i++) {
		_cleanup_(cleanup_free)
		char *below = text_new("%s/%s", path, folders[i]);

		if (folders[i][0] != '.' && below && watch(watch_fd, below, IMAGE_EVENTS))
			watch_folders(watch_fd, below, depth - 1);
	}
}

/* What is above may be moved away with all that is in it, which is heard there only. */
static void watch_parts(int watch_fd, const char *base, const char *path)
{
	_cleanup_(cleanup_free)
	char *part = strdup(path);
	char *slash;

	while (part && (slash = strrchr(part, '/')) && slash > part + strlen(base)) {
		*slash = '\0';
		(void)watch(watch_fd, part, PART_EVENTS);
	}
}

/* Of a directory that is not there, the nearest that is: the first package with images
 * makes it. */
static void watch_images(int watch_fd, const char *base, const char *path)
{
	_cleanup_(cleanup_free)
	char *parent = strdup(path);
	char *slash;

	(void)watch(watch_fd, path, PART_EVENTS);
	watch_parts(watch_fd, base, path);
	if (watch(watch_fd, path, IMAGE_EVENTS)) {
		watch_folders(watch_fd, path, FILES_DEPTH_MAX);
		return;
	}
	while (parent && (slash = strrchr(parent, '/')) &&
	       slash >= parent + strlen(base)) {
		*slash = '\0';
		if (watch(watch_fd, *parent ? parent : "/", PARENT_EVENTS))
			break;
	}
	/* It may have come before somebody looked. */
	(void)watch(watch_fd, path, IMAGE_EVENTS);
}

/* Beside the store the daemon writes itself, and in /run/tdxupd during each update: what
 * is above them is not watched. */
static void watch_store(int watch_fd, const char *base)
{
	_cleanup_(cleanup_free)
	char *path = text_new("%s" STORE_DIR, base);

	if (path)
		(void)watch(watch_fd, path, IMAGE_EVENTS);
}

static void watch_parent(int watch_fd, const char *base, const char *file,
			 uint32_t events)
{
	_cleanup_(cleanup_free)
	char *path = text_new("%s%s", base, file);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return;
	*slash = '\0';
	(void)watch(watch_fd, path, events);
}

static void watch_records(int watch_fd, const char *base)
{
	static const char *const dirs[] = { KNOWN_DIR_ETC, KNOWN_DIR_RUN, KNOWN_DIR_USR };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_(cleanup_free)
		char *path = text_new("%s%s", base, dirs[i]);

		if (path && !watch(watch_fd, path, IMAGE_EVENTS) &&
		    strcmp(dirs[i], KNOWN_DIR_RUN) != 0)
			watch_parent(watch_fd, base, dirs[i], PARENT_EVENTS);
	}
}

void images_watch(int watch_fd, const char *root, const char *images, const char *mapping)
{
	const char *base = strcmp(root, "/") ? root : "";
	_cleanup_(cleanup_free)
	char *path = text_new("%s%s", base, images);

	if (path)
		watch_images(watch_fd, base, path);
	watch_store(watch_fd, base);
	watch_records(watch_fd, base);
	if (mapping)
		watch_parent(watch_fd, base, mapping, IMAGE_EVENTS);
}
