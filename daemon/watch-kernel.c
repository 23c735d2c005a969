// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's own count of TDs under build, `tds_building`: exact, as it counts inside
 * the calls that begin and end a build. It does not say whose builds they are.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "tdxupd.h"
#include "watch.h"

/* @blocker: all builds as one; since when the count was first seen above zero. */
struct watch_kernel {
	struct watch base;
	int root_fd;
	int fd;
	sd_event_source *source;
	struct gate_blocker blocker;
};

static struct watch_kernel *from_base(struct watch *watch)
{
	return (struct watch_kernel *)watch; /* the head comes first */
}

/* The file belongs to a device that can go away: whatever fails, start afresh. */
static void disarm(struct watch_kernel *kernel, int error)
{
	kernel->source = sd_event_source_disable_unref(kernel->source);
	if (kernel->fd >= 0)
		close(TAKE_FD(kernel->fd));
	kernel->blocker.since_usec = 0;
	kernel->base.arm_error = error;
}

static void note(struct watch_kernel *kernel, uint32_t count)
{
	if (count == 0)
		kernel->blocker.since_usec = 0;
	else if (kernel->blocker.since_usec == 0)
		kernel->blocker.since_usec = clock_usec(CLOCK_MONOTONIC);
}

/* Not read here: whoever is told reads it, which also makes poll wait again, and each
 * system call before a commit counts. */
static int on_change(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watch_kernel *kernel = userdata;

	(void)source;
	(void)fd;
	(void)events;
	watch_notify(&kernel->base);
	return 0;
}

static int kernel_arm(struct watch *watch, sd_event *event)
{
	struct watch_kernel *kernel = from_base(watch);
	uint32_t count;
	int r;

	disarm(kernel, 0);
	kernel->fd = tdxupd_host_open_builds(kernel->root_fd);
	if (kernel->fd < 0)
		return kernel->fd;
	r = sd_event_add_io(event, &kernel->source, kernel->fd, EPOLLPRI, on_change,
			    kernel);
	/* The first read is what makes later changes wake the poll. */
	if (r >= 0)
		r = tdxupd_host_read_builds(kernel->fd, &count);
	if (r < 0) {
		disarm(kernel, r);
		return r;
	}
	note(kernel, count);
	return 0;
}

static void kernel_read(struct watch *watch, struct gate_source *ret)
{
	struct watch_kernel *kernel = from_base(watch);
	uint32_t count;
	int r;

	r = tdxupd_host_read_builds(kernel->fd, &count);
	if (r < 0) {
		disarm(kernel, r);
		watch_say_unknown(ret, "tds_building: %s", strerror(-r));
		return;
	}
	note(kernel, count);
	ret->confidence = GATE_EXACT;
	ret->state = count ? GATE_CLOSED : GATE_OPEN;
	ret->count = count;
	ret->blockers = count ? &kernel->blocker : NULL;
	ret->blocker_count = count ? 1 : 0;
}

static void kernel_free(struct watch *watch)
{
	struct watch_kernel *kernel = from_base(watch);

	disarm(kernel, 0);
	free(kernel);
}

static const struct watch_ops kernel_ops = {
	.name = "kernel",
	.arm = kernel_arm,
	.read = kernel_read,
	.free = kernel_free,
};

int watch_kernel_new(int root_fd, struct watch **ret)
{
	struct watch_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return -ENOMEM;
	kernel->base.ops = &kernel_ops;
	kernel->base.arm_error = -ENODATA; /* until armed */
	kernel->root_fd = root_fd;
	kernel->fd = -1;
	*ret = &kernel->base;
	return 0;
}
