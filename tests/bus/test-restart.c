// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * AutoUpdate=apply and an update that was cut off or given up: however often the daemon
 * is started, that alone does not begin it again. What does: somebody's word, other
 * images or configuration, another boot.
 */
#include <signal.h>
#include <unistd.h>

#include "../unit/test.h"
#include "story.h"
#include "util.h"

#define JOB         "/org/tdxupd1/job/_1"
#define INTERRUPTED "org.tdxupd1.Error.Interrupted"

static void run_until_it_waits(struct scene *scene)
{
	scene_begin_build(scene);
	scene_run(scene);
	scene_await(scene, JOB, "State", "waiting");
}

/* It had come as far as it could, and nothing of it was lost. */
static void cut_off_while_it_waits(struct scene *scene)
{
	run_until_it_waits(scene);
	scene_kill(scene);
	world_do(&scene->world, "td abort vm1");
}

/* The kernel has refused it, but its trigger said so to a daemon that was gone: nothing
 * is held. */
static void cut_off_while_it_commits(struct scene *scene)
{
	pid_t dead;

	world_do(&scene->world, "fail step=shutdown");
	world_do(&scene->world, "upload hold=transferring");
	dead = scene->daemon = scene_spawn(scene);
	world_do(&scene->world, "wait updating yes");
	kill(dead, SIGKILL);
	world_do(&scene->world, "upload hold=none");
	assert_int_equal(scene_reap(dead), 128 + SIGKILL);
	scene->daemon = 0;
	world_do(&scene->world, "fail none");
}

static void restart(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	scene_run(scene);
}

static void must_rest_again(struct scene *scene)
{
	restart(scene);
	scene_assert_rests(scene);
}

/* As scene_set(), with a daemon that rests after the update was @cut off, and has been
 * started once more since. */
static void set_cut_off(struct scene *ret, const char *kernel,
			void (*cut)(struct scene *scene))
{
	char command[64];

	snprintf(command, sizeof(command), "host kernel=%s", kernel);
	scene_set(ret, command, NULL);
	scene_put_config(ret, "AutoUpdate=apply\n");
	cut(ret);
	scene_run(ret);
	scene_assert_rests(ret);
	scene_assert(ret, SCENE_MANAGER, "LastResult", INTERRUPTED);
	must_rest_again(ret);
}

static void test_no_restart_begins_it_again(void **state)
{
	static const struct {
		const char *kernel;
		void (*cut)(struct scene *scene);
	} ways[] = {
		{ "mainline", cut_off_while_it_waits },
		{ "piece", cut_off_while_it_waits },
		{ "piece", cut_off_while_it_commits },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct scene scene;

		set_cut_off(&scene, ways[i].kernel, ways[i].cut);
		must_rest_again(&scene);
		/* However it went down. */
		scene_kill(&scene);
		scene_run(&scene);
		scene_assert_rests(&scene);
		scene_end(&scene);
	}
}

static void set_waiting(struct scene *ret)
{
	scene_set(ret, NULL);
	scene_put_config(ret, "AutoUpdate=apply\n");
	run_until_it_waits(ret);
}

