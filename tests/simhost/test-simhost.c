// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The simulated host's files against what Linux's do, quirk by quirk: sysfs's modes and
 * errno, fw_upload's writes that succeed and do nothing, the trigger of our kernel piece,
 * what a host looks like after a fatal update, and poll.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testimage.h"
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

struct image {
	uint8_t *bytes;
	size_t count;
};

static struct image make_image(const char *version, uint16_t ctx)
{
	struct testimage_spec spec = testimage_default_text(version);
	struct image image;

	spec.container = 0x200;
	spec.ctx = ctx;
	assert_int_equal(testimage_build(&spec, &image.bytes, &image.count), 0);
	return image;
}

static void begin_upload(struct world *world, const struct image *image)
{
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	assert_int_equal(
		world_write_bytes(world, WORLD_UPLOAD "data", image->bytes, image->count),
		0);
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "0"), 0);
}

static void stage(struct world *world, const struct image *image)
{
	assert_int_equal(
		world_write_bytes(world, WORLD_HOST "image", image->bytes, image->count),
		0);
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
}

/* Each step is one write to a file of fw_upload and what it returns. */
static void test_upload_takes_writes_as_linux_does(void **state)
{
	static const struct {
		const char *file, *text;
		int error;
		const char *loading; /* what it reads afterwards */
	} steps[] = {
		{ "data", "x", -ENODEV, "0\n" },       { "loading", "0", 0, "0\n" },
		{ "loading", "-1", 0, "0\n" },         { "loading", "x", -EINVAL, "0\n" },
		{ "loading", "1 1", -EINVAL, "0\n" },  { "loading", "1", 0, "1\n" },
		{ "loading", "0\n", 0, "0\n" },        { "data", "x", -ENODEV, "0\n" },
		{ "loading", "1\n", 0, "1\n" },        { "data", "abc", 0, "1\n" },
		{ "loading", "-1\n", 0, "0\n" },       { "data", "x", -ENODEV, "0\n" },
		{ "loading", "1", 0, "1\n" },          { "loading", "7", 0, "0\n" },
		{ "cancel", "0", -EINVAL, "0\n" },     { "cancel", "1", -ENODEV, "0\n" },
		{ "cancel", "maybe", -EINVAL, "0\n" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		char path[128];
		int error;

		snprintf(path, sizeof(path), WORLD_UPLOAD "%s", steps[i].file);
		error = world_write(world, path, steps[i].text);
		if (error != steps[i].error)
			fail_msg("step %zu: %d", i, error);
		world_assert_reads(world, WORLD_UPLOAD "loading", steps[i].loading);
		/* Nothing was ever committed. */
		world_assert_reads(world, WORLD_UPLOAD "status", "idle\n");
	}
}

static void test_a_second_begin_drops_what_was_staged(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	assert_int_equal(world_write(world, WORLD_UPLOAD "data", "abc"), 0);
	world_assert_reads(world, WORLD_UPLOAD "data", "abc");
	world_do(world, "loading 1"); /* somebody else */
	world_assert_reads(world, WORLD_UPLOAD "data", "");
	/* There is nothing to commit, and that is no error. */
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "0"), 0);
	world_assert_reads(world, WORLD_UPLOAD "status", "idle\n");
	world_assert_reads(world, WORLD_UPLOAD "error", "");
}

static void test_upload_updates_the_module(void **state)
{
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;

	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error", "");
	world_assert_reads(world, WORLD_UPLOAD "remaining_size", "0\n");
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	world_assert_reads(world, WORLD_HOST "num_remaining_updates", "13\n");
	world_assert_reads(world, WORLD_HOST "features0", "0x000000226f3f0fbf\n");
	free(image.bytes);
}

static void test_phases_while_the_worker_runs(void **state)
{
	static const char *const phases[] = { "receiving", "preparing", "transferring",
					      "programming" };
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;
	char *text, line[64];

	world_do(world, "upload hold=receiving");
	begin_upload(world, &image);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		world_do(world, "upload hold=%s", phases[i]);
		world_do(world, "wait upload %s", phases[i]);
		snprintf(line, sizeof(line), "%s\n", phases[i]);
		world_assert_reads(world, WORLD_UPLOAD "status", line);
		assert_int_equal(world_read(world, WORLD_UPLOAD "error", &text), -EBUSY);
		/* Accepted, and ignored. */
		assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
		world_assert_reads(world, WORLD_UPLOAD "loading", "0\n");
		assert_int_equal(world_write(world, WORLD_UPLOAD "data", "x"), -ENODEV);
		assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "-1"), 0);
		assert_int_equal(world_write(world, WORLD_UPLOAD "cancel", "1"), 0);
	}
	world_do(world, "upload hold=none");
	world_wait(world, "upload idle");
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	free(image.bytes);
}

static void test_a_bad_header_harms_nothing(void **state)
{
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;

	image.bytes[5] ^= 1;
	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error",
			   "transferring:firmware-invalid\n");
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");

	/* The error stays until an upload really starts. */
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "0"), 0);
	world_assert_reads(world, WORLD_UPLOAD "error",
			   "transferring:firmware-invalid\n");
	image.bytes[5] ^= 1;
	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error", "");
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	free(image.bytes);
}

