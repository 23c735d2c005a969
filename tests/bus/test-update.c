// SPDX-License-Identifier: LGPL-2.1-or-later
/* Updates as they should go, with the real daemon on a simulated host. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define BUILD_FILE WORLD_HOST "tds_building"

/* The reason for all this: a TD that is being built ends with the right MRTD. */
static void wait_for_a_build(const char *kernel)
{
	struct scene scene;
	char command[32];
	_cleanup_(cleanup_free)
	char *job = NULL;

	snprintf(command, sizeof(command), "host kernel=%s", kernel);
	scene_start(&scene, command, NULL);
	world_do(&scene.world, "td build vm1 1s");
	world_wait(&scene.world, "building 1");
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	scene_assert(&scene, job, "From", "1.5.06");
	scene_assert(&scene, job, "To", "1.5.16");
	scene_assert(&scene, job, "Cancellable", "1");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "wait");
	scene_assert(&scene, SCENE_MANAGER, "TdsBuilding", "1");
	scene_assert(&scene, SCENE_MANAGER, "State", "updating");
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", job);
	scene_await_end(&scene, job, "done");
	scene_assert(&scene, job, "Outcome", "succeeded");
	scene_assert(&scene, job, "Progress", "100");
	scene_assert(&scene, job, "Attempt", "1");
	scene_assert_host(&scene, "1.5.16", 1);
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	scene_assert(&scene, SCENE_MANAGER, "RemainingUpdates", "9");
	scene_assert(&scene, SCENE_MANAGER, "State", "idle");
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "done");
	scene_end(&scene);
}

static void test_the_trigger_waits_for_a_build(void **state)
{
	(void)state;
	wait_for_a_build("piece");
}

/* What the first test would miss if the gate did nothing. */
static void test_without_the_gate_the_measurement_is_wrong(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 extend");
	job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
	scene_await_end(&scene, job, "done");
	world_do(&scene.world, "td step vm1 finalize");
	world_assert_mrtd(&scene.world, "vm1", false);
	scene_end(&scene);
}

/* A mainline kernel tells nothing of builds; with no TD there is none. */
static void test_fw_upload_without_tds(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	scene_assert(&scene, SCENE_MANAGER, "TdsBuilding", "-1");
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* With one there might be, and nothing says that there is none: unknown is not open. */
static void test_fw_upload_does_not_guess(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	world_do(&scene.world, "td build vm1 100ms");
	world_do(&scene.world, "wait td vm1 running");
	job = scene_update_with(&scene, NULL, 1, "deadline_usec", "t", UINT64_C(700000));
	scene_await(&scene, job, "State", "waiting");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "unknown");
	scene_await_end(&scene, job, "Expired");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Whoever refuses: nothing is lost, and an attempt after the build goes through. */
static void meet_busy(const char *kernel)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_set(&scene, "boot version=1.5.06 svn=0x0106 features0=0x80002e1f0fbf hv=1",
		  "set patch=bit", kernel, NULL);
	scene_put_images(&scene, "1.5.16,features0=0x80226f3f0fbf,ctx=2,hv=1", NULL);
	scene_run(&scene);
	scene_begin_build(&scene);
	job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
	scene_await(&scene, job, "Outcome", "busy");
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.06");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 1);
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

static void test_the_module_says_busy(void **state)
{
	(void)state;
	meet_busy("host kernel=patched");
}

static void test_the_kernel_says_busy(void **state)
{
	(void)state;
	meet_busy("host kernel=piece");
}

static void test_a_path_of_two_steps(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.08", "1.5.16,min_module=1.5.08", NULL);
	scene_run(&scene);
	job = scene_update(&scene, "1.5.16");
	scene_await_end(&scene, job, "done");
	scene_assert(&scene, job, "From", "1.5.06");
	scene_assert(&scene, job, "To", "1.5.16");
	scene_assert(&scene, job, "Attempt", "2");
	scene_assert_host(&scene, "1.5.16", 2);
	scene_end(&scene);
}

static void test_nothing_to_do_is_done(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "boot version=1.5.16 svn=0x010b", NULL);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	scene_assert(&scene, job, "Attempt", "0");
	scene_assert_host(&scene, "1.5.16", 0);
	scene_end(&scene);
}

