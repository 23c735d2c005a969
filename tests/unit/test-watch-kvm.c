// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * 10,000 uevents of this machine's kernel, for a source that reads none before the last
 * was sent: a burst that is worse than any second. Either none is lost, or that one was
 * is noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"
#include "duration.h"
#include "watch.h"

#define EVENTS 10000

/* Passes the filter of the subsystem, and is on machines without KVM, too. */
static const char uevent[] = "/sys/devices/virtual/misc/fuse/uevent";

/* While it lasts the source says unknown, and why. */
#define SETTLE_USEC  (3600 * USEC_PER_SEC)
#define NOTHING_LOST "VMs may be younger than the settle time"
#define LOST         "uevents came faster than they were read"

struct watcher {
	int root_fd;
	sd_event *event;
	struct watch *watch;
	double begin_msec;
};

static double now_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void read_all(struct watcher *watcher)
{
	while (sd_event_run(watcher->event, 0) > 0)
		;
}

static void start(struct watcher *ret)
{
	ret->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(sd_event_new(&ret->event), 0);
	assert_int_equal(watch_kvm_new(ret->root_fd, SETTLE_USEC, &ret->watch), 0);
	watch_arm(ret->watch, ret->event);
	read_all(ret);
	ret->begin_msec = now_msec();
}

static void take(struct watcher *watcher, unsigned count, struct gate_source *ret)
{
	double sent = now_msec();

	read_all(watcher);
	printf("%u uevents: sent in %.0f ms, read in %.0f ms\n", count,
	       sent - watcher->begin_msec, now_msec() - sent);
	fflush(stdout);
	watch_read(watcher->watch, ret);
}

static void end(struct watcher *watcher)
{
	watch_free(watcher->watch);
	sd_event_unref(watcher->event);
	close(watcher->root_fd);
}

/* Return: false, with errno. */
static bool send_events(int fd, unsigned count)
{
	while (count--)
		if (pwrite(fd, "change", 6, 0) != 6)
			return false;
	return true;
}

static void test_none_is_lost(void **state)
{
	struct gate_source source;
	struct watcher watcher;

	start(&watcher);
	assert_true(send_events(*(int *)*state, EVENTS));
	take(&watcher, EVENTS, &source);
	assert_int_equal(source.state, GATE_UNKNOWN);
	assert_string_equal(source.reason, NOTHING_LOST);
	end(&watcher);
}

/* Nobody but root gets room for all of them, nor does the daemon under its unit, without
 * CAP_NET_ADMIN: then it is known that some are missing. */
static void test_a_loss_is_noticed(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct gate_source source;
		struct watcher watcher;

		if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
		    setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		start(&watcher);
		assert_true(send_events(*(int *)*state, 4 * EVENTS));
		take(&watcher, 4 * EVENTS, &source);
		_exit(source.state != GATE_UNKNOWN || strcmp(source.reason, LOST) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* KVM's own, which count: a VM that comes and goes is two of them. */
static void test_every_vm_is_counted(void **state)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;
	struct gate_source source;
	struct watcher watcher;
	unsigned own = 0;

	(void)state;
	vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0) {
		puts("no VM can be created on this machine");
		skip();
	}
	close(vm);
	start(&watcher);
	for (unsigned i = 0; i < EVENTS / 2; i++)
		assert_int_equal(close(ioctl(kvm, KVM_CREATE_VM, 0)), 0);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	assert_true(vm >= 0);
	take(&watcher, EVENTS + 1, &source);
	assert_int_equal(source.state, GATE_CLOSED);
	for (size_t i = 0; i < source.blocker_count; i++)
		own += source.blockers[i].pid == getpid();
	/* Of ours the one that stayed, and none of those that are gone. */
	assert_int_equal(own, 1);
	close(vm);
	read_all(&watcher);
	watch_read(watcher.watch, &source);
	/* Others may create VMs meanwhile, whose uevents overtake ours: a doubt, no loss.
	 */
	assert_string_not_equal(source.reason, LOST);
	end(&watcher);
	close(kvm);
}

int main(void)
{
	static int fd;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_none_is_lost, &fd),
		cmocka_unit_test_prestate(test_a_loss_is_noticed, &fd),
		cmocka_unit_test(test_every_vm_is_counted),
	};

	fd = open(uevent, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || !send_events(fd, 1)) {
		printf("%s: %s\n", uevent, strerror(errno));
		return TEST_SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