static void test_a_bad_signature_loses_the_host(void **state)
{
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;
	char *text;

	world_do(world, "td build a 0s");
	world_wait(world, "td a running");
	image.bytes[4096 + 600] ^= 1;
	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error",
			   "transferring:firmware-invalid\n");
	assert_int_equal(world_read(world, WORLD_HOST "version", &text), -ENXIO);
	assert_int_equal(world_read(world, WORLD_HOST "features0", &text), -ENXIO);
	/* P-SEAMLDR is still there, and no slot was used. */
	world_assert_reads(world, WORLD_HOST "num_remaining_updates", "14\n");
	world_assert_reads(world, WORLD_HOST "last_status",
			   "0x8000000000000001 0x8000000000020000\n");
	world_refuse(world, "EIO", "td enter a");
	world_refuse(world, "EIO", "td abort a");
	world_assert_reads(world, "sys/fs/cgroup/misc.current", "tdx 1\n");

	/* No retry helps, a reboot does. */
	image.bytes[4096 + 600] ^= 1;
	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error",
			   "transferring:firmware-invalid\n");
	world_do(world, "boot");
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
	world_assert_reads(world, "sys/fs/cgroup/misc.current", "tdx 0\n");
	free(image.bytes);
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

static void test_mainline_takes_what_loses_the_host(void **state)
{
	static const char *const faults[] = {
		"lp offline 3",     "host hidden=1",         "set remaining=0",
		"set cpu=0x806f8",  "fail loader-entropy=1", "fail step=init lp=2",
		"fail step=update",
	};
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;
	char *text;

	/* An image for another CPU only. */
	free(image.bytes);
	struct testimage_spec spec = testimage_default_text("1.5.16");
	spec.container = 0x200;
	spec.cpu_count = 1;
	spec.cpus[0] = 0xC06F0;
	assert_int_equal(testimage_build(&spec, &image.bytes, &image.count), 0);

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		world_do(world, "host kernel=mainline");
		world_do(world, "%s", faults[i]);
		world_upload(world, image.bytes, image.count);
		world_assert_reads(world, WORLD_UPLOAD "error",
				   "transferring:firmware-invalid\n");
		if (world_read(world, WORLD_HOST "version", &text) != -ENXIO)
			fail_msg("%s: the host still lives", faults[i]);
		world_stop(world);
		world_start(world, 4, NULL);
	}
	free(image.bytes);
}

/* What the kernels with more care refuse beforehand, and say in `error`. */
static void test_careful_kernels_refuse(void **state)
{
	static const struct {
		const char *kernel, *fault, *error;
	} rows[] = {
		{ "piece", "lp offline 3", "transferring:firmware-invalid\n" },
		{ "piece", "set remaining=0", "transferring:firmware-invalid\n" },
		{ "piece", "td build a 1m", "transferring:device-busy\n" },
		{ "patched", "lp offline 3", "transferring:hw-error\n" },
		{ "patched", "set remaining=0", "transferring:flash-wearout\n" },
	};
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_do(world, "host kernel=%s", rows[i].kernel);
		world_do(world, "set remaining=14");
		world_do(world, "lp online 3");
		world_do(world, "%s", rows[i].fault);
		world_upload(world, image.bytes, image.count);
		world_assert_reads(world, WORLD_UPLOAD "error", rows[i].error);
		world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
		if (strncmp(rows[i].fault, "td", 2) == 0)
			world_do(world, "td abort a");
	}
	free(image.bytes);
}

static void test_an_update_inside_a_build(void **state)
{
	struct image same = make_image("1.5.08", 262), other = make_image("1.5.16", 7);
	struct world *world = *state;

	/* The module that runs has ctx 262, its SVN. */
	world_do(world, "host kernel=mainline");
	world_do(world, "td build a manual");
	world_do(world, "td step a extend");
	world_upload(world, same.bytes, same.count);
	world_do(world, "td step a finalize");
	world_assert_mrtd(world, "a", true);

	world_do(world, "td build b manual");
	world_do(world, "td step b extend");
	world_upload(world, other.bytes, other.count);
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	world_do(world, "td step b finalize");
	world_assert_mrtd(world, "b", false);
	world_assert_mrtd(world, "a", true);
	world_do(world, "td enter b");
	free(same.bytes);
	free(other.bytes);
}

static void test_a_module_with_the_bit_refuses(void **state)
{
	struct image image = make_image("1.5.16", 7);
	struct world *world = *state;

	world_do(world, "boot features0=0x80226f3f0fbf hv=1");
	world_do(world, "host kernel=patched");
	world_assert_reads(world, WORLD_HOST "update_guard", "module\n");
	world_do(world, "td build a manual");
	world_do(world, "td step a init");
	world_upload(world, image.bytes, image.count);
	world_assert_reads(world, WORLD_UPLOAD "error", "transferring:device-busy\n");
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
	world_do(world, "td step a finalize");
	world_assert_mrtd(world, "a", true);
	free(image.bytes);
}

