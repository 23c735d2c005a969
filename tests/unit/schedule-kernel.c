// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel shows of the VMs: the files that the shipped sources read, and, in the
 * place of tracefs, of debugfs and of KVM, the calls by which they do. Each can be
 * silenced, be of a part of the machine, come late, fail or lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libudev.h>
#include <limits.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm-census.h"
#include "schedule.h"
#include "test.h"
#include "tracefs.h"
#include "tree.h"

#define CGROUP   "sys/fs/cgroup/"
#define BUILDING "sys/devices/faux/tdx_host/tds_building"
#define OWN_VM   "1-1"

static struct tree tree;
static int root_fd = -1;
static int misc_fd = -1, building_fd = -1; /* to write */
static int trace_pipe[2] = { -1, -1 };

static bool does_read_fail(void)
{
	struct world *world = schedule_world;

	return world && (world->faults & FAULT_READ) && !world->is_unseen &&
	       chance(world, 10);
}

/* ---- the machine's directory ---- */

int kernel_open(void)
{
	tree_new(&tree);
	tree_put(&tree, CGROUP "misc.current", "tdx 000\n");
	tree_put(&tree, CGROUP "misc.capacity", "tdx 31\n");
	tree_put(&tree, BUILDING, "000\n");
	tree_put(&tree, "sys/module/kvm/refcnt", "1\n");
	tree_put(&tree, "dev/kvm", "");
	root_fd = open(tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	misc_fd = openat(root_fd, CGROUP "misc.current", O_WRONLY | O_CLOEXEC);
	building_fd = openat(root_fd, BUILDING, O_WRONLY | O_CLOEXEC);
	assert_true(misc_fd >= 0 && building_fd >= 0);
	assert_int_equal(pipe2(trace_pipe, O_NONBLOCK | O_CLOEXEC), 0);
	return root_fd;
}

void kernel_close(void)
{
	close(root_fd);
	close(misc_fd);
	close(building_fd);
	close(trace_pipe[0]);
	close(trace_pipe[1]);
	tree_remove(&tree);
}

void kernel_set_namespace(struct world *world, bool is_own)
{
	if (is_own == world->is_cgroup_own)
		return;
	world->is_cgroup_own = is_own;
	world->are_files_old = true;
	if (is_own)
		tree_drop(&tree, CGROUP "misc.capacity");
	else
		tree_put(&tree, CGROUP "misc.capacity", "tdx 31\n");
}

void kernel_changed(struct world *world)
{
	world->are_files_old = true;
	world->has_kernel_news = true;
}

/* As long as each other: no old end shows. */
static void show(int fd, unsigned number, const char *label, unsigned *shown)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%s%03u\n", label, number);

	if (number != *shown)
		assert_int_equal(pwrite(fd, text, (size_t)size, 0), size);
	*shown = number;
}

/* Not before somebody looks. */
static void write_files(struct world *world)
{
	static unsigned tds_shown, building_shown;
	unsigned building = count_vms(world, VM_BUILDING, VM_BUILDING);

	if (!world->are_files_old)
		return;
	world->are_files_old = false;
	for (size_t i = 0; i < VMS; i++)
		building -=
			world->vms[i].state == VM_BUILDING && world->vms[i].is_uncounted;
	show(misc_fd,
	     world->is_cgroup_own ? 0 : count_vms(world, VM_BUILDING, VM_RUNNING), "tdx ",
	     &tds_shown);
	if (world->is_kernel_live) {
		show(building_fd, building, "", &building_shown);
	} else if (building_shown != UINT_MAX) {
		assert_int_equal(ftruncate(building_fd, 0), 0);
		building_shown = UINT_MAX;
	}
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
	if (schedule_world) {
		write_files(schedule_world);
		schedule_world->has_kernel_news = false;
	}
	if (does_read_fail()) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, bytes, count, offset);
}

/* ---- probes ---- */

