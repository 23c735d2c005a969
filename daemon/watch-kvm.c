// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * KVM's uevents: each new VM may be a TD under build until it has settled. A hint only: a
 * VM is no TD by being one, and a build may take longer than any settle time.
 */
#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "clock.h"
#include "kvm-stats.h"
#include "kvm-tracker.h"
#include "watch.h"

/* A burst of VMs must not overflow the socket before this process gets to run: some
 * 10,000 events of 1 KiB. */
#define RECEIVE_BYTES (16 * 1024 * 1024)

/* How often to look, while somebody waits, whether young VMs have run. It wakes nobody.
 */
#define LOOK_USEC 1000000

/* VMs that are named after an update; more are a number. */
#define HITS_MAX 64

struct watch_kvm {
	struct watch base;
	int root_fd;
	bool is_foreign;
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event *event;
	sd_event_source *source;
	sd_event_source *timer;
	struct kvm_tracker *tracker;
	bool is_awaited;
	struct gate_blocker hits[HITS_MAX];
};

static struct watch_kvm *from_base(struct watch *watch)
{
	return (struct watch_kvm *)watch; /* the head comes first */
}

static uint64_t now(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct watch_kvm *kvm = userdata;

	(void)timer;
	(void)usec;
	watch_notify(&kvm->base);
	return 0;
}

/* To be woken when the word changes with nothing happening. */
static void set_timer(struct watch_kvm *kvm)
{
	uint64_t next = kvm_tracker_get_next(kvm->tracker);
	uint64_t look = now() + LOOK_USEC;
	const char(*names)[KVM_VM_NAME_BYTES];

	if (kvm->is_awaited && look < next &&
	    kvm_tracker_list_young(kvm->tracker, now(), &names))
		next = look;
	watch_set_alarm(kvm->event, &kvm->timer, next, on_time, kvm);
}

static void take(struct watch_kvm *kvm, struct udev_device *device)
{
	struct kvm_event_text text = {
		.event = udev_device_get_property_value(device, "EVENT"),
		.pid = udev_device_get_property_value(device, "PID"),
		.created = udev_device_get_property_value(device, "CREATED"),
		.stats_path = udev_device_get_property_value(device, "STATS_PATH"),
	};
	const char *action = udev_device_get_action(device);
	const char *name = udev_device_get_sysname(device);
	struct kvm_event event;

	if (!name || strcmp(name, "kvm") != 0 || !action || strcmp(action, "change") != 0)
		return;
	/* Somebody ran `udevadm trigger`: not KVM's. */
	if (udev_device_get_property_value(device, "SYNTH_UUID"))
		return;
	if (kvm_event_parse(&text, &event) < 0)
		kvm_tracker_doubt(kvm->tracker, "a uevent of KVM could not be read",
				  now());
	else
		kvm_tracker_take(kvm->tracker, &event, now());
}

static int on_uevent(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watch_kvm *kvm = userdata;
	struct udev_device *device;

	(void)source;
	(void)fd;
	(void)events;
	errno = 0;
	while ((device = udev_monitor_receive_device(kvm->monitor))) {
		take(kvm, device);
		udev_device_unref(device);
		errno = 0;
	}
	if (errno == ENOBUFS)
		kvm_tracker_doubt(kvm->tracker, "uevents came faster than they were read",
				  now());
	set_timer(kvm);
	watch_notify(&kvm->base);
	return 0;
}

static void disarm(struct watch_kvm *kvm)
{
	kvm->source = sd_event_source_disable_unref(kvm->source);
	kvm->timer = sd_event_source_disable_unref(kvm->timer);
	kvm->event = sd_event_unref(kvm->event);
	kvm->monitor = udev_monitor_unref(kvm->monitor);
	kvm->udev = udev_unref(kvm->udev);
}

static int listen_to_kernel(struct watch_kvm *kvm, sd_event *event)
{
	int r;

	kvm->udev = udev_new();
	if (!kvm->udev)
		return -errno;
	/* From the kernel itself: what udevd does first would only cost time. */
	kvm->monitor = udev_monitor_new_from_netlink(kvm->udev, "kernel");
	if (!kvm->monitor)
		return -errno;
	r = udev_monitor_filter_add_match_subsystem_devtype(kvm->monitor, "misc", NULL);
	if (r >=
	    0) /* without privileges the buffer stays small, and overflows are seen */
		(void)udev_monitor_set_receive_buffer_size(kvm->monitor, RECEIVE_BYTES);
	if (r >= 0)
		r = udev_monitor_enable_receiving(kvm->monitor);
	if (r >= 0)
		r = sd_event_add_io(event, &kvm->source,
				    udev_monitor_get_fd(kvm->monitor), EPOLLIN, on_uevent,
				    kvm);
	return r;
}

/* Uevents are this machine's, whatever directory stands for one. */
static bool is_this_machine(int root_fd)
{
	struct stat root, here;

	return fstat(root_fd, &here) == 0 && stat("/", &root) == 0 &&
	       here.st_dev == root.st_dev && here.st_ino == root.st_ino;
}

