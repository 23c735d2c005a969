// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots from descriptors that stay open, of a host that changes in the meantime. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test.h"
#include "host-files.h"
#include "upload.h"
#include "world.h"

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world_start(world, 4, "host kernel=piece", "boot version=1.5.06 svn=0x0106",
		    "set remaining=7", NULL);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_stop(*state);
	free(*state);
	return 0;
}

static struct tdxupd_host *look(struct host_files *files)
{
	struct tdxupd_host *host;

	assert_int_equal(host_read(files, &host), 0);
	return host;
}

static void compare_uploads(struct world *world, struct host_files *files)
{
	struct tdxupd_upload *kept = NULL, *fresh = NULL;
	struct stat a, b;
	int r = upload_new(files, TDXUPD_TRANSPORT_FW_UPLOAD, &kept);

	assert_int_equal(
		tdxupd_upload_new(world->tree.fd, TDXUPD_TRANSPORT_FW_UPLOAD, &fresh), r);
	if (r < 0)
		return;
	assert_int_equal(fstat(kept->control_fd, &a), 0);
	assert_int_equal(fstat(fresh->control_fd, &b), 0);
	assert_int_equal(a.st_dev, b.st_dev);
	assert_int_equal(a.st_ino, b.st_ino);
	tdxupd_upload_free(kept);
	tdxupd_upload_free(fresh);
}

/* What a reader that kept everything open finds is what a new one finds. */
static void compare(struct world *world, struct host_files *files)
{
	struct tdxupd_host *kept = look(files), *fresh;

	assert_int_equal(tdxupd_host_read(world->tree.fd, &fresh), 0);
	assert_memory_equal(kept, fresh, sizeof(*kept));
	tdxupd_host_free(kept);
	tdxupd_host_free(fresh);
	compare_uploads(world, files);
}

static void test_each_look_is_fresh(void **state)
{
	static const char *const changes[] = {
		"td build vm1 manual", "td step vm1 init",    "set remaining=3",
		"lp offline 2",        "boot version=1.5.16", "host kernel=mainline",
		"host kernel=patched", "host kernel=piece",   "set cpu-bug=yes",
		"boot version=1.5.06", "boot features0=0x1",  "set cpu-bug=no",
		"boot version=1.5.06",
	};
	struct host_files files;

	host_files_init(&files, ((struct world *)*state)->tree.fd);
	compare(*state, &files);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		world_do(*state, "%s", changes[i]);
		compare(*state, &files);
	}
	host_files_done(&files);
}

/* The whole device goes away, and another takes its place. */
static void test_another_device_takes_the_place(void **state)
{
	struct world *world = *state;
	struct host_files files;

	host_files_init(&files, world->tree.fd);
	compare(world, &files);
	assert_int_equal(kill(world->simhost, SIGKILL), 0);
	assert_int_equal(waitpid(world->simhost, NULL, 0), world->simhost);
	compare(world, &files);
	world_start_at(world, 2, "boot version=1.5.16", NULL);
	compare(world, &files);
	host_files_done(&files);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_look_is_fresh),
		TEST(test_another_device_takes_the_place),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
