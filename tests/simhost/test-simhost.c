// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The simulated host's files against what sysfs does: modes and errno, which kernel has
 * which, what they say, how poll and reads behave; and what its commands refuse.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"
#include "world.h"

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world_start(world, 4, NULL);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_stop(*state);
	free(*state);
	return 0;
}

static void test_modes_and_open(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} files[] = {
		{ WORLD_HOST "version", 0444 },
		{ WORLD_HOST "seamldr_version", 0400 },
		{ WORLD_HOST "num_remaining_updates", 0400 },
		{ WORLD_HOST "features0", 0444 },
		{ WORLD_HOST "update_guard", 0444 },
		{ WORLD_HOST "tds_building", 0444 },
		{ WORLD_HOST "last_status", 0444 },
		{ WORLD_HOST "mrseam", 0444 },
		{ WORLD_HOST "tee_tcb_svn", 0444 },
		{ WORLD_HOST "image", 0200 },
		{ WORLD_HOST "update", 0200 },
		{ WORLD_UPLOAD "loading", 0644 },
		{ WORLD_UPLOAD "data", 0644 },
		{ WORLD_UPLOAD "status", 0444 },
		{ WORLD_UPLOAD "error", 0444 },
		{ WORLD_UPLOAD "remaining_size", 0444 },
		{ WORLD_UPLOAD "cancel", 0200 },
		{ "sys/devices/system/cpu/online", 0444 },
		{ "proc/cpuinfo", 0444 },
	};
	const struct world *world = *state;
	struct stat status;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(fstatat(world->tree.fd, files[i].path, &status, 0), 0);
		assert_int_equal(status.st_mode & 07777, files[i].mode);
		/* Root too is refused what the mode gives to nobody. */
		if (!(files[i].mode & 0444))
			assert_int_equal(world_read(world, files[i].path, &text),
					 -EACCES);
		if (!(files[i].mode & 0222))
			assert_int_equal(world_write(world, files[i].path, "1"), -EACCES);
	}
	assert_int_equal(world_write(world, WORLD_HOST "nothing", "1"), -ENOENT);
	assert_int_equal(
		openat(world->tree.fd, WORLD_HOST "new", O_CREAT | O_WRONLY, 0644), -1);
	assert_int_equal(errno, EACCES);
}

/* What somebody who is not root may do. */
static int as_nobody(const struct world *world)
{
	char *text;

	if (chmod(world->tree.path, 0755) || setgid(65534) || setuid(65534))
		return 1;
	if (world_read(world, WORLD_HOST "version", &text) != 0)
		return 2;
	if (world_read(world, WORLD_HOST "num_remaining_updates", &text) != -EACCES)
		return 3;
	if (world_write(world, WORLD_UPLOAD "loading", "1") != -EACCES)
		return 4;

	return 0;
}

