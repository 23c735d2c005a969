// SPDX-License-Identifier: LGPL-2.1-or-later
/* Everything that must be refused before the host is touched, and is. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define IMAGE "tdx_module_1.5.16.blob"

/* An update that must fail with that error, and leave the host as it was. */
static void must_fail(struct scene *scene, const char *result)
{
	_cleanup_(cleanup_free)
	char *job = scene_update(scene, "1.5.16");
	_cleanup_(cleanup_free)
	char *detail = NULL;

	scene_await_end(scene, job, result);
	detail = scene_get(scene, job, "Detail");
	print_message("%s: %s\n", result, detail);
	assert_true(strlen(detail) > 10);
	scene_assert(scene, job, "Attempt", "0");
	scene_assert_host(scene, "1.5.06", 0);
}

static void test_what_the_host_does_not_allow(void **state)
{
	static const struct {
		const char *command;
		const char *result;
	} table[] = {
		{ "lp offline 3", "NoPath" },
		{ "set remaining=0", "Exhausted" },
		{ "set cpu=0x806F8", "NoPath" },
		{ "set seamldr=1.4.00", "NoPath" },
		{ "boot version=1.5.06 svn=0x0106 features0=0x2e1f0fbd", "Unsupported" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct scene scene;

		scene_start(&scene, table[i].command, NULL);
		if (strstr(table[i].command, "cpu"))
			scene_put_images(&scene, "1.5.16,cpus=C06F0", NULL);
		must_fail(&scene, table[i].result);
		scene_end(&scene);
	}
}

static void test_what_the_image_does_not_allow(void **state)
{
	static const struct {
		const char *image;
		const char *result;
	} table[] = {
		{ "1.5.16,debug=1", "Untrusted" },
		{ "1.5.16,key=foreign", "Untrusted" },
		{ "1.5.16,cpus=", "Untrusted" },
		{ "1.5.16,cpus=A06D0", "NoPath" },
		{ "1.5.16,svn=0x0105", "NoPath" },
		{ "1.5.16,svn=0x030b", "NoPath" },
		{ "1.5.16,hv=5,min_hv=4", "NoPath" },
		{ "1.5.16,unmapped=1", "NoPath" },
		{ "1.5.16,min_seamldr=1.5.09", "NoPath" },
		{ "1.5.16,min_module=1.5.10", "NoPath" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct scene scene;

		scene_set(&scene, NULL);
		scene_put_images(&scene, table[i].image, NULL);
		scene_run(&scene);
		must_fail(&scene, table[i].result);
		scene_end(&scene);
	}
}

static void damage(struct scene *scene, off_t at)
{
	int fd = openat(scene->world.tree.fd, WORLD_IMAGES "/" IMAGE, O_RDWR | O_CLOEXEC);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* A flipped byte in header, SIGSTRUCT or module; every byte of them is a unit test. */
static void test_a_flipped_byte(void **state)
{
	static const off_t places[] = { 0,    2,    17,   100,  4096, 4300,
					4700, 4996, 5120, 8192, 9000 };
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		_cleanup_(cleanup_free)
		char *result = NULL;

		damage(&scene, places[i]);
		job = scene_update(&scene, "1.5.16");
		scene_await(&scene, job, "State", "failed");
		result = scene_get(&scene, job, "Result");
		if (strcmp(result, "org.tdxupd1.Error.Untrusted") != 0 &&
		    strcmp(result, "org.tdxupd1.Error.NoSuchVersion") != 0)
			fail_msg("byte %ld: %s", (long)places[i], result);
		scene_assert_host(&scene, "1.5.06", 0);
		damage(&scene, places[i]);
	}
	scene_end(&scene);
}

static void test_a_truncated_file(void **state)
{
	struct scene scene;
	int fd;

	(void)state;
	scene_start(&scene, NULL);
	fd = openat(scene.world.tree.fd, WORLD_IMAGES "/" IMAGE, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 12000), 0);
	close(fd);
	must_fail(&scene, "Untrusted");
	scene_end(&scene);
}

static void test_a_file_that_others_could_write(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_int_equal(fchmodat(scene.world.tree.fd, WORLD_IMAGES "/" IMAGE, 0666, 0),
			 0);
	must_fail(&scene, "Untrusted");
	scene_end(&scene);
}

static void test_a_mapping_that_is_none(void **state)
{
	static const char *const table[] = { "", "{", "[]", "{\"a\":1}\n" };
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		tree_put(&scene.world.tree, WORLD_IMAGES "/mapping_file.json", table[i]);
		must_fail(&scene, "Config");
	}
	/* None at all is no error: then the records must know the version. */
	tree_drop(&scene.world.tree, WORLD_IMAGES "/mapping_file.json");
	must_fail(&scene, "NoPath");
	scene_end(&scene);
}

