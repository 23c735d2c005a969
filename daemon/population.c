// SPDX-License-Identifier: LGPL-2.1-or-later
/* How many TDs there are, under build or not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "io.h"
#include "population.h"
#include "util.h"

#define CGROUP_DIR "sys/fs/cgroup"

/* A line per resource, and few of them: sev, sev_es, tdx. */
#define TEXT_BYTES 1024

int population_parse(const char *text, uint64_t *ret)
{
	static const char label[] = "tdx ";
	const char *line = text;
	size_t digits;
	uint64_t count = 0;

	while (strncmp(line, label, strlen(label)) != 0) {
		line = strchr(line, '\n');
		if (!line)
			return -ENODATA;
		line++;
	}
	line += strlen(label);
	digits = strspn(line, "0123456789");
	if (!digits || digits > 18 || (line[digits] && line[digits] != '\n'))
		return -EBADMSG;
	for (; digits; digits--)
		count = count * 10 + (uint64_t)(*line++ - '0');
	*ret = count;
	return 0;
}

/* misc.capacity is of the root cgroup alone (kernel/cgroup/misc.c:misc_cg_files[]). A
 * machine whose capacity has no line for TDs does not count them. */
static int check_capacity(int cgroup_fd)
{
	_cleanup_(cleanup_close)
	int fd = openat(cgroup_fd, "misc.capacity", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint64_t capacity;

	if (fd < 0)
		return errno == ENOENT ? -EXDEV : -errno;
	return population_read_fd(fd, &capacity);
}

int population_open(int root_fd)
{
	_cleanup_(cleanup_close)
	int cgroup_fd = io_open_dir(root_fd, CGROUP_DIR, 0);
	_cleanup_(cleanup_close)
	int fd = -1;
	int r;

	if (cgroup_fd < 0)
		return cgroup_fd;
	fd = openat(cgroup_fd, "misc.current", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	r = check_capacity(cgroup_fd);
	return r < 0 ? r : TAKE_FD(fd);
}

const char *population_strerror(int error)
{
	switch (error) {
	case -ENODATA:
		return "no misc controller of cgroup v2 that counts TDs";
	case -EXDEV:
		return "misc.current is that of a part of the machine, as in a cgroup "
		       "namespace: no misc.capacity beside it";
	case -EBADMSG:
		return "misc.current has no number of TDs";
	default:
		return strerror(-error);
	}
}

int population_read_fd(int fd, uint64_t *ret)
{
	char text[TEXT_BYTES];
	int r = io_read_text_fd(fd, text, sizeof(text));

	return r < 0 ? r : population_parse(text, ret);
}

int population_read(int root_fd, uint64_t *ret)
{
	_cleanup_(cleanup_close)
	int fd = population_open(root_fd);

	return fd < 0 ? fd : population_read_fd(fd, ret);
}
