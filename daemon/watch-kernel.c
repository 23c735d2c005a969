// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's own count of TDs under build, `tds_building`: exact, as it counts inside
 * the calls that begin and end a build. It does not say whose builds they are, so builds
 * that an update hit are told of as a number.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "tdxupd.h"
#include "watch.h"

/*
 * @blocker: all builds as one; since when the count was first seen above zero
 * @hit: what is told of those that an update hit
 * @most: the highest count since then
 * @last_usec: when it was last seen above zero, or to fall to it
 */
struct watch_kernel {
	struct watch base;
	int root_fd;
	int fd;
	sd_event_source *source;
	struct gate_blocker blocker;
	struct gate_blocker hit;
	uint32_t most;
	uint64_t last_usec;
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
	bool was_building = kernel->blocker.since_usec;

	if (count || was_building)
		kernel->last_usec = clock_usec(CLOCK_MONOTONIC);
	if (count && !was_building) {
		kernel->blocker.since_usec = kernel->last_usec;
		kernel->most = 0;
	}
	if (count > kernel->most)
		kernel->most = count;
	if (count == 0)
		kernel->blocker.since_usec = 0;
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

/* A notification that nobody has read yet: the count was another one in between. */
static bool has_changed(const struct watch_kernel *kernel)
{
	struct pollfd pollfd = { .fd = kernel->fd, .events = POLLPRI };

	return poll(&pollfd, 1, 0) == 1 && (pollfd.revents & POLLPRI);
}

/* Read last before the commit; one that began and ended since has left its notification
 * behind. */
static size_t kernel_list_overlap(struct watch *watch, uint64_t from_usec,
				  uint64_t to_usec, const struct gate_blocker **ret)
{
	struct watch_kernel *kernel = from_base(watch);
	struct gate_blocker *hit = &kernel->hit;
	bool is_hit = kernel->fd >= 0 && has_changed(kernel);
	uint32_t count;

	if (kernel->fd >= 0 && tdxupd_host_read_builds(kernel->fd, &count) == 0) {
		note(kernel, count);
	} else if (watch->is_relied_on) {
		*hit = (struct gate_blocker){ .since_usec = from_usec };
		snprintf(hit->who, sizeof(hit->who),
			 "cannot be excluded: tds_building can no longer be read");
		*ret = hit;
		return 1;
	}
	if (kernel->last_usec <= from_usec || kernel->blocker.since_usec > to_usec) {
		if (!is_hit)
			return 0;
		kernel->most = 1;
	}
	*hit = kernel->blocker;
	snprintf(hit->who, sizeof(hit->who), "%u TD%s seen by kernel", kernel->most,
		 kernel->most == 1 ? "" : "s");
	*ret = hit;
	return 1;
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
	.list_overlap = kernel_list_overlap,
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