static void test_a_directory_that_is_missing(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "ImagesDirectory=/nowhere\n");
	scene_run(&scene);
	must_fail(&scene, "Config");
	scene_end(&scene);
}

static void test_a_version_that_is_not_there(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update(&scene, "9.9.99");
	scene_await_end(&scene, job, "NoSuchVersion");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* A CPU that goes offline while the job waits is seen in the last look. */
static void test_a_cpu_that_goes_offline_in_the_wait(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	world_do(&scene.world, "lp offline 2");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "NoPath");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_a_plan_that_is_stale(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_with(&scene, NULL, 1, "plan_id", "s",
				"00000000000000000000000000000000");
	scene_await_end(&scene, job, "Stale");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_options_that_are_none(void **state)
{
	static const char invalid[] = "org.freedesktop.DBus.Error.InvalidArgs";
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	scene_update_refused(&scene, invalid, "newest", 0);
	scene_update_refused(&scene, invalid, "1.5", 0);
	scene_update_refused(&scene, invalid, NULL, 1, "gaurd", "s", "off");
	scene_update_refused(&scene, invalid, NULL, 1, "guard", "s", "none");
	scene_update_refused(&scene, invalid, NULL, 1, "guard", "b", 1);
	scene_update_refused(&scene, invalid, NULL, 1, "deadline_usec", "u", 5u);
	scene_update_refused(&scene, invalid, NULL, 1, "plan_id", "s", "abc");
	scene_update_refused(&scene, invalid, NULL, 1, "strategy", "s", "best");
	scene_update_refused(&scene, invalid, NULL, 1, "token", "s", "");
	scene_update_refused(&scene, invalid, NULL, 2, "drain", "b", 1, "x", "s", "");
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_end(&scene);
}

static void test_a_deadline_that_has_passed(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_with(&scene, NULL, 1, "deadline_usec", "t", UINT64_C(0));
	scene_await_end(&scene, job, "Expired");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_two_daemons(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_int_equal(scene_run_failing(&scene), 1);
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.06");
	scene_end(&scene);
}

static void test_a_bus_that_is_absent(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	strcat(scene.address, "x");
	assert_int_equal(scene_run_failing(&scene), 10);
	scene_end(&scene);
}

static void test_a_configuration_that_is_wrong(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "Gaurd=off\n");
	assert_int_equal(scene_run_failing(&scene), 1);
	scene_put_config(&scene, "Guard=off\n");
	scene_run(&scene);
	/* A reload that fails changes nothing. */
	scene_put_config(&scene, "Guard=maybe\n");
	assert_string_equal(scene_call(&scene, SCENE_MANAGER, "Reload"),
			    "org.tdxupd1.Error.Config");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "go");
	scene_end(&scene);
}

static void test_a_host_without_tdx(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set_bare(&scene);
	scene_run(&scene);
	scene_assert(&scene, SCENE_MANAGER, "TdxState", "absent");
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "");
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Unsupported");
	scene_end(&scene);
}

/* What no check can know beforehand: the loader had no entropy. */
static void test_a_host_that_is_lost(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *again = NULL;

	(void)state;
	scene_start(&scene, "fail loader-entropy=1", NULL);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Lost");
	scene_assert(&scene, job, "Outcome", "lost");
	scene_assert(&scene, job, "State", "lost");
	scene_assert(&scene, SCENE_MANAGER, "TdxState", "lost");
	/* No further attempt, and the version is held for the next boot. */
	scene_update_fails(&scene, "Lost", "1.5.16");
	again = scene_update(&scene, "1.5.06");
	scene_await_end(&scene, again, "Lost");
	/* Which has lost nothing, and is not told as if it had. */
	scene_assert(&scene, again, "State", "failed");
	scene_assert(&scene, again, "Attempt", "0");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_host_does_not_allow),
		cmocka_unit_test(test_what_the_image_does_not_allow),
		cmocka_unit_test(test_a_flipped_byte),
		cmocka_unit_test(test_a_truncated_file),
		cmocka_unit_test(test_a_file_that_others_could_write),
		cmocka_unit_test(test_a_mapping_that_is_none),
		cmocka_unit_test(test_a_directory_that_is_missing),
		cmocka_unit_test(test_a_version_that_is_not_there),
		cmocka_unit_test(test_a_cpu_that_goes_offline_in_the_wait),
		cmocka_unit_test(test_a_plan_that_is_stale),
		cmocka_unit_test(test_options_that_are_none),
		cmocka_unit_test(test_a_deadline_that_has_passed),
		cmocka_unit_test(test_two_daemons),
		cmocka_unit_test(test_a_bus_that_is_absent),
		cmocka_unit_test(test_a_configuration_that_is_wrong),
		cmocka_unit_test(test_a_host_without_tdx),
		cmocka_unit_test(test_a_host_that_is_lost),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
