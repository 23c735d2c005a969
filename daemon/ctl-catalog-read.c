// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A catalog of images that a network or a process has: a worker reads it, with the
 * daemon's time limit, so that no verb hangs where the file system does.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "catalog-wire.h"
#include "ctl-catalog-read.h"
#include "reader.h"
#include "text.h"

#define WHY_BYTES 512

struct remote {
	const struct ctl_catalog_place *place;
	const char *type;
	int r;
	struct tdxupd_catalog *catalog;
	char *why;
};

/* One that hangs can't be ended, and whoever reads what this program says would wait for
 * its end as well. */
static void let_go_of_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int stream = STDIN_FILENO; fd >= 0 && stream <= STDERR_FILENO; stream++)
		(void)dup2(fd, stream);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int run(void *userdata, struct buffer *out)
{
	const struct remote *remote = userdata;
	const struct ctl_catalog_place *place = remote->place;
	struct tdxupd_catalog *catalog;
	char *why = NULL;
	int r;

	let_go_of_streams();
	r = tdxupd_catalog_read(place->root_fd, place->images, place->mapping,
				place->policy, place->flags, &catalog, &why);

	if (r == 0)
		catalog_put(out, catalog);
	else if (why)
		buffer_put(out, why, strlen(why));
	return r;
}

static char *take_why(const uint8_t *bytes, size_t count)
{
	char raw[WHY_BYTES], why[WHY_BYTES];

	if (count >= sizeof(raw))
		count = sizeof(raw) - 1;
	memcpy(raw, bytes, count);
	raw[count] = '\0';
	text_make_printable(why, sizeof(why), raw);
	return strdup(why);
}

static void on_done(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	struct remote *remote = userdata;

	if (r == 0)
		r = catalog_get(bytes, count, &remote->catalog);
	else if (r == WORKER_HUNG)
		remote->why = text_new("%s: the file system (%s) does not answer",
				       remote->place->images, remote->type);
	else if (count && r != WORKER_CRASHED)
		remote->why = take_why(bytes, count);
	remote->r = r;
}

int ctl_catalog_read(const struct ctl_catalog_place *place, struct tdxupd_catalog **ret,
		     char **ret_why)
{
	char type[MOUNT_TYPE_BYTES];
	struct remote remote = { .place = place, .type = type };
	const struct reader_request request = {
		.run = run,
		.done = on_done,
		.userdata = &remote,
		.fds = { place->root_fd, -1 },
	};
	int r;

	if (!image_place_is_remote(place->root, place->images, type))
		return tdxupd_catalog_read(place->root_fd, place->images, place->mapping,
					   place->policy, place->flags, ret, ret_why);
	r = reader_run_alone(&request);
	if (r == 0)
		r = remote.r;
	if (r == 0)
		*ret = remote.catalog;
	*ret_why = remote.why;
	return r;
}