static void test_others_read_what_they_may(void **state)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(as_nobody(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_says_what_the_machine_is(void **state)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ WORLD_HOST "version", "1.5.06\n" },
		{ WORLD_HOST "seamldr_version", "1.5.00\n" },
		{ WORLD_HOST "num_remaining_updates", "14\n" },
		{ WORLD_HOST "features0", "0x000000002e1f0fbf\n" },
		{ WORLD_HOST "update_guard", "kernel\n" },
		{ WORLD_HOST "tds_building", "0\n" },
		{ WORLD_HOST "last_status", "" },
		/* As Intel published it. */
		{ WORLD_HOST "mrseam",
		  "5b38e33a6487958b72c3c12a938eaa5e3fd4510c51aeeab5"
		  "8c7d5ecee41d7c436489d6c8e4f92f160b7cad34207b00c1\n" },
		{ WORLD_HOST "tee_tcb_svn", "06010000000000000000000000000000\n" },
		{ WORLD_UPLOAD "loading", "0\n" },
		{ WORLD_UPLOAD "status", "idle\n" },
		{ WORLD_UPLOAD "error", "" },
		{ WORLD_UPLOAD "remaining_size", "0\n" },
		{ "sys/devices/system/cpu/online", "0-3\n" },
		{ "sys/devices/system/cpu/offline", "\n" },
		{ "sys/devices/system/cpu/present", "0-3\n" },
		{ "sys/devices/system/cpu/possible", "0-3\n" },
		{ "sys/fs/cgroup/misc.current", "tdx 0\n" },
		{ "sys/fs/cgroup/misc.capacity", "tdx 63\n" },
		{ "sys/fs/cgroup/machine.slice/misc.max", "tdx max\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		world_assert_reads(*state, files[i].path, files[i].text);
}

static void test_each_kernel_has_its_files(void **state)
{
	static const struct {
		const char *path;
		bool is_there[3]; /* mainline, patched, piece */
	} files[] = {
		{ WORLD_HOST "version", { true, true, true } },
		{ WORLD_UPLOAD "loading", { true, true, true } },
		{ WORLD_HOST "features0", { false, true, true } },
		{ WORLD_HOST "update_guard", { false, true, true } },
		{ WORLD_HOST "tds_building", { false, false, true } },
		{ WORLD_HOST "image", { false, false, true } },
		{ WORLD_HOST "update", { false, false, true } },
		{ WORLD_HOST "last_status", { false, false, true } },
		{ WORLD_HOST "mrseam", { false, false, true } },
		{ WORLD_HOST "tee_tcb_svn", { false, false, true } },
	};
	static const char *const kernels[] = { "mainline", "patched", "piece" };
	struct world *world = *state;

	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		world_do(world, "host kernel=%s", kernels[k]);
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			assert_int_equal(
				!faccessat(world->tree.fd, files[i].path, F_OK, 0),
				files[i].is_there[k]);
	}
}

static void test_no_updates_with_the_cpu_bug(void **state)
{
	struct world *world = *state;

	world_do(world, "set cpu-bug=yes");
	world_do(world, "boot");
	assert_int_equal(faccessat(world->tree.fd, WORLD_UPLOAD "loading", F_OK, 0), -1);
	assert_int_equal(faccessat(world->tree.fd, WORLD_HOST "seamldr_version", F_OK, 0),
			 -1);
	assert_int_equal(faccessat(world->tree.fd, WORLD_HOST "version", F_OK, 0), 0);
	/* The same where the module cannot preserve TDs. */
	world_do(world, "set cpu-bug=no");
	world_do(world, "boot features0=0x1");
	assert_int_equal(faccessat(world->tree.fd, WORLD_UPLOAD "loading", F_OK, 0), -1);
}

static void test_offline_cpus_vanish(void **state)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	struct world *world = *state;

	world_do(world, "lp offline 2");
	world_assert_reads(world, "sys/devices/system/cpu/online", "0-1,3\n");
	world_assert_reads(world, "sys/devices/system/cpu/offline", "2\n");
	world_assert_reads(world, "sys/devices/system/cpu/present", "0-3\n");
	assert_int_equal(world_read(world, "proc/cpuinfo", &text), 0);
	assert_non_null(strstr(text, "processor\t: 1\n"));
	assert_null(strstr(text, "processor\t: 2\n"));
	world_refuse(world, "EPERM", "lp offline 0");
	/* One that the kernel never heard of is in no mask at all. */
	world_do(world, "lp online 2");
	world_do(world, "host hidden=1");
	world_assert_reads(world, "sys/devices/system/cpu/possible", "0-2\n");
	/* A slot of firmware's table that is empty is in one. */
	world_do(world, "host hidden=0");
	world_do(world, "host empty=4");
	world_assert_reads(world, "sys/devices/system/cpu/possible", "0-7\n");
	world_assert_reads(world, "sys/devices/system/cpu/present", "0-3\n");
}

static void test_a_boot_is_a_new_one(void **state)
{
	_cleanup_(cleanup_free)
	char *before = NULL;
	_cleanup_(cleanup_free)
	char *after = NULL;
	struct world *world = *state;

	assert_int_equal(world_read(world, "proc/sys/kernel/random/boot_id", &before), 0);
	assert_int_equal(strlen(before), 37);
	world_do(world, "boot version=1.5.05");
	assert_int_equal(world_read(world, "proc/sys/kernel/random/boot_id", &after), 0);
	assert_string_not_equal(before, after);
	world_assert_reads(world, WORLD_HOST "version", "1.5.05\n");
}

