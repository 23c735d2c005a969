// SPDX-License-Identifier: LGPL-2.1-or-later
/* The module and the images change with nobody asking the daemon. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define HISTORY "var/lib/tdxupd/history.jsonl"

static void assert_recorded(const struct scene *scene, const char *text)
{
	_cleanup_(cleanup_free)
	char *history = NULL;

	assert_int_equal(world_read(&scene->world, HISTORY, &history), 0);
	if (!strstr(history, text))
		fail_msg("no %s in %s", text, history);
}

/* ---- the module ---- */

/* `cat image >data`, beside a daemon that runs. */
static void upload_by_hand(struct scene *scene, const char *version)
{
	static uint8_t bytes[1 << 20];
	char path[160];
	size_t count;
	FILE *file;

	snprintf(path, sizeof(path), "%s/" WORLD_IMAGES "/tdx_module_%s.blob",
		 scene->world.tree.path, version);
	file = fopen(path, "re");
	assert_non_null(file);
	count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	world_upload(&scene->world, bytes, count);
}

static void test_somebody_else_updates(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene_put_images(&scene, "1.5.06,ctx=1,container=0x200",
			 "1.5.16,ctx=2,container=0x200", NULL);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	upload_by_hand(&scene, "1.5.16");
	/* Nobody has asked it to look. */
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	assert_recorded(&scene, "\"phase\":\"external\",\"from\":\"1.5.06\"");
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "");
	scene_end(&scene);
}

static unsigned count_recorded(const struct scene *scene, const char *text)
{
	_cleanup_(cleanup_free)
	char *history = NULL;
	unsigned count = 0;

	assert_int_equal(world_read(&scene->world, HISTORY, &history), 0);
	for (const char *at = history; (at = strstr(at, text)); at++)
		count++;
	return count;
}

/* The plan was made for a module that runs no more. */
static void test_somebody_else_updates_under_a_waiting_job(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene_put_images(&scene, "1.5.06,ctx=1,container=0x200",
			 "1.5.08,ctx=1,container=0x200", "1.5.16,ctx=2,container=0x200",
			 NULL);
	scene_run(&scene);
	job = scene_update_waiting(&scene);
	upload_by_hand(&scene, "1.5.08");
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.08");
	assert_int_equal(count_recorded(&scene, "\"phase\":\"external\""), 1);
	/* It is there for others, and the job goes on from what runs now. */
	scene_await(&scene, job, "From", "1.5.08");
	scene_await(&scene, job, "State", "waiting");
	usleep(300000);
	/* Each round of a loop would be two lines. */
	assert_true(count_recorded(&scene, "\n") < 20);
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, "done");
	assert_int_equal(count_recorded(&scene, "\"phase\":\"external\""), 1);
	assert_recorded(&scene, "\"from\":\"1.5.08\",\"to\":\"1.5.16\"");
	scene_end(&scene);
}

/* ---- sources that come later ---- */

/* A driver that counts is loaded under a daemon: nobody has asked it to look since. */
static void test_a_source_that_came_before_the_job(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	scene_assert(&scene, SCENE_MANAGER, "TdsBuilding", "-1");
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 finalize");
	world_do(&scene.world, "host kernel=piece");
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	scene_assert(&scene, SCENE_MANAGER, "TdsBuilding", "0");
	scene_end(&scene);
}

/* And while it waits. */
static void test_a_source_that_came_under_a_waiting_job(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 finalize");
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	world_do(&scene.world, "host kernel=piece");
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

static void reboot(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	scene_run(scene);
}

/* What the kernel loaded is gone after a reboot. tdx-update-boot.service asks for it
 * again, and gets it: that it was made once is no reason against it. */
static void test_a_reboot_takes_the_module_back(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (unsigned boot = 0; boot < 2; boot++) {
		_cleanup_(cleanup_free)
		char *job = scene_update(&scene, NULL);

		scene_await_end(&scene, job, "done");
		scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
		reboot(&scene);
		scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.06");
		scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	}
	scene_end(&scene);
}

/* ---- ModuleChanged ---- */

/* The last of the signals: "FROM TO CAUSE". */
struct ear {
	sd_bus_slot *slot;
	char heard[64];
};

static int on_module_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ear *ear = userdata;
	const char *from, *to, *cause;

	(void)error;
	assert_true(sd_bus_message_read(message, "sss", &from, &to, &cause) >= 0);
	snprintf(ear->heard, sizeof(ear->heard), "%s %s %s", from, to, cause);
	return 0;
}

static void await_heard(struct scene *scene, struct ear *ear, const char *wanted)
{
	unsigned waited = 0;

	while (strcmp(ear->heard, wanted) != 0)
		if (!scene_listen(scene->bus, &waited))
			fail_msg("heard `%s', not `%s'", ear->heard, wanted);
	ear->heard[0] = '\0';
}