static void test_a_second_request_joins(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *second = NULL;
	_cleanup_(cleanup_free)
	char *other = NULL;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	first = scene_update(&scene, "1.5.16");
	scene_await(&scene, first, "State", "waiting");
	second = scene_update(&scene, "1.5.16");
	assert_string_equal(first, second);
	other = scene_update(&scene, "1.5.06");
	assert_string_not_equal(first, other);
	scene_assert(&scene, other, "State", "queued");
	assert_null(scene_call(&scene, other, "Cancel"));
	scene_await_end(&scene, other, "Cancelled");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, first, "done");
	scene_end(&scene);
}

/* A caller who lost the answer asks again, and does not ask for a second update. */
static void test_a_token_is_one_request(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *again = NULL;
	_cleanup_(cleanup_free)
	char *other = NULL;

	(void)state;
	scene_start(&scene, NULL);
	first = scene_update_with(&scene, NULL, 1, "token", "s", "mine");
	scene_await_end(&scene, first, "done");
	again = scene_update_with(&scene, NULL, 1, "token", "s", "mine");
	assert_string_equal(first, again);
	other = scene_update_with(&scene, NULL, 1, "token", "s", "yours");
	assert_string_not_equal(first, other);
	scene_end(&scene);
}

/* What is asked for under a name that is in use, and by whom, has to be the same. */
static void test_a_token_names_one_request(void **state)
{
	static const char invalid[] = "org.freedesktop.DBus.Error.InvalidArgs";
	struct scene scene;
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *again = NULL;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", "1.5.16,ctx=2", NULL);
	scene_run(&scene);
	scene_begin_build(&scene);
	first = scene_update_with(&scene, "1.5.08", 1, "token", "s", "rollout");
	scene_await(&scene, first, "State", "waiting");
	scene_update_refused(&scene, invalid, "1.5.16", 1, "token", "s", "rollout");
	scene_update_refused(&scene, invalid, NULL, 1, "token", "s", "rollout");
	scene_update_refused(&scene, invalid, "1.5.08", 2, "token", "s", "rollout",
			     "guard", "s", "off");
	scene_update_refused(&scene, invalid, "1.5.08", 2, "token", "s", "rollout",
			     "drain", "b", true);
	scene_update_refused(&scene, invalid, "1.5.08", 2, "token", "s", "rollout",
			     "plan_id", "s", "00000000000000000000000000000000");
	scene_update_refused(&scene, invalid, "1.5.08", 2, "token", "s", "rollout",
			     "reserve", "u", 3);
	/* How long they are ready to wait is another matter. */
	again = scene_update_with(&scene, "1.5.08", 2, "token", "s", "rollout",
				  "deadline_usec", "t", UINT64_C(1000));
	assert_string_equal(first, again);
	usleep(50000);
	scene_assert(&scene, first, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, first, "done");
	scene_update_refused(&scene, invalid, "1.5.16", 1, "token", "s", "rollout");
	scene_end(&scene);
}

/* Whoever joins has seen the job's plan, or none; and what is given up is their wait. */
static void test_who_joins(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *plan = NULL;
	_cleanup_(cleanup_free)
	char *seen = NULL;
	_cleanup_(cleanup_free)
	char *hasty = NULL;

	(void)state;
	scene_start(&scene, NULL);
	first = scene_update_waiting(&scene);
	scene_update_refused(&scene, "org.tdxupd1.Error.Stale", NULL, 1, "plan_id", "s",
			     "00000000000000000000000000000000");
	plan = scene_get(&scene, first, "PlanId");
	seen = scene_update_with(&scene, NULL, 1, "plan_id", "s", plan);
	assert_string_equal(first, seen);
	hasty = scene_update_with(&scene, NULL, 1, "deadline_usec", "t", UINT64_C(1000));
	assert_string_equal(first, hasty);
	usleep(50000);
	scene_assert(&scene, first, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, first, "done");
	scene_end(&scene);
}

/* A VMM that asks for a lease and gives it back: is it answered at once? */
static bool is_launch_let_go(struct scene *scene)
{
	sd_bus_message *call = NULL, *reply = NULL;
	int r;

	assert_true(sd_bus_message_new_method_call(scene->bus, &call, "org.tdxupd1",
						   SCENE_MANAGER, "org.tdxupd1.Manager",
						   "BeginBuild") >= 0);
	assert_true(sd_bus_message_append(call, "sa{sv}", "vm2", 0) >= 0);
	r = sd_bus_call(scene->bus, call, 300000, NULL, &reply);
	sd_bus_message_unref(call);
	sd_bus_message_unref(reply);
	if (r < 0)
		assert_int_equal(r, -ETIMEDOUT);
	return r >= 0;
}