static int poll_now(int fd, int timeout_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLPRI };
	int count = poll(&polled, 1, timeout_ms);

	return count > 0 ? polled.revents : -count;
}

static void test_poll_tells_of_builds(void **state)
{
	struct world *world = *state;
	char text[8] = "";
	int fd = openat(world->tree.fd, WORLD_HOST "tds_building", O_RDONLY | O_CLOEXEC);

	/* Before the first read it returns at once, as kernfs does. */
	assert_int_equal(poll_now(fd, 0), POLLPRI | POLLERR);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 2);
	assert_int_equal(poll_now(fd, 0), 0);

	world_do(world, "td build a 100ms");
	assert_int_equal(poll_now(fd, 5000), POLLPRI | POLLERR);
	/* Until it is read again. */
	assert_int_equal(poll_now(fd, 0), POLLPRI | POLLERR);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 2);
	assert_string_equal(text, "1\n");
	/* The end wakes a poll that is waiting. */
	assert_int_equal(poll_now(fd, 5000), POLLPRI | POLLERR);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 2);
	assert_string_equal(text, "0\n");
	assert_int_equal(poll_now(fd, 0), 0);
	close(fd);
}

static void test_a_kept_descriptor_reads_afresh(void **state)
{
	struct world *world = *state;
	char text[16] = "";
	int fd = openat(world->tree.fd, WORLD_HOST "tds_building", O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, text, 1), 1);
	world_do(world, "td build a 1m");
	/* Going on in the text that was made at offset 0. */
	assert_int_equal(read(fd, text + 1, 8), 1);
	assert_string_equal(text, "0\n");
	assert_int_equal(read(fd, text, 8), 0);
	assert_int_equal(pread(fd, text, 8, 0), 2);
	assert_string_equal(text, "1\n");
	close(fd);
}

/* As kernfs: the descriptor is there, the attribute is not. */
static void test_a_file_that_went_away_answers_nobody(void **state)
{
	struct world *world = *state;
	char text[32];
	int fd = openat(world->tree.fd, WORLD_HOST "features0", O_RDONLY | O_CLOEXEC);

	assert_true(pread(fd, text, sizeof(text), 0) > 0);
	world_do(world, "host kernel=mainline");
	assert_int_equal(pread(fd, text, sizeof(text), 0), -1);
	assert_int_equal(errno, ENODEV);
	close(fd);
}

static void test_slow_and_hung_files(void **state)
{
	struct world *world = *state;
	pid_t child;
	int status;

	world_do(world, "slow version 50ms");
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
	world_do(world, "hang version");
	child = fork();
	if (!child) {
		world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
		_exit(0);
	}
	/* Others go on meanwhile. */
	world_assert_reads(world, WORLD_HOST "tds_building", "0\n");
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	world_do(world, "release");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_a_slice_has_no_more_tds_than_it_may(void **state)
{
	static const char max[] = "sys/fs/cgroup/machine.slice/misc.max";
	struct world *world = *state;

	world_do(world, "td build a manual");
	assert_int_equal(world_write(world, max, "tdx 1\n"), 0);
	world_assert_reads(world, max, "tdx 1\n");
	world_assert_reads(world, "sys/fs/cgroup/machine.slice/misc.events",
			   "tdx.max 0\n");
	world_refuse(world, "EBUSY", "td build b manual");
	world_assert_reads(world, "sys/fs/cgroup/machine.slice/misc.events",
			   "tdx.max 1\n");
	world_assert_reads(world, "sys/fs/cgroup/misc.current", "tdx 1\n");
	assert_int_equal(world_write(world, max, "tdx many"), -EINVAL);
	assert_int_equal(world_write(world, max, "tea 2"), -EINVAL);
	world_assert_reads(world, max, "tdx 1\n");
	assert_int_equal(world_write(world, max, "tdx max"), 0);
	world_do(world, "td build b manual");
}

/* As Linux 7.3's KVM does: the count is too low from then on, and the limit with it. */
static void test_a_refused_charge_is_given_back(void **state)
{
	static const char max[] = "sys/fs/cgroup/machine.slice/misc.max";
	static const char events[] = "sys/fs/cgroup/machine.slice/misc.events";
	struct world *world = *state;
	char text[32];
	int fd = openat(world->tree.fd, events, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), (int)strlen("tdx.max 0\n"));
	assert_int_equal(poll_now(fd, 0), 0);
	world_do(world, "host refused=given-back");
	world_do(world, "td build a manual");
	assert_int_equal(world_write(world, max, "tdx 1\n"), 0);
	world_refuse(world, "EBUSY", "td build b manual");
	assert_int_equal(poll_now(fd, 0), POLLPRI | POLLERR);
	close(fd);
	world_assert_reads(world, "sys/fs/cgroup/misc.current", "tdx 0\n");
	world_do(world, "td build b manual");
	world_do(world, "td abort a");
	world_do(world, "td abort b");
	world_assert_reads(world, "sys/fs/cgroup/misc.current",
			   "tdx 18446744073709551615\n");
}

