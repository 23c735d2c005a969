// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts over the images directory, one above it or below it: a system extension that is
 * merged, a disk that comes late. inotify goes on watching what lies beneath. The kernel
 * tells that the list of mounts has changed (fs/proc_namespace.c, mounts_poll()), and
 * only what concerns the paths that are read has consequences.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "catalog-files.h"
#include "clock.h"
#include "io.h"
#include "journal.h"
#include "known.h"
#include "manager-images.h"
#include "manager-mounts.h"
#include "manager.h"
#include "mount-type.h"
#include "text.h"

#ifndef STATX_MNT_ID_UNIQUE /* Linux 6.8 */
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

#define MOUNTINFO        "/proc/self/mountinfo"
#define MOUNTS_BYTES_MAX (16u << 20)

/* A host that starts containers mounts all the time: one look is for many. */
#define SETTLE_USEC (2 * USEC_PER_SEC)

static const char *get_path(const struct manager *manager, size_t i)
{
	const char *const paths[MOUNTS_PATHS] = {
		manager->config->images, STORE_DIR,     manager->config->mapping,
		KNOWN_DIR_ETC,           KNOWN_DIR_RUN, KNOWN_DIR_USR,
	};

	return paths[i];
}

/* By what the kernel has at hand: to ask a file system, which may not answer, is for the
 * worker that reads. */
static int open_cached(int root_fd, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_CACHED,
	};

	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

/*
 * The list of mounts names them by numbers that are given anew: an extension that is
 * refreshed has the very line that it had before. This number is unique. Return: 0 before
 * Linux 6.8.
 */
static uint64_t get_mount_id(int fd)
{
	struct statx st = { 0 };

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID_UNIQUE, &st) <
	    0)
		return 0;
	return st.stx_mask & STATX_MNT_ID_UNIQUE ? st.stx_mnt_id : 0;
}

/* @real: without symlinks, as far as that is known; @mount_id: of what is on top there */
struct place {
	char *real;
	uint64_t mount_id;
};

static void place_done(struct place *place)
{
	free(place->real);
}

/* @fd: of the first bytes of @path, up to @rest */
static void take_place(int fd, const char *rest, struct place *ret)
{
	char link[64], real[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, real, sizeof(real) - 1);
	if (length < 0)
		return;
	real[length] = '\0';
	ret->real = text_new("%s%s", strcmp(real, "/") ? real : "", rest);
	ret->mount_id = get_mount_id(fd);
}

static void find_place(const struct manager *manager, const char *path, struct place *ret)
{
	const char *root = manager->root;
	_cleanup_(cleanup_free)
	char *part = strdup(path);
	char *end = NULL;

	while (part && !ret->real) {
		_cleanup_(cleanup_close)
		int fd = open_cached(manager->root_fd, *part ? part : "/");

		if (fd >= 0)
			take_place(fd, path + strlen(part), ret);
		end = strrchr(part, '/');
		if (fd >= 0 || !end)
			break;
		*end = '\0';
	}
	if (!ret->real)
		ret->real = text_new("%s%s", strcmp(root, "/") ? root : "", path);
}

static int read_mounts(char **ret)
{
	_cleanup_(cleanup_close)
	int fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
	size_t count;

	return fd < 0 ? -errno
		      : io_read_file_fd(fd, MOUNTS_BYTES_MAX, (uint8_t **)ret, &count);
}

static void say_what_changed(const char *path, const char *real, const char *mounts)
{
	char type[MOUNT_TYPE_BYTES];

	if (mount_type_find(mounts, real, type))
		journal_say(LOG_NOTICE, NULL,
			    "mounts over %s have changed: it is on %s now and is read "
			    "again",
			    path, type);
}

/* Return: whether it is another place than at the last look. */
static bool look_at(struct manager *manager, size_t i, const char *mounts, bool is_loud)
{
	const char *path = get_path(manager, i);
	_cleanup_(place_done)
	struct place place = { 0 };
	uint64_t sum = 0;

	if (path)
		find_place(manager, path, &place);
	if (place.real)
		sum = mount_type_sum(mounts, place.real) ^ place.mount_id;
	if (sum == manager->mounts.sums[i])
		return false;
	manager->mounts.sums[i] = sum;
	if (is_loud && place.real)
		say_what_changed(path, place.real, mounts);
	return true;
}

/* Return: whether anything that is read is concerned. */
static bool look(struct manager *manager, bool is_loud)
{
	_cleanup_(cleanup_free)
	char *mounts = NULL;
	bool has_changed = false;

	if (read_mounts(&mounts) < 0)
		return false;
	for (size_t i = 0; i < MOUNTS_PATHS; i++)
		has_changed |= look_at(manager, i, mounts, is_loud);
	return has_changed;
}

bool manager_mounts_look(struct manager *manager)
{
	return look(manager, true);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	manager->mounts.settler = sd_event_source_disable_unref(manager->mounts.settler);
	/* First: what changes during the look is looked at again. */
	(void)sd_event_source_set_enabled(manager->mounts.source, SD_EVENT_ONESHOT);
	if (manager_mounts_look(manager))
		manager_replan(manager, true);
	return 0;
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)fd;
	(void)events;
	return sd_event_add_time_relative(manager->event, &manager->mounts.settler,
					  CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settled,
					  manager);
}

void manager_mounts_init(struct manager *manager)
{
	manager->mounts.fd = -1;
}

void manager_mounts_watch(struct manager *manager)
{
	struct mounts *mounts = &manager->mounts;

	mounts->fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
	if (mounts->fd < 0 ||
	    sd_event_add_io(manager->event, &mounts->source, mounts->fd, EPOLLPRI,
			    on_mounts, manager) < 0 ||
	    sd_event_source_set_enabled(mounts->source, SD_EVENT_ONESHOT) < 0)
		manager_set_lack(manager, LACK_MOUNTS,
				 strdup(MOUNTINFO
					" can't be watched: what is mounted over the "
					"images directory is noticed only by `tdxupdctl "
					"update` or a reload"));
	(void)look(manager, false);
}

void manager_mounts_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->mounts.settler);
	sd_event_source_disable_unref(manager->mounts.source);
	if (manager->mounts.fd >= 0)
		close(manager->mounts.fd);
}
