// SPDX-License-Identifier: LGPL-2.1-or-later
/* A limit on TDs for as long as an update needs it. When, is decided in barrier.c. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fence.h"
#include "io.h"
#include "population.h"
#include "text.h"

#define CGROUPS "sys/fs/cgroup/"

/* Ends a record that a crash has not torn. */
#define COMPLETE " ."

/* The names of slices and of limits are short; systemd's are at most 255 bytes each. */
#define TEXT_BYTES 1024

bool fence_is_slice(const char *slice)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789:_.-@/\\";

	return *slice && *slice != '/' && strlen(slice) < TEXT_BYTES / 2 &&
	       strspn(slice, allowed) == strlen(slice) && !strstr(slice, "..");
}

static int read_slice(int root_fd, const char *slice, const char *file, char *ret)
{
	_cleanup_(cleanup_free)
	char *path = text_new(CGROUPS "%s/%s", slice, file);

	return path ? io_read_text(root_fd, path, ret, TEXT_BYTES) : -ENOMEM;
}

static int write_limit(int root_fd, const char *slice, const char *limit)
{
	_cleanup_(cleanup_free)
	char *path = text_new(CGROUPS "%s/misc.max", slice);
	_cleanup_(cleanup_free)
	char *line = text_new("tdx %s\n", limit);

	return path && line ? io_write_text(root_fd, path, line) : -ENOMEM;
}

static bool is_limit(const char *text)
{
	return strcmp(text, "max") == 0 || (*text && strlen(text) <= 20 &&
					    strspn(text, "0123456789") == strlen(text));
}

/* "max" or a number, as the line of TDs in misc.max has it. */
static int read_limit(int root_fd, const char *slice, char *ret)
{
	char text[TEXT_BYTES], *save = NULL;
	int r = read_slice(root_fd, slice, "misc.max", text);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "tdx %31s", ret) == 1)
			return is_limit(ret) ? 0 : -EBADMSG;
	return -ENODATA;
}

/* Written before the limit is changed, and whole or not at all as far as anyone reads. */
static int remember(int root_fd, const char *slice, const char *limit)
{
	_cleanup_(cleanup_free)
	char *line = text_new("%s %s" COMPLETE "\n", slice, limit);
	_cleanup_(cleanup_close)
	int fd = -1;

	if (!line)
		return -ENOMEM;
	if ((mkdirat(root_fd, "run", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(root_fd, "run/tdxupd", 0755) < 0 && errno != EEXIST))
		return -errno;
	fd = openat(root_fd, FENCE_PATH,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? -EALREADY : -errno;
	return io_write_all_fd(fd, line, strlen(line));
}

int fence_raise(int root_fd, const char *slice)
{
	char current[TEXT_BYTES], limit[32], number[32];
	uint64_t count;
	int r;

	if (!fence_is_slice(slice))
		return -EINVAL;
	r = read_limit(root_fd, slice, limit);
	if (r == 0)
		r = read_slice(root_fd, slice, "misc.current", current);
	if (r == 0)
		r = population_parse_line(current, "tdx ", &count);
	if (r == 0)
		r = remember(root_fd, slice, limit);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%" PRIu64, count);
	r = write_limit(root_fd, slice, number);
	if (r < 0)
		(void)unlinkat(root_fd, FENCE_PATH, 0);
	return r;
}

/* Cut into its two words; torn by a crash it has none: nothing had been changed yet. */
static bool cut_record(char *text, char **ret_limit)
{
	size_t length = strlen(text), end = strlen(COMPLETE);
	char *limit = strchr(text, ' ');

	if (!limit || length < end || strcmp(text + length - end, COMPLETE) != 0)
		return false;
	text[length - end] = '\0';
	*limit++ = '\0';
	*ret_limit = limit;
	return fence_is_slice(text) && is_limit(limit);
}

int fence_lower(int root_fd)
{
	char text[TEXT_BYTES], *limit;
	int r = io_read_text(root_fd, FENCE_PATH, text, sizeof(text));

	if (r == -ENODATA)
		return 0;
	if (r == 0 && cut_record(text, &limit))
		r = write_limit(root_fd, text, limit);
	/* The slice is gone, or the record is not even text. */
	if (r < 0 && r != -ENODATA && r != -EBADMSG)
		return r;
	return unlinkat(root_fd, FENCE_PATH, 0) < 0 ? -errno : 0;
}