static void test_starts_over_a_dead_ones_mount(void **state)
{
	struct world *world = *state, again;
	int status;

	kill(world->simhost, SIGKILL);
	waitpid(world->simhost, &status, 0);
	close(world->control);
	assert_int_equal(faccessat(world->tree.fd, WORLD_HOST "version", F_OK, 0), -1);
	assert_int_equal(errno, ENOTCONN);
	again = *world;
	world_start_at(&again, 4, NULL);
	*world = again;
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
}

static void test_bad_commands_are_refused(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{ "", "EINVAL" },
		{ "dance", "ENOENT" },
		{ "td", "EINVAL" },
		{ "td dance a", "EINVAL" },
		{ "td build a", "EINVAL" },
		{ "td build a soon", "EINVAL" },
		{ "td build a 1s pages=5000", "EINVAL" },
		{ "td build a 1s vcpus=0", "EINVAL" },
		{ "td build a 1s pause-after=lunch", "EINVAL" },
		{ "td step nobody", "ESRCH" },
		{ "lp offline 4", "EINVAL" },
		{ "set cpu=0x1,0x2,0x3,0x4,0x5", "EINVAL" },
		{ "set speed=9", "EINVAL" },
		{ "set remaining=-1", "EINVAL" },
		{ "boot version=1.5", "EINVAL" },
		{ "boot version=1.5.99999", "EINVAL" },
		{ "known abc version=1.5.16", "EINVAL" },
		{ "fail step=breakfast", "EINVAL" },
		{ "fail", "EINVAL" },
		{ "trust me", "EINVAL" },
		{ "host kernel=minix", "EINVAL" },
		{ "host hidden=4", "EINVAL" },
		{ "host empty=65", "EINVAL" },
		{ "upload hold=lunch", "EINVAL" },
		{ "slow version", "EINVAL" },
		{ "wait godot 1", "EINVAL" },
		{ "wait building 1 10ms", "ETIMEDOUT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		world_refuse(*state, rows[i].error, rows[i].line);
	world_assert_reads(*state, WORLD_HOST "version", "1.5.06\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modes_and_open),
		TEST(test_others_read_what_they_may),
		TEST(test_says_what_the_machine_is),
		TEST(test_each_kernel_has_its_files),
		TEST(test_no_updates_with_the_cpu_bug),
		TEST(test_offline_cpus_vanish),
		TEST(test_a_boot_is_a_new_one),
		TEST(test_poll_tells_of_builds),
		TEST(test_a_kept_descriptor_reads_afresh),
		TEST(test_a_file_that_went_away_answers_nobody),
		TEST(test_slow_and_hung_files),
		TEST(test_a_slice_has_no_more_tds_than_it_may),
		TEST(test_a_refused_charge_is_given_back),
		TEST(test_starts_over_a_dead_ones_mount),
		TEST(test_bad_commands_are_refused),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