/* A probe that runs is counted; what keeps its event comes after. */
void kernel_trace(struct world *world, enum probe_call call, const struct vm *vm,
		  bool failed)
{
	size_t i = world->line_count;
	bool is_init = call == PROBE_INIT || call == PROBE_INIT_RETURN;
	char result[32] = "";

	if (!world->are_probes_placed || world->are_probes_blind ||
	    (is_init && vm->is_unheard))
		return;
	world->counts.hits[call]++;
	if (world->is_event_hidden && is_init)
		return;
	if (i == LINES) {
		world->has_lost_last = true;
		return;
	}
	world->line_times[i] = world->now;
	if (!probe_call_is_entry(call))
		snprintf(result, sizeof(result), " ret=0x%x", failed ? 0x80000203 : 0);
	snprintf(world->lines[i], sizeof(world->lines[i]),
		 "  a: init: (b-%u  [001] d..1. %" PRIu64 ".%06" PRIu64
		 ": %s: (a+0x1/0x2 <- b) td=0x%zx%s\n",
		 vm->number, world->now / SEC, world->now % SEC,
		 probe_call_to_string(call), (size_t)(vm - world->vms) + 1, result);
	world->line_count++;
}

void kernel_drop_probes(struct world *world)
{
	world->are_probes_placed = false;
	world->line_count = 0;
	world->has_lost_last = false;
}

/* What has been put together goes at once. */
struct text {
	size_t size;
	char bytes[(LINES + 4) * 160];
};

static void put(struct text *text, const char *line)
{
	size_t size = strlen(line);

	assert_true(text->size + size <= sizeof(text->bytes));
	memcpy(text->bytes + text->size, line, size);
	text->size += size;
}

/* As trace_pipe may give them: neighbours in time in another order, the oldest lost. */
static void put_lines(struct world *world, struct text *text)
{
	size_t from = 0;

	if ((world->faults & FAULT_LOSS) && world->line_count > 1 && chance(world, 30))
		from = (size_t)between(world, 1, world->line_count - 1);
	if (from)
		put(text, "CPU:1 [LOST EVENTS]\n");
	for (size_t i = from; i < world->line_count; i++) {
		if (i + 1 < world->line_count && chance(world, 30) &&
		    world->line_times[i + 1] > world->line_times[i] &&
		    world->line_times[i + 1] - world->line_times[i] < 100) {
			put(text, world->lines[i + 1]);
			put(text, world->lines[i]);
			i++;
		} else {
			put(text, world->lines[i]);
		}
	}
	if (world->has_lost_last)
		put(text, "CPU:1 [LOST EVENTS]\n");
	world->has_lost_last = false;
	world->line_count = 0;
}

static void put_canary(const struct world *world, struct text *text)
{
	static long thread;
	char lines[320];

	if (!thread)
		thread = syscall(SYS_gettid);
	snprintf(lines, sizeof(lines),
		 "a-%1$ld [000] d..1. %2$" PRIu64 ".%3$06" PRIu64
		 ": tdxupd_canary: (a+0x1/0x2) td=0x99\n"
		 "a-%1$ld [000] d..1. %2$" PRIu64 ".%3$06" PRIu64
		 ": tdxupd_canary_ret: (a+0x1/0x2 <- b) td=0x99 ret=0x0\n",
		 thread, world->now / SEC, world->now % SEC);
	put(text, lines);
}

int tracefs_open(int fd, struct tracefs *ret, char *why)
{
	struct world *world = schedule_world;
	char rest[4096];

	(void)fd;
	if (!world->can_have_probes || does_read_fail()) {
		snprintf(why, TRACEFS_WHY_BYTES, "no tracefs");
		return -ENODATA;
	}
	while (read(trace_pipe[0], rest, sizeof(rest)) > 0)
		;
	kernel_drop_probes(world);
	world->counts = (struct probe_counts){ 0 };
	world->are_probes_placed = true;
	world->is_event_hidden = false;
	*ret = TRACEFS_CLOSED;
	ret->pipe_fd = trace_pipe[0];
	return 0;
}

void tracefs_close(struct tracefs *tracefs)
{
	*tracefs = TRACEFS_CLOSED;
}

/* To read the list is what sets off the canary. */
int tracefs_check_probes(const struct tracefs *tracefs, char *why)
{
	struct world *world = schedule_world;
	struct text text;

	(void)tracefs;
	if (!world->are_probes_placed || does_read_fail()) {
		snprintf(why, TRACEFS_WHY_BYTES, "kprobes/list");
		return -ENODATA;
	}
	text.size = 0;
	put_lines(world, &text);
	if (!world->are_probes_blind)
		put_canary(world, &text);
	if (text.size)
		assert_int_equal(write(trace_pipe[1], text.bytes, text.size), text.size);
	return 0;
}

