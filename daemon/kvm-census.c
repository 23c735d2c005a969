// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whether debugfs shows all VMs: the list beside the number that KVM's uevents tell. */
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "io.h"
#include "kvm-census.h"
#include "util.h"

DEFINE_CLEANUP(struct udev, udev, udev_unref)
DEFINE_CLEANUP(struct udev_monitor, monitor, udev_monitor_unref)
DEFINE_CLEANUP(struct udev_device, device, udev_device_unref)

/* What KVM told of our own VM. */
struct own {
	char name[KVM_VM_NAME_BYTES];
	unsigned long long count;
};

static int listen_to_kernel(struct udev *udev, struct udev_monitor **ret)
{
	struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "kernel");
	int r;

	if (!monitor)
		return errno ? -errno : -ENOMEM;
	r = udev_monitor_filter_add_match_subsystem_devtype(monitor, "misc", NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(monitor);
	if (r < 0) {
		udev_monitor_unref(monitor);
		return r;
	}
	*ret = monitor;
	return 0;
}

/* The next event of KVM. The kernel sends it before the call returns that it is about.
 * Return: 0; -ENOMSG none; -EAGAIN not that of a new VM, or some were lost. */
static int take_event(struct udev_monitor *monitor, struct own *ret)
{
	_cleanup_(cleanup_device)
	struct udev_device *device = NULL;
	const char *event, *count, *path;

	errno = 0;
	device = udev_monitor_receive_device(monitor);
	if (!device)
		return errno == ENOBUFS ? -EAGAIN : -ENOMSG;
	event = udev_device_get_property_value(device, "EVENT");
	count = udev_device_get_property_value(device, "COUNT");
	path = udev_device_get_property_value(device, "STATS_PATH");
	if (!event || strcmp(event, "create") != 0)
		return -EAGAIN;
	path = path ? strrchr(path, '/') : NULL;
	if (!count || !path || strlen(path + 1) >= sizeof(ret->name))
		return -EOPNOTSUPP;
	strcpy(ret->name, path + 1);
	ret->count = strtoull(count, NULL, 10);
	return 0;
}

static int drop_own(struct kvm_vms *vms, const char *name)
{
	for (size_t i = 0; i < vms->count; i++)
		if (strcmp(vms->names[i], name) == 0) {
			vms->count--;
			memmove(vms->names[i], vms->names[vms->count],
				sizeof(vms->names[i]));
			return 0;
		}
	/* Somebody has our own name. */
	return -ENOTUNIQ;
}

/* The list while our own VM is there, and nothing else happens. */
static int list_and_compare(int root_fd, struct udev_monitor *monitor,
			    struct kvm_vms *ret)
{
	struct own own, other;
	int r = take_event(monitor, &own);

	if (r < 0)
		return r == -ENOMSG ? -EOPNOTSUPP : r;
	r = kvm_vms_list(root_fd, ret);
	if (r < 0)
		return r;
	r = take_event(monitor, &other) == -ENOMSG ? drop_own(ret, own.name) : -EAGAIN;
	if (r == 0 && ret->count + 1 != own.count)
		r = ret->count + 1 < own.count ? -ENOTUNIQ : -EAGAIN;
	if (r < 0)
		kvm_vms_done(ret);
	return r;
}

static bool has_kvm(int root_fd)
{
	return !io_is_present(root_fd, "sys/module") ||
	       io_is_present(root_fd, "sys/module/kvm");
}

int kvm_census(int root_fd, struct kvm_vms *ret)
{
	_cleanup_(cleanup_udev)
	struct udev *udev = NULL;
	_cleanup_(cleanup_monitor)
	struct udev_monitor *monitor = NULL;
	_cleanup_(cleanup_close)
	int kvm = -1;
	_cleanup_(cleanup_close)
	int vm = -1;
	int r;

	if (!has_kvm(root_fd))
		return kvm_vms_list(root_fd, ret);
	kvm = io_open(root_fd, "dev/kvm", O_RDWR);
	if (kvm < 0)
		return kvm;
	udev = udev_new();
	if (!udev)
		return -ENOMEM;
	r = listen_to_kernel(udev, &monitor);
	if (r < 0)
		return r;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -errno;
	return list_and_compare(root_fd, monitor, ret);
}

const char *kvm_census_strerror(int error)
{
	switch (error) {
	case -ENOTUNIQ:
		return "KVM has more VMs than debugfs shows, as one took the name of an "
		       "older one: stop VMs that have not run";
	case -EAGAIN:
		return "VMs come and go at this moment";
	case -EOPNOTSUPP:
		return "KVM does not tell how many VMs there are";
	case -ENODATA:
		return "no /dev/kvm, or debugfs is not mounted";
	default:
		return strerror(-error);
	}
}