/* What happened while the daemon did not run, too. */
static void test_each_cause_of_another_module(void **state)
{
	struct ear ear = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene_put_images(&scene, "1.5.06,ctx=1,container=0x200",
			 "1.5.16,ctx=2,container=0x200", NULL);
	scene_run(&scene);
	assert_true(sd_bus_match_signal(scene.bus, &ear.slot, "org.tdxupd1",
					SCENE_MANAGER, "org.tdxupd1.Manager",
					"ModuleChanged", on_module_changed, &ear) >= 0);
	job = scene_update(&scene, NULL);
	await_heard(&scene, &ear, "1.5.06 1.5.16 job");
	reboot(&scene);
	await_heard(&scene, &ear, "1.5.16 1.5.06 boot");
	assert_int_equal(scene_stop(&scene), 0);
	upload_by_hand(&scene, "1.5.16");
	world_do(&scene.world, "wait updates 2");
	scene_run(&scene);
	await_heard(&scene, &ear, "1.5.06 1.5.16 external");
	/* told once */
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	usleep(200000);
	while (sd_bus_process(scene.bus, NULL) > 0)
		;
	assert_string_equal(ear.heard, "");
	sd_bus_slot_unref(ear.slot);
	scene_end(&scene);
}

static void test_a_reboot_with_auto_update(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	reboot(&scene);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	scene_end(&scene);
}

/* ---- the images ---- */

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Touch a file for five seconds. Return: false: not often enough to tell anything. */
static bool keep_busy(const struct scene *scene)
{
	double begin = now_seconds(), last = begin;

	while (last - begin < 5) {
		usleep(200000);
		tree_put(&scene->world.tree, WORLD_IMAGES "/copying", "x");
		if (now_seconds() - last > 1)
			return false;
		last = now_seconds();
	}
	return true;
}

/* A package manager at work: one look, when it is through. */
static void test_images_are_looked_at_when_they_rest(void **state)
{
	struct scene scene;
	bool is_told = false;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", NULL);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	for (unsigned i = 0; i < 10 && !is_told; i++) {
		scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
		is_told = keep_busy(&scene);
		if (is_told)
			scene_assert(&scene, SCENE_MANAGER, "NextVersion", "");
		scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
		scene_put_images(&scene, "1.5.06,ctx=1", NULL);
		scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	}
	assert_true(is_told);
	scene_end(&scene);
}

/* The directory itself comes later, as with the first package that has images. */
static void test_a_directory_that_comes_and_goes(void **state)
{
	struct scene scene;
	char from[128], to[128];

	(void)state;
	scene_start(&scene, NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	snprintf(from, sizeof(from), "%s/" WORLD_IMAGES, scene.world.tree.path);
	snprintf(to, sizeof(to), "%s/" WORLD_IMAGES ".away", scene.world.tree.path);
	assert_int_equal(rename(from, to), 0);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	assert_int_equal(rename(to, from), 0);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_end(&scene);
}

/* Whoever asks need not wait until they rest. */
static void check_new(struct scene *scene, const char *wanted)
{
	sd_bus_message *reply = NULL;
	const char *version;

	assert_true(sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "CheckNew", NULL, &reply,
				       "a{sv}", 0) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &version) >= 0);
	assert_string_equal(version, wanted);
	sd_bus_message_unref(reply);
}

static void test_asking_for_news(void **state)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", NULL);
	scene_run(&scene);
	check_new(&scene, "");
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	check_new(&scene, "1.5.16");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_null(scene_hold(&scene, "1.5.16", 0));
	check_new(&scene, "");
	tree_put(&scene.world.tree, WORLD_IMAGES "/mapping_file.json", "{");
	assert_true(sd_bus_call_method(scene.bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "CheckNew", &error, NULL,
				       "a{sv}", 0) < 0);
	assert_string_equal(error.name, "org.tdxupd1.Error.Config");
	sd_bus_error_free(&error);
	assert_true(sd_bus_call_method(scene.bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "CheckNew", &error, NULL,
				       "a{sv}", 1, "fast", "b", 1) < 0);
	assert_string_equal(error.name, "org.freedesktop.DBus.Error.InvalidArgs");
	sd_bus_error_free(&error);
	scene_end(&scene);
}

static void test_tds_are_counted(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	scene_assert(&scene, SCENE_MANAGER, "Tds", "0");
	scene_begin_build(&scene);
	scene_assert(&scene, SCENE_MANAGER, "Tds", "1");
	world_do(&scene.world, "td abort vm1");
	scene_await(&scene, SCENE_MANAGER, "Tds", "0");
	scene_end(&scene);
	scene_set_bare(&scene);
	scene_run(&scene);
	scene_assert(&scene, SCENE_MANAGER, "Tds", "-1");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_somebody_else_updates),
		cmocka_unit_test(test_somebody_else_updates_under_a_waiting_job),
		cmocka_unit_test(test_a_source_that_came_before_the_job),
		cmocka_unit_test(test_a_source_that_came_under_a_waiting_job),
		cmocka_unit_test(test_a_reboot_takes_the_module_back),
		cmocka_unit_test(test_each_cause_of_another_module),
		cmocka_unit_test(test_asking_for_news),
		cmocka_unit_test(test_tds_are_counted),
		cmocka_unit_test(test_a_reboot_with_auto_update),
		cmocka_unit_test(test_images_are_looked_at_when_they_rest),
		cmocka_unit_test(test_a_directory_that_comes_and_goes),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