int tracefs_read_counts(const struct tracefs *tracefs, struct probe_counts *ret)
{
	(void)tracefs;
	if (!schedule_world->are_probes_placed || does_read_fail())
		return -ENODATA;
	*ret = schedule_world->counts;
	return 0;
}

bool tracefs_explain_silence(int fd, char *why)
{
	(void)fd;
	snprintf(why, TRACEFS_WHY_BYTES, "kernel.ftrace_enabled is 0");
	return schedule_world->are_probes_blind;
}

/* ---- KVM ---- */

static bool is_own_told;

static void name_vm(const struct vm *vm, char *ret)
{
	snprintf(ret, KVM_VM_NAME_BYTES, "%u-9", vm->number);
}

int kvm_vms_list(int fd, struct kvm_vms *ret)
{
	struct world *world = schedule_world;
	struct kvm_vms vms = { .names = calloc(VMS + 1, KVM_VM_NAME_BYTES) };

	(void)fd;
	assert_non_null(vms.names);
	for (size_t i = 0; i < VMS; i++) {
		const struct vm *vm = &world->vms[i];

		if (vm->state >= VM_SETTING && !vm->is_unlisted)
			name_vm(vm, vms.names[vms.count++]);
	}
	strcpy(vms.names[vms.count++], OWN_VM);
	*ret = vms;
	return 0;
}

void kvm_vms_done(struct kvm_vms *vms)
{
	free(vms->names);
	*vms = (struct kvm_vms){ 0 };
}

static const struct vm *find_vm(const char *name)
{
	char other[KVM_VM_NAME_BYTES];

	for (size_t i = 0; i < VMS; i++) {
		name_vm(&schedule_world->vms[i], other);
		if (schedule_world->vms[i].state >= VM_SETTING &&
		    strcmp(name, other) == 0)
			return &schedule_world->vms[i];
	}
	return NULL;
}

/* Only a TD that is finalised may. */
int kvm_vm_has_run(int fd, const char *name)
{
	const struct vm *vm = find_vm(name);

	(void)fd;
	if (does_read_fail())
		return -EIO;
	return !vm ? -ESRCH : vm->state == VM_RUNNING;
}

int kvm_vms_drop_run(int fd, struct kvm_vms *vms)
{
	for (size_t i = vms->count; i-- > 0;) {
		int r = kvm_vm_has_run(fd, vms->names[i]);

		if (r < 0 && r != -ESRCH)
			return r;
		if (r == 1 || r == -ESRCH)
			memmove(vms->names[i], vms->names[--vms->count],
				KVM_VM_NAME_BYTES);
	}
	return 0;
}

/* KVM_CREATE_VM of the daemon's own VM. */
int ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	assert_int_equal(request, KVM_CREATE_VM);
	is_own_told = false;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct udev *udev_new(void)
{
	return (struct udev *)&tree;
}

struct udev *udev_unref(struct udev *udev)
{
	(void)udev;
	return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
	(void)name;
	return (struct udev_monitor *)udev;
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor)
{
	(void)monitor;
	return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor,
						    const char *subsystem,
						    const char *devtype)
{
	(void)monitor;
	(void)subsystem;
	(void)devtype;
	return 0;
}

int udev_monitor_enable_receiving(struct udev_monitor *monitor)
{
	(void)monitor;
	return 0;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
	if (is_own_told)
		return NULL;
	is_own_told = true;
	return (struct udev_device *)monitor;
}

struct udev_device *udev_device_unref(struct udev_device *device)
{
	(void)device;
	return NULL;
}

const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
	static char count[16];

	(void)device;
	snprintf(count, sizeof(count), "%u",
		 count_vms(schedule_world, VM_SETTING, VM_RUNNING) + 1);
	return strcmp(key, "EVENT") == 0        ? "create"
	       : strcmp(key, "COUNT") == 0      ? count
	       : strcmp(key, "STATS_PATH") == 0 ? "/kvm/" OWN_VM
						: NULL;
}