static void test_expedite(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	assert_true(is_launch_let_go(&scene));
	assert_null(scene_call(&scene, job, "Expedite"));
	assert_false(is_launch_let_go(&scene));
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	assert_true(is_launch_let_go(&scene));
	assert_string_equal(scene_call(&scene, job, "Expedite"),
			    "org.tdxupd1.Error.NoSuchJob");
	scene_end(&scene);
}

static void test_cancel_takes_the_image_back(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	job = scene_update_waiting(&scene);
	world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "1\n");
	assert_null(scene_call(&scene, job, "Cancel"));
	scene_await_end(&scene, job, "Cancelled");
	scene_assert_host(&scene, "1.5.06", 0);
	assert_string_equal(scene_call(&scene, job, "Cancel"),
			    "org.tdxupd1.Error.NoSuchJob");
	scene_end(&scene);
}

static bool is_staged(const struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *loading = NULL;

	assert_int_equal(world_read(&scene->world, WORLD_UPLOAD "loading", &loading), 0);
	return strcmp(loading, "1\n") == 0;
}

/* udev's 50-firmware.rules, or anybody else who writes `loading`: noticed at once. */
static void test_an_image_that_is_dropped_is_staged_again(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	job = scene_update_waiting(&scene);
	assert_int_equal(world_write(&scene.world, WORLD_UPLOAD "loading", "-1"), 0);
	while (!is_staged(&scene))
		usleep(1000);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, "done");
	scene_assert(&scene, job, "Attempt", "1");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* By a way on which nobody sees the write: then the commit starts nothing. */
static void test_a_staged_image_that_vanishes_is_staged_again(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	job = scene_update_waiting(&scene);
	/* Its own writes it does see, in the turn of the loop after them. */
	for (unsigned i = 0; i < 2; i++)
		scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "loading -1");
	world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* It comes between the job's own look at the gate and the one for whoever watches. */
static void test_a_gap_that_another_look_has_seen(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=piece", NULL);
	job = scene_update_waiting(&scene);
	world_do(&scene.world, "td build vm2 manual");
	world_do(&scene.world, "slow tds_building 300ms");
	world_do(&scene.world, "td step vm2 init");
	usleep(450000);
	world_do(&scene.world, "td step vm1 finalize");
	world_do(&scene.world, "td step vm2 finalize");
	world_do(&scene.world, "release");
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* An upload had no memory once. The version has done nothing: it is not held. */
static void test_a_kernel_that_takes_no_upload(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", "upload abort", NULL);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Unsupported");
	scene_assert_host(&scene, "1.5.06", 0);
	assert_int_equal(scene_count(&scene, "ListHolds", "(sststb)"), 0);
	scene_end(&scene);
}

static void test_a_stop_leaves_nothing_staged(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	job = scene_update_waiting(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Between the commit and the verdict the daemon does not go. */
static void test_a_stop_waits_for_the_verdict(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "confirming");
	assert_string_equal(scene_call(&scene, job, "Cancel"), "org.tdxupd1.Error.Busy");
	kill(scene.daemon, SIGTERM);
	usleep(200000);
	assert_int_equal(kill(scene.daemon, 0), 0);
	scene_assert(&scene, job, "State", "confirming");
	world_do(&scene.world, "upload hold=none");
	assert_int_equal(scene_stop(&scene), 0);
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_trigger_waits_for_a_build),
		cmocka_unit_test(test_without_the_gate_the_measurement_is_wrong),
		cmocka_unit_test(test_fw_upload_without_tds),
		cmocka_unit_test(test_fw_upload_does_not_guess),
		cmocka_unit_test(test_the_module_says_busy),
		cmocka_unit_test(test_the_kernel_says_busy),
		cmocka_unit_test(test_a_path_of_two_steps),
		cmocka_unit_test(test_nothing_to_do_is_done),
		cmocka_unit_test(test_a_second_request_joins),
		cmocka_unit_test(test_a_token_is_one_request),
		cmocka_unit_test(test_a_token_names_one_request),
		cmocka_unit_test(test_who_joins),
		cmocka_unit_test(test_expedite),
		cmocka_unit_test(test_cancel_takes_the_image_back),
		cmocka_unit_test(test_an_image_that_is_dropped_is_staged_again),
		cmocka_unit_test(test_a_staged_image_that_vanishes_is_staged_again),
		cmocka_unit_test(test_a_gap_that_another_look_has_seen),
		cmocka_unit_test(test_a_kernel_that_takes_no_upload),
		cmocka_unit_test(test_a_stop_leaves_nothing_staged),
		cmocka_unit_test(test_a_stop_waits_for_the_verdict),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
