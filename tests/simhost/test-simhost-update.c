// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Updates of the simulated host, quirk by quirk: fw_upload's writes that succeed and do
 * nothing, the trigger of our kernel piece and its errno, and what each kernel refuses or
 * lets through to a loss of TDX.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
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

/* Each step is one write to a file of fw_upload and what it returns. */
static void test_upload_takes_writes_as_linux_does(void **state)
{
	static const struct {
		const char *file, *text;
		int error;
		const char *loading; /* what it reads afterwards */
	} steps[] = {
		{ "data", "x", 0, "0\n" },
		{ "loading", "0", 0, "0\n" },
		{ "loading", "-1", 0, "0\n" },
		{ "loading", "x", -EINVAL, "0\n" },
		{ "loading", "1 1", -EINVAL, "0\n" },
		{ "loading", "1", 0, "1\n" },
		{ "loading", "0\n", 0, "0\n" },
		{ "data", "x", 0, "0\n" },
		{ "loading", "1\n", 0, "1\n" },
		{ "data", "abc", 0, "1\n" },
		{ "loading", "-1\n", 0, "0\n" },
		{ "data", "x", 0, "0\n" },
		{ "loading", "1", 0, "1\n" },
		{ "loading", "7", 0, "0\n" },
		{ "cancel", "0", -EINVAL, "0\n" },
		{ "cancel", "1", -ENODEV, "0\n" },
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

static void test_an_aborted_upload_stays_aborted(void **state)
{
	static const char *const values[] = { "1", "0", "-1" };
	struct world *world = *state;

	world_do(world, "upload abort");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(world_write(world, WORLD_UPLOAD "loading", values[i]),
				 0);
		world_assert_reads(world, WORLD_UPLOAD "loading", "0\n");
		world_assert_reads(world, WORLD_UPLOAD "status", "idle\n");
	}
	world_do(world, "boot");
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	world_assert_reads(world, WORLD_UPLOAD "loading", "1\n");

	/* But for kernel/patches. */
	world_do(world, "host kernel=patched");
	assert_int_equal(world_write(world, WORLD_UPLOAD "data", "abc"), 0);
	world_do(world, "upload abort");
	world_assert_reads(world, WORLD_UPLOAD "loading", "0\n");
	world_assert_reads(world, WORLD_UPLOAD "data", "");
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1"), 0);
	world_assert_reads(world, WORLD_UPLOAD "loading", "1\n");
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
	assert_int_equal(world_read(world, WORLD_HOST "mrseam", &text), -ENXIO);
	assert_int_equal(world_read(world, WORLD_HOST "tee_tcb_svn", &text), -ENXIO);
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
		{ "patched", "lp offline 3", "transferring:firmware-invalid\n" },
	};
	struct image image = make_image("1.5.16", 1);
	struct world *world = *state;
	char *text;

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

	/* Nothing fills the log but updates: the patches leave it to who makes them. */
	world_do(world, "lp online 3");
	world_do(world, "set remaining=0");
	world_upload(world, image.bytes, image.count);
	if (world_read(world, WORLD_HOST "version", &text) != -ENXIO)
		fail_msg("without a slot the patched kernel refused");
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
		{ "lp offline 3", "lp online 3", -EAGAIN, false },
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_upload_takes_writes_as_linux_does),
		TEST(test_an_aborted_upload_stays_aborted),
		TEST(test_a_second_begin_drops_what_was_staged),
		TEST(test_upload_updates_the_module),
		TEST(test_phases_while_the_worker_runs),
		TEST(test_a_bad_header_harms_nothing),
		TEST(test_a_bad_signature_loses_the_host),
		TEST(test_mainline_takes_what_loses_the_host),
		TEST(test_careful_kernels_refuse),
		TEST(test_an_update_inside_a_build),
		TEST(test_a_module_with_the_bit_refuses),
		TEST(test_trigger_says_why),
		TEST(test_trigger_takes_an_image_in_order_only),
		TEST(test_an_upload_keeps_the_trigger_out),
		TEST(test_the_trigger_keeps_an_upload_out),
		TEST(test_sysfs_takes_a_page_a_write),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
