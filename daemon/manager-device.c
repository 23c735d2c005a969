// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The TDX device as the kernel tells of it: a driver that is loaded, or loaded again,
 * under a running daemon. What is then armed is the sources' business; a job that waits
 * finds out that its files are another device's.
 */
#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "duration.h"
#include "job-run.h"
#include "manager-device.h"
#include "manager-jobs.h"
#include "manager-lacks.h"
#include "text.h"

/* A driver makes its device, then the files of it, then the upload: one look at the end.
 */
#define SETTLE_USEC (100 * USEC_PER_MSEC)

struct manager_device {
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event_source *source;
	sd_event_source *timer;
};

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	struct job *job;

	(void)source;
	(void)usec;
	/* Those that hold a file of the old device find out, and are armed again. */
	sources_read(&manager->sources);
	(void)manager_refresh(manager, "external");
	job = manager_get_current(manager);
	if (job)
		job_on_write(job);
	return 0;
}

static bool is_ours(struct udev_device *device)
{
	const char *name = udev_device_get_sysname(device);

	return name && (strcmp(name, "tdx_host") == 0 || strcmp(name, "tdx_module") == 0);
}

static int on_uevent(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct manager *manager = userdata;
	struct manager_device *watch = manager->device;
	struct udev_device *device;
	bool has_news = false;

	(void)source;
	(void)fd;
	(void)events;
	errno = 0;
	while ((device = udev_monitor_receive_device(watch->monitor))) {
		has_news = has_news || is_ours(device);
		udev_device_unref(device);
		errno = 0;
	}
	/* What was lost may have been ours. */
	if (has_news || errno == ENOBUFS)
		(void)watch_set_timer(manager->event, &watch->timer, SETTLE_USEC,
				      on_settled, manager);
	return 0;
}

/* Uevents are this machine's, whatever directory stands for one. */
static bool is_this_machine(int root_fd)
{
	struct stat root, here;

	return fstat(root_fd, &here) == 0 && stat("/", &root) == 0 &&
	       here.st_dev == root.st_dev && here.st_ino == root.st_ino;
}

static int listen_to_kernel(struct manager *manager, struct manager_device *watch)
{
	static const char *const subsystems[] = { "faux", "firmware" };
	int r = 0;

	watch->udev = udev_new();
	if (!watch->udev)
		return -errno;
	/* From the kernel itself: udevd may not run where the daemon does. */
	watch->monitor = udev_monitor_new_from_netlink(watch->udev, "kernel");
	if (!watch->monitor)
		return -errno;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(subsystems); i++)
		r = udev_monitor_filter_add_match_subsystem_devtype(watch->monitor,
								    subsystems[i], NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(watch->monitor);
	if (r >= 0)
		r = sd_event_add_io(manager->event, &watch->source,
				    udev_monitor_get_fd(watch->monitor), EPOLLIN,
				    on_uevent, manager);
	return r;
}

void manager_watch_device(struct manager *manager)
{
	int r;

	if (!is_this_machine(manager->root_fd))
		return;
	manager->device = calloc(1, sizeof(*manager->device));
	r = manager->device ? listen_to_kernel(manager, manager->device) : -ENOMEM;
	if (r >= 0)
		return;
	manager_device_done(manager);
	manager_set_lack(manager, LACK_DEVICE,
			 text_new("no uevents to be had (%s): a driver of TDX that is "
				  "loaded later is noticed only when somebody asks for "
				  "an update or `tdxupdctl status`",
				  strerror(-r)));
}

void manager_device_done(struct manager *manager)
{
	struct manager_device *watch = manager->device;

	if (!watch)
		return;
	sd_event_source_disable_unref(watch->source);
	sd_event_source_disable_unref(watch->timer);
	udev_monitor_unref(watch->monitor);
	udev_unref(watch->udev);
	free(watch);
	manager->device = NULL;
}
