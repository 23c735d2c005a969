// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pipes that systemd keeps together with a memfd that says, as JSON, what each means. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "kept.h"

#define BYTES_MAX 4096

static int write_meaning(struct json_object *meaning, int *ret_fd)
{
	_cleanup_(cleanup_close)
	int fd = memfd_create("tdxupd-kept", MFD_CLOEXEC);
	const char *text = json_print(meaning, JSON_C_TO_STRING_PLAIN);
	size_t bytes = text ? strlen(text) : 0;

	if (fd < 0)
		return -errno;
	if (!text || bytes >= BYTES_MAX)
		return -EMSGSIZE;
	if (pwrite(fd, text, bytes, 0) != (ssize_t)bytes)
		return -EIO;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int kept_put(const char *kind, int pipe_fd, struct json_object *meaning,
	     char ret_name[KEPT_NAME_BYTES])
{
	_cleanup_(cleanup_close)
	int fd = -1;
	struct stat st;
	int r;

	if (!fdstore_is_possible())
		return -ENODATA;
	if (fstat(pipe_fd, &st) < 0)
		return -errno;
	r = write_meaning(meaning, &fd);
	if (r < 0)
		return r;
	/* Of no other pipe that is there. */
	snprintf(ret_name, KEPT_NAME_BYTES, "%s-%ju", kind, (uintmax_t)st.st_ino);
	/* A meaning without a pipe is nothing; a pipe without one is never there. */
	r = fdstore_put(ret_name, fd);
	if (r == 0)
		r = fdstore_put(ret_name, pipe_fd);
	if (r < 0)
		fdstore_remove(ret_name);
	return r;
}

static struct json_object *read_meaning(int fd)
{
	struct json_object *object = NULL;
	char text[BYTES_MAX] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0 || json_parse(text, (size_t)n, 8, &object) < 0)
		return NULL;
	return object;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static void take_both(struct fdstore *store, const char *name, int *ret_pipe_fd,
		      struct json_object **ret_meaning)
{
	int fd;

	*ret_pipe_fd = -1;
	*ret_meaning = NULL;
	while ((fd = fdstore_get(store, name)) >= 0) {
		if (*ret_pipe_fd < 0 && is_pipe(fd)) {
			*ret_pipe_fd = fd;
			continue;
		}
		if (!*ret_meaning)
			*ret_meaning = read_meaning(fd);
		close(fd);
	}
}

int kept_take(struct fdstore *store, const char *kind, char ret_name[KEPT_NAME_BYTES],
	      int *ret_pipe_fd, struct json_object **ret_meaning)
{
	for (size_t i = 0; i < store->count; i++) {
		const struct fdstore_item *item = &store->items[i];

		if (item->fd < 0 || strlen(item->name) >= KEPT_NAME_BYTES ||
		    strncmp(item->name, kind, strlen(kind)) != 0)
			continue;
		strcpy(ret_name, item->name);
		take_both(store, ret_name, ret_pipe_fd, ret_meaning);
		if (*ret_pipe_fd >= 0 && *ret_meaning)
			return 1;
		if (*ret_pipe_fd >= 0)
			close(*ret_pipe_fd);
		json_object_put(*ret_meaning);
		fdstore_remove(ret_name);
	}
	return 0;
}