static int kvm_arm(struct watch *watch, sd_event *event)
{
	struct watch_kvm *kvm = from_base(watch);
	int r;

	disarm(kvm);
	kvm->is_foreign = !is_this_machine(kvm->root_fd);
	if (kvm->is_foreign)
		return 0;
	kvm->event = sd_event_ref(event);
	r = listen_to_kernel(kvm, event);
	if (r < 0) {
		disarm(kvm);
		return r;
	}
	kvm_tracker_doubt(kvm->tracker, "VMs may be younger than the settle time", now());
	set_timer(kvm);
	return 0;
}

/*
 * A young VM that has run is no TD under build; unknown is no reason to forget it. Nor is
 * a directory that is not there: a VM gets none while the one before it, of the same
 * name, has not lost its own (kvm_create_vm_debugfs()). That it is gone a uevent tells.
 */
static void forget_run(struct watch_kvm *kvm)
{
	const char(*names)[KVM_VM_NAME_BYTES];
	size_t count = kvm_tracker_list_young(kvm->tracker, now(), &names);

	for (size_t i = 0; i < count; i++)
		if (kvm_vm_has_run(kvm->root_fd, names[i]) > 0)
			kvm_tracker_forget(kvm->tracker, names[i]);
}

static void kvm_say(struct watch *watch, struct gate_source *ret)
{
	struct watch_kvm *kvm = from_base(watch);

	if (kvm->is_foreign) {
		watch_say_unknown(ret, "uevents are not those of this root directory");
		return;
	}
	forget_run(kvm);
	kvm_tracker_read(kvm->tracker, now(), ret);
	set_timer(kvm);
}

static size_t add_hit(struct watch_kvm *kvm, size_t count, uint64_t usec, const char *who)
{
	if (count == HITS_MAX)
		return count;
	kvm->hits[count] = (struct gate_blocker){ .since_usec = usec };
	snprintf(kvm->hits[count].who, sizeof(kvm->hits[count].who), "%s", who);
	return count + 1;
}

/* VMs that have not run by now, of whatever age: by their age alone nobody knows. */
static size_t add_idle(struct watch_kvm *kvm, size_t count, uint64_t usec)
{
	struct kvm_vms vms;
	char who[64];
	int r = kvm_vms_list(kvm->root_fd, &vms);

	if (r < 0)
		return add_hit(kvm, count, usec,
			       "others cannot be excluded: no list of VMs in debugfs");
	(void)kvm_vms_drop_run(kvm->root_fd, &vms);
	for (size_t i = 0; i < vms.count; i++) {
		snprintf(who, sizeof(who), "VM %s, which has not run yet", vms.names[i]);
		count = add_hit(kvm, count, usec, who);
	}
	kvm_vms_done(&vms);
	return count;
}

/* Of those that are young and have run meanwhile, too: they may have been built then. */
static size_t kvm_list_overlap(struct watch *watch, uint64_t from_usec, uint64_t to_usec,
			       const struct gate_blocker **ret)
{
	struct watch_kvm *kvm = from_base(watch);
	const char(*names)[KVM_VM_NAME_BYTES];
	struct gate_source source;
	size_t young, count = 0;
	char who[64];

	(void)to_usec;
	if (!watch->is_relied_on)
		return 0;
	young = kvm_tracker_list_young(kvm->tracker, now(), &names);
	for (size_t i = 0; i < young; i++) {
		if (kvm_vm_has_run(kvm->root_fd, names[i]) <= 0)
			continue;
		snprintf(who, sizeof(who), "VM %s, new and running", names[i]);
		count = add_hit(kvm, count, from_usec, who);
	}
	count = add_idle(kvm, count, from_usec);
	kvm_tracker_read(kvm->tracker, now(), &source);
	if (source.state == GATE_UNKNOWN)
		count = add_hit(kvm, count, from_usec,
				"others cannot be excluded: uevents were lost");
	*ret = kvm->hits;
	return count;
}

static void kvm_attend(struct watch *watch, bool is_awaited)
{
	struct watch_kvm *kvm = from_base(watch);

	kvm->is_awaited = is_awaited;
	if (kvm->event)
		set_timer(kvm);
}

static void kvm_free(struct watch *watch)
{
	struct watch_kvm *kvm = from_base(watch);

	disarm(kvm);
	kvm_tracker_free(kvm->tracker);
	free(kvm);
}

static const struct watch_ops kvm_ops = {
	.name = "kvm",
	.is_fallback = true,
	.arm = kvm_arm,
	.read = kvm_say,
	.attend = kvm_attend,
	.list_overlap = kvm_list_overlap,
	.free = kvm_free,
};

void watch_kvm_set_settle(struct watch *watch, uint64_t settle_usec)
{
	kvm_tracker_set_settle(from_base(watch)->tracker, settle_usec);
}

int watch_kvm_new(int root_fd, uint64_t settle_usec, struct watch **ret)
{
	struct watch_kvm *kvm = calloc(1, sizeof(*kvm));

	if (!kvm)
		return -ENOMEM;
	kvm->base.ops = &kvm_ops;
	kvm->base.arm_error = -ENODATA; /* until armed */
	kvm->root_fd = root_fd;
	if (kvm_tracker_new(settle_usec, &kvm->tracker) < 0) {
		free(kvm);
		return -ENOMEM;
	}
	*ret = &kvm->base;
	return 0;
}