static void test_trigger_says_why(void **state)
{
	struct image image = make_image("1.5.16", 7);
	struct world *world = *state;
	static const struct {
		const char *before, *after;
		int error;
		bool is_kept;
	} rows[] = {
		{ "td build a 1m", "td abort a", -EBUSY, true },
		{ "lp offline 3", "lp online 3", -ENODEV, false },
		{ "set remaining=0", "set remaining=14", -ENOSPC, false },
		{ "fail step=shutdown", "status", -EIO, false },
		{ "fail step=install lp=3", "boot", -ENXIO, false },
	};

	assert_int_equal(world_write(world, WORLD_HOST "update", "1"), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int error;

		stage(world, &image);
		assert_int_equal(world_write(world, WORLD_HOST "update", "0"), -EINVAL);
		assert_int_equal(world_write(world, WORLD_HOST "update", "11"), -EINVAL);
		world_do(world, "%s", rows[i].before);
		error = world_write(world, WORLD_HOST "update", "1\n");
		if (error != rows[i].error)
			fail_msg("%s: %d", rows[i].before, error);
		world_do(world, "%s", rows[i].after);
		/* Kept: the same image goes now. Not kept: nothing is staged. */
		error = world_write(world, WORLD_HOST "update", "1\n");
		assert_int_equal(error, rows[i].is_kept ? 0 : -EINVAL);
		world_do(world, "boot");
	}
	free(image.bytes);
}

static void test_trigger_takes_an_image_in_order_only(void **state)
{
	struct world *world = *state;
	int fd = openat(world->tree.fd, WORLD_HOST "image", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(pwrite(fd, "x", 1, 2), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pwrite(fd, "d", 1, 3), 1);
	/* Afresh. */
	assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(pwrite(fd, "x", 1, 498 * 4096), -1);
	assert_int_equal(errno, EFBIG);
	close(fd);
	assert_int_equal(world_write(world, WORLD_HOST "update", "1"), -EINVAL);
	world_assert_reads(world, WORLD_HOST "version", "1.5.06\n");
}

static void test_an_upload_keeps_the_trigger_out(void **state)
{
	struct image image = make_image("1.5.16", 7);
	struct world *world = *state;

	stage(world, &image);
	world_do(world, "upload hold=transferring");
	begin_upload(world, &image);
	world_do(world, "wait updating yes");
	assert_int_equal(world_write(world, WORLD_HOST "update", "1"), -EALREADY);
	world_do(world, "upload hold=none");
	world_wait(world, "upload idle");
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	/* What was staged is still there. */
	assert_int_equal(world_write(world, WORLD_HOST "update", "1"), 0);
	free(image.bytes);
}

/* Not with a second writer of `update`: FUSE lets one in at a time, sysfs does not. */
static void test_the_trigger_keeps_an_upload_out(void **state)
{
	struct image image = make_image("1.5.16", 7);
	struct world *world = *state;
	pid_t child;
	int status;

	stage(world, &image);
	world_do(world, "upload hold=transferring");
	child = fork();
	if (!child)
		_exit(-world_write(world, WORLD_HOST "update", "1"));
	world_do(world, "wait updating yes");
	assert_int_equal(world_write(world, WORLD_HOST "image", "x"), -EBUSY);
	begin_upload(world, &image);
	world_wait(world, "upload idle");
	world_assert_reads(world, WORLD_UPLOAD "error", "transferring:device-busy\n");
	world_do(world, "upload hold=none");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	world_assert_reads(world, WORLD_HOST "version", "1.5.16\n");
	world_assert_reads(world, WORLD_HOST "num_remaining_updates", "13\n");
	free(image.bytes);
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

static void test_sysfs_takes_a_page_a_write(void **state)
{
	struct world *world = *state;
	static char bytes[10000];
	int fd;

	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	fd = openat(world->tree.fd, WORLD_UPLOAD "data", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), 4096);
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
		TEST(test_upload_takes_writes_as_linux_does),
		TEST(test_a_second_begin_drops_what_was_staged),
		TEST(test_upload_updates_the_module),
		TEST(test_phases_while_the_worker_runs),
		TEST(test_a_bad_header_harms_nothing),
		TEST(test_a_bad_signature_loses_the_host),
		TEST(test_a_boot_is_a_new_one),
		TEST(test_mainline_takes_what_loses_the_host),
		TEST(test_careful_kernels_refuse),
		TEST(test_an_update_inside_a_build),
		TEST(test_a_module_with_the_bit_refuses),
		TEST(test_trigger_says_why),
		TEST(test_trigger_takes_an_image_in_order_only),
		TEST(test_an_upload_keeps_the_trigger_out),
		TEST(test_the_trigger_keeps_an_upload_out),
		TEST(test_poll_tells_of_builds),
		TEST(test_a_kept_descriptor_reads_afresh),
		TEST(test_sysfs_takes_a_page_a_write),
		TEST(test_slow_and_hung_files),
		TEST(test_starts_over_a_dead_ones_mount),
		TEST(test_bad_commands_are_refused),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
