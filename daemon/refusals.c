// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "population.h"
#include "refusals.h"

/* Slices of systemd, container engines and a person's own; a machine has about ten. */
#define FILES_MAX 1024

/* A line for each resource and event: sev.max, sev_es.max, tdx.max. */
#define TEXT_BYTES 1024

static void close_files(struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->count; i++)
		close(refusals->files[i].fd);
	free(refusals->files);
	refusals->files = NULL;
	refusals->count = 0;
	refusals->is_read = false;
}

void refusals_done(struct refusals *refusals)
{
	close_files(refusals);
	*refusals = (struct refusals){ 0 };
}

/* Takes @fd. */
static int add(struct refusals *refusals, int fd)
{
	struct pollfd *files;

	if (refusals->count >= FILES_MAX) {
		close(fd);
		return -E2BIG;
	}
	files = realloc(refusals->files, (refusals->count + 1) * sizeof(*files));
	if (!files) {
		close(fd);
		return -ENOMEM;
	}
	refusals->files = files;
	files[refusals->count++] = (struct pollfd){ .fd = fd, .events = POLLPRI };
	return 0;
}

/* A cgroup that is gone by now has nothing to say any more. */
static int read_one(struct refusals *refusals, int fd)
{
	char text[TEXT_BYTES];
	uint64_t refused = 0;
	int r = io_read_text_fd(fd, text, sizeof(text));

	if (r == -ENODEV)
		return 0;
	if (r == 0)
		r = population_parse_line(text, "tdx.max ", &refused);
	if (r < 0 && r != -ENODATA)
		return r;
	refusals->has_any |= refused > 0;
	return 0;
}

/* A directory without the file has no misc controller, and its TDs are charged above. */
static int open_one(struct refusals *refusals, int cgroup_fd, const struct dirent *entry)
{
	_cleanup_(cleanup_close)
	int dir_fd = openat(cgroup_fd, entry->d_name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd, r;

	if (dir_fd < 0)
		return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
	fd = openat(dir_fd, "misc.events", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	r = add(refusals, fd);
	return r < 0 ? r : read_one(refusals, fd);
}

static DIR *list(int cgroup_fd)
{
	int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static int read_all(struct refusals *refusals, int cgroup_fd)
{
	DIR *dir = list(cgroup_fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = open_one(refusals, cgroup_fd, entry);
	if (r == 0 && !entry && errno)
		r = -errno;
	closedir(dir);
	return r;
}

/* A new cgroup is a link more of the root; kernfs tells pollers of what was written. */
static bool is_same(const struct refusals *refusals, const struct stat *st)
{
	return refusals->is_read && refusals->links == st->st_nlink &&
	       poll(refusals->files, refusals->count, 0) == 0;
}

int refusals_have_any(struct refusals *refusals, int cgroup_fd)
{
	struct stat st;
	int r;

	if (refusals->has_any)
		return 1;
	if (fstat(cgroup_fd, &st) < 0)
		return -errno;
	if (is_same(refusals, &st))
		return 0;
	close_files(refusals);
	r = read_all(refusals, cgroup_fd);
	if (r < 0) {
		close_files(refusals);
		return r;
	}
	refusals->links = st.st_nlink;
	refusals->is_read = true;
	return refusals->has_any;
}