static void test_a_cancelled_job_stays_cancelled(void **state)
{
	struct scene scene;

	(void)state;
	set_waiting(&scene);
	assert_null(scene_call(&scene, JOB, "Cancel"));
	scene_await_end(&scene, JOB, "Cancelled");
	world_do(&scene.world, "td abort vm1");
	must_rest_again(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

static void test_an_expired_job_stays_expired(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\nDeadlineSec=100ms\n");
	scene_begin_build(&scene);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "LastResult", "org.tdxupd1.Error.Expired");
	world_do(&scene.world, "td abort vm1");
	must_rest_again(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

static void check_new(struct scene *scene)
{
	assert_null(scene_call_with(scene, SCENE_MANAGER, "CheckNew", "a{sv}", 0));
}

static void hold_another(struct scene *scene)
{
	assert_null(scene_hold(scene, "1.5.99", 0));
}

static void unhold_another(struct scene *scene)
{
	assert_null(scene_unhold(scene, "1.5.99"));
}

static void pin_it(struct scene *scene)
{
	assert_null(scene_pin(scene, "1.5.16"));
}

static void unpin_it(struct scene *scene)
{
	assert_null(scene_unpin(scene));
}

static void reload_the_same(struct scene *scene)
{
	assert_null(scene_call(scene, SCENE_MANAGER, "Reload"));
}

static void touch_images(struct scene *scene)
{
	scene_put_images(scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	usleep(2300000);
}

/* Whoever asks, whatever is held and however often it is started after that: a crash and
 * a cancel are no invitation. Questions come as soon as there is somebody to ask. */
static void test_nobodys_question_begins_it_again(void **state)
{
	static void (*const askers[])(struct scene * scene) = {
		check_new, hold_another, check_new,       unhold_another, pin_it,
		check_new, unpin_it,     reload_the_same, touch_images,
	};
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	cut_off_while_it_waits(&scene);
	scene_run(&scene);
	check_new(&scene);
	scene_assert_rests(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		askers[i](&scene);
		scene_assert_rests(&scene);
		/* Killed right after that, too. */
		scene_kill(&scene);
		scene_run(&scene);
		check_new(&scene);
		scene_assert_rests(&scene);
	}
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Nor in the life of the daemon that was told to cancel. */
static void test_what_was_cancelled_is_not_begun_by_a_hold(void **state)
{
	struct scene scene;

	(void)state;
	set_waiting(&scene);
	assert_null(scene_call(&scene, JOB, "Cancel"));
	scene_await_end(&scene, JOB, "Cancelled");
	world_do(&scene.world, "td abort vm1");
	hold_another(&scene);
	check_new(&scene);
	reload_the_same(&scene);
	scene_assert_rests(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

/* The history ends in something else, and the job is not forgotten for that. */
static void test_a_hold_hides_no_crash(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	run_until_it_waits(&scene);
	hold_another(&scene);
	scene_kill(&scene);
	world_do(&scene.world, "td abort vm1");
	scene_run(&scene);
	scene_assert(&scene, JOB, "Result", INTERRUPTED);
	scene_assert_rests(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

/* ---- what begins it ---- */

/* An update of its package restarts the daemon, and ends nothing. */
static void test_a_stop_is_no_end(void **state)
{
	struct scene scene;

	(void)state;
	set_waiting(&scene);
	restart(&scene);
	/* What the stop did is told, and it goes on. */
	scene_assert(&scene, SCENE_MANAGER, "LastResult", INTERRUPTED);
	world_do(&scene.world, "td step vm1 finalize");
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

static void ask(struct scene *scene)
{
	free(scene_update(scene, NULL));
}

static void reload(struct scene *scene)
{
	scene_put_config(scene, "AutoUpdate=apply\nGuard=off\n");
	kill(scene->daemon, SIGHUP);
}

static void clear(struct scene *scene)
{
	assert_null(scene_call(scene, SCENE_MANAGER, "ResetFailed"));
}

static void bring_images(struct scene *scene)
{
	scene_put_images(scene, "1.5.06,ctx=1", "1.5.18,ctx=2", NULL);
}

/* A package manager stops it for that. */
static void bring_images_meanwhile(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	bring_images(scene);
	scene_run(scene);
}

static void boot(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	scene_run(scene);
}

static void test_what_begins_it_again(void **state)
{
	static const struct {
		void (*cause)(struct scene *scene);
		const char *version;
	} causes[] = {
		{ ask, "1.5.16" },          { reload, "1.5.16" },
		{ clear, "1.5.16" },        { boot, "1.5.16" },
		{ bring_images, "1.5.18" }, { bring_images_meanwhile, "1.5.18" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct scene scene;

		set_cut_off(&scene, "mainline", cut_off_while_it_waits);
		causes[i].cause(&scene);
		scene_await(&scene, SCENE_MANAGER, "ModuleVersion", causes[i].version);
		scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
		scene_end(&scene);
	}
}

/* It may be what took the host down: the boot after that does not begin it either. */
static void test_the_host_went_down_with_it(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	cut_off_while_it_waits(&scene);
	world_do(&scene.world, "boot version=1.5.06 svn=0x0106 ctx=1");
	scene_run(&scene);
	scene_assert_rests(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

/* Nobody can tell what was under way, nor that nothing was. */
static void test_the_end_of_the_history_is_lost(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	cut_off_while_it_waits(&scene);
	tree_put(&scene.world.tree, STORY_FILE, "nonsense\n");
	scene_run(&scene);
	scene_assert_rests(&scene);
	must_rest_again(&scene);
	scene_end(&scene);
}

/* The record says why nothing happens. */
static void test_the_history_says_so(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *history = NULL;

	(void)state;
	set_cut_off(&scene, "mainline", cut_off_while_it_waits);
	assert_int_equal(world_read(&scene.world, STORY_FILE, &history), 0);
	assert_non_null(strstr(history, "a restart begins nothing again"));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_restart_begins_it_again),
		cmocka_unit_test(test_a_cancelled_job_stays_cancelled),
		cmocka_unit_test(test_an_expired_job_stays_expired),
		cmocka_unit_test(test_nobodys_question_begins_it_again),
		cmocka_unit_test(test_what_was_cancelled_is_not_begun_by_a_hold),
		cmocka_unit_test(test_a_hold_hides_no_crash),
		cmocka_unit_test(test_a_stop_is_no_end),
		cmocka_unit_test(test_what_begins_it_again),
		cmocka_unit_test(test_the_host_went_down_with_it),
		cmocka_unit_test(test_the_end_of_the_history_is_lost),
		cmocka_unit_test(test_the_history_says_so),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
