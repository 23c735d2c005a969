// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors that something hangs on. What that is, is decided by whoever opens one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lifeline.h"

int lifeline_open(struct lifeline *ret, sd_event *event, sd_event_io_handler_t on_closed,
		  void *userdata, int *ret_fd)
{
	sd_event_source *source = NULL;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* For the hang-up alone: what a holder writes is nobody's business. */
	r = sd_event_add_io(event, &source, fds[0], EPOLLHUP, on_closed, userdata);
	if (r < 0) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	*ret = (struct lifeline){ .fd = fds[0], .source = source };
	*ret_fd = fds[1];
	return 0;
}

int lifeline_adopt(struct lifeline *ret, sd_event *event, int fd,
		   sd_event_io_handler_t on_closed, void *userdata)
{
	sd_event_source *source = NULL;
	int r = sd_event_add_io(event, &source, fd, EPOLLHUP, on_closed, userdata);

	if (r >= 0)
		*ret = (struct lifeline){ .fd = fd, .source = source };
	return r < 0 ? r : 0;
}

void lifeline_close(struct lifeline *lifeline)
{
	if (!lifeline->source)
		return;
	lifeline->source = sd_event_source_disable_unref(lifeline->source);
	close(lifeline->fd);
}
