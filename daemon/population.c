// SPDX-License-Identifier: LGPL-2.1-or-later
/* How many TDs there are, under build or not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "population.h"
#include "util.h"

#define CGROUP_DIR "sys/fs/cgroup"

/* A line per resource, and few of them: sev, sev_es, tdx. */
#define TEXT_BYTES 1024

int population_parse_line(const char *text, const char *label, uint64_t *ret)
{
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

static int read_number(int fd, uint64_t *ret)
{
	char text[TEXT_BYTES];
	int r = io_read_text_fd(fd, text, sizeof(text));

	return r < 0 ? r : population_parse_line(text, "tdx ", ret);
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
	return read_number(fd, &capacity);
}

static int open_files(struct population *population)
{
	_cleanup_(cleanup_close)
	int cgroup_fd = io_open_dir(population->root_fd, CGROUP_DIR, 0);
	_cleanup_(cleanup_close)
	int fd = -1;
	int r;

	if (cgroup_fd < 0)
		return cgroup_fd;
	fd = openat(cgroup_fd, "misc.current", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	r = check_capacity(cgroup_fd);
	if (r < 0)
		return r;
	population->cgroup_fd = TAKE_FD(cgroup_fd);
	population->fd = TAKE_FD(fd);
	return 0;
}

static void close_files(struct population *population)
{
	if (population->fd >= 0)
		close(TAKE_FD(population->fd));
	if (population->cgroup_fd >= 0)
		close(TAKE_FD(population->cgroup_fd));
}

void population_done(struct population *population)
{
	close_files(population);
	refusals_done(&population->refusals);
}

int population_read_number(struct population *population, uint64_t *ret)
{
	int r = population->fd < 0 ? open_files(population) : 0;

	if (r == 0)
		r = read_number(population->fd, ret);
	if (r < 0)
		close_files(population);
	return r;
}

int population_check(struct population *population)
{
	int r = refusals_have_any(&population->refusals, population->cgroup_fd);

	return r > 0 ? -ERANGE : r;
}

int population_read_again(struct population *population, uint64_t *ret)
{
	uint64_t count;
	int r = population_read_number(population, &count);

	/* A refusal that comes after the number was read has not made it too low. */
	if (r == 0)
		r = population_check(population);
	if (r == 0)
		*ret = count;
	return r;
}

int population_read(int root_fd, uint64_t *ret)
{
	_cleanup_(population_done)
	struct population population = POPULATION(root_fd);

	return population_read_again(&population, ret);
}

const char *population_strerror(int error)
{
	switch (error) {
	case -ENODATA:
		return "no misc controller of cgroup v2 that counts TDs";
	case -EXDEV:
		return "misc.current is that of a part of the machine, as in a cgroup "
		       "namespace: no misc.capacity beside it";
	case -ERANGE:
		return "misc.current may be too low until the next boot: a limit has "
		       "refused TDs (tdx.max in misc.events), and KVM gives back what it "
		       "was refused";
	case -EBADMSG:
		return "misc.current has no number of TDs";
	default:
		return strerror(-error);
	}
}
