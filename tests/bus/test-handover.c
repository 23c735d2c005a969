// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restart of the daemon: a job that waits goes on in the next one, with its id, its
 * deadline and its options. Not so after a stop, a crash or a boot.
 */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "../unit/test.h"
#include "keeper.h"
#include "story.h"
#include "util.h"

#define JOB         "/org/tdxupd1/job/_1"
#define SECOND      "/org/tdxupd1/job/_2"
#define INTERRUPTED "org.tdxupd1.Error.Interrupted"

static struct keeper *set_waiting(struct scene *scene)
{
	struct keeper *keeper;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_set(scene, "host kernel=mainline", NULL);
	keeper = keeper_begin(scene);
	keeper_run(keeper, scene);
	scene_begin_build(scene);
	job = scene_update_with(scene, "1.5.16", 2, "token", "s", "rollout",
				"deadline_usec", "t", UINT64_C(60000000));
	assert_string_equal(job, JOB);
	scene_await(scene, JOB, "State", "waiting");
	return keeper;
}

static void end(struct scene *scene, struct keeper *keeper)
{
	if (scene->daemon)
		assert_int_equal(scene_stop(scene), 0);
	keeper_end(keeper);
	scene_end(scene);
}

static void test_a_restart_is_no_end(void **state)
{
	_cleanup_(cleanup_free)
	char *again = NULL;
	_cleanup_(cleanup_free)
	char *second = NULL;
	struct scene scene;
	struct keeper *keeper;

	(void)state;
	keeper = set_waiting(&scene);
	second = scene_update(&scene, "1.5.06");
	assert_string_equal(second, SECOND);
	for (unsigned i = 0; i < 3; i++) {
		keeper_restart(keeper, &scene);
		scene_await(&scene, JOB, "State", "waiting");
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "1\n");
		scene_assert(&scene, SECOND, "State", "queued");
	}
	/* Nothing of the first restart is left to be taken for another. */
	assert_int_equal(keeper_count(keeper, "jobs"), 0);
	again = scene_update_with(&scene, "1.5.16", 1, "token", "s", "rollout");
	assert_string_equal(again, JOB);
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, JOB, "done");
	free(scene_await_result(&scene, SECOND));
	scene_assert_host(&scene, "1.5.16", 1);
	again = (free(again), scene_update(&scene, "1.5.16"));
	assert_string_equal(again, "/org/tdxupd1/job/_3");
	end(&scene, keeper);
}

/* What is held by then counts, and what was given back to the kernel is not there. */
static void test_what_waits_in_a_restart_is_given_back(void **state)
{
	struct scene scene;
	struct keeper *keeper;

	(void)state;
	keeper = set_waiting(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
	tree_put(
		&scene.world.tree, STATE_DIR "/holds.json",
		"{\"holds\":[{\"what\":\"1.5.16\",\"reason\":\"no\",\"since_usec\":1}]}");
	keeper_run(keeper, &scene);
	scene_await_end(&scene, JOB, "Held");
	scene_assert_host(&scene, "1.5.06", 0);
	end(&scene, keeper);
}

static void test_the_deadline_stays(void **state)
{
	struct scene scene;
	struct keeper *keeper;

	(void)state;
	keeper = set_waiting(&scene);
	assert_null(scene_call_with(&scene, JOB, "SetDeadline", "t", UINT64_C(1500000)));
	keeper_restart(keeper, &scene);
	scene_await(&scene, JOB, "State", "waiting");
	scene_await_end(&scene, JOB, "Expired");
	end(&scene, keeper);
}

static void stop_and_start(struct scene *scene, struct keeper *keeper)
{
	keeper_stop(keeper, scene);
	keeper_run(keeper, scene);
}

static void crash(struct scene *scene, struct keeper *keeper)
{
	keeper_crash(keeper, scene);
}

/* Whatever has kept them. */
static void boot(struct scene *scene, struct keeper *keeper)
{
	assert_int_equal(scene_stop(scene), 0);
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	keeper_run(keeper, scene);
}

static void restart_and_crash(struct scene *scene, struct keeper *keeper)
{
	keeper_restart(keeper, scene);
	keeper_crash(keeper, scene);
}

static void test_what_is_none(void **state)
{
	static void (*const ends[])(struct scene * scene, struct keeper * keeper) = {
		stop_and_start,
		crash,
		boot,
		restart_and_crash,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct scene scene;
		struct keeper *keeper;

		keeper = set_waiting(&scene);
		ends[i](&scene, keeper);
		if (ends[i] != boot)
			scene_assert(&scene, JOB, "Result", INTERRUPTED);
		scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
		if (ends[i] != boot)
			world_do(&scene.world, "td abort vm1");
		usleep(50000);
		scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
		scene_assert_host(&scene, "1.5.06", 0);
		end(&scene, keeper);
	}
}

/* Between two steps of a way: the first is made, the second follows the restart. */
static void test_on_the_way(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *history = NULL;
	struct scene scene;
	struct keeper *keeper;
	pid_t dead;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	scene_put_images(&scene, "1.5.06", "1.5.08", "1.5.16,min_module=1.5.08", NULL);
	keeper = keeper_begin(&scene);
	keeper_run(keeper, &scene);
	job = scene_update(&scene, "1.5.16");
	world_do(&scene.world, "wait upload programming");
	/* Told during the commit, it ends after the verdict. */
	dead = scene.daemon;
	kill(dead, SIGTERM);
	usleep(50000);
	world_do(&scene.world, "upload hold=none");
	assert_int_equal(scene_reap(dead), 0);
	scene_assert_host(&scene, "1.5.08", 1);
	keeper_run(keeper, &scene);
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 2);
	/* And nobody else is said to have made it. */
	assert_int_equal(world_read(&scene.world, STORY_FILE, &history), 0);
	assert_null(strstr(history, "\"phase\":\"external\""));
	end(&scene, keeper);
}

/* Whoever waits for it on a terminal goes on waiting. */
static void test_the_client_follows(void **state)
{
	struct scene scene;
	struct keeper *keeper;
	pid_t client;

	(void)state;
	keeper = set_waiting(&scene);
	client = scene_fork();
	if (client == 0) {
		const char *ctl = getenv("TDXUPD_CTL");

		execl(ctl, ctl, "--root", scene.world.tree.path, "--bus-address",
		      scene.address, "update", "1.5.16", NULL);
		_exit(127);
	}
	usleep(500000);
	keeper_restart(keeper, &scene);
	scene_await(&scene, JOB, "State", "waiting");
	world_do(&scene.world, "td abort vm1");
	assert_int_equal(scene_reap(client), 0);
	scene_assert_host(&scene, "1.5.16", 1);
	end(&scene, keeper);
}

/* ---- what others hold ---- */

/* As its holder hears it: nothing has an end here. */
static bool ends_within(int fd, int msec)
{
	struct pollfd pollfd = { .fd = fd };

	return poll(&pollfd, 1, msec) > 0 && (pollfd.revents & POLLERR);
}

static bool has_ended(int fd)
{
	return ends_within(fd, 0);
}

/* The daemon's worker has a copy until it has noticed that the daemon is gone. */
static void assert_ends(int fd)
{
	assert_true(ends_within(fd, 10000));
}

static void take_both(struct scene *scene, int *ret_inhibitor, int *ret_lease)
{
	assert_null(scene_take(scene, "Inhibit", ret_inhibitor, "sssa{sv}", "backup",
			       "do not touch", "block", 0));
	assert_null(scene_take(scene, "BeginBuild", ret_lease, "sa{sv}", "vm7", 0));
}

static void assert_held(struct scene *scene, unsigned count)
{
	scene_await_count(scene, "ListInhibitors", "(sssuutt)", count);
	scene_await_count(scene, "ListBuilds", "(ssuttb)", count);
}

/* They outlive the daemon, by a crash too, for as long as they are held. */
static void test_inhibitors_and_leases_stay(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	struct keeper *keeper;
	int inhibitor, lease;

	(void)state;
	scene_set(&scene, NULL);
	keeper = keeper_begin(&scene);
	keeper_run(keeper, &scene);
	take_both(&scene, &inhibitor, &lease);
	assert_held(&scene, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(keeper_count(keeper, "inhibitor-"), 2);
		assert_int_equal(keeper_count(keeper, "lease-"), 2);
		if (i % 2)
			keeper_crash(keeper, &scene);
		else
			keeper_restart(keeper, &scene);
		assert_held(&scene, 1);
		assert_false(has_ended(inhibitor));
		assert_false(has_ended(lease));
	}
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	close(lease);
	scene_await_count(&scene, "ListBuilds", "(ssuttb)", 0);
	usleep(20000);
	scene_assert(&scene, job, "State", "waiting");
	close(inhibitor);
	scene_await_end(&scene, job, "done");
	assert_held(&scene, 0);
	scene_assert_host(&scene, "1.5.16", 1);
	assert_int_equal(keeper_count(keeper, ""), 0);
	end(&scene, keeper);
}

/* What nobody holds any more by the time that the daemon is back is over. */
static void test_what_is_let_go_meanwhile(void **state)
{
	struct scene scene;
	struct keeper *keeper;
	int inhibitor, lease;

	(void)state;
	scene_set(&scene, NULL);
	keeper = keeper_begin(&scene);
	keeper_run(keeper, &scene);
	take_both(&scene, &inhibitor, &lease);
	assert_held(&scene, 1);
	assert_int_equal(keeper_count(keeper, ""), 4);
	assert_int_equal(scene_stop(&scene), 0);
	close(inhibitor);
	close(lease);
	keeper_run(keeper, &scene);
	assert_held(&scene, 0);
	/* Nor is their meaning kept. */
	assert_int_equal(keeper_count(keeper, ""), 0);
	end(&scene, keeper);
}

/* Whoever holds one hears of a stop, and of a daemon that nobody keeps it for. */
static void test_its_end_is_heard(void **state)
{
	struct scene scene;
	struct keeper *keeper;
	int inhibitor, lease;

	(void)state;
	scene_set(&scene, NULL);
	keeper = keeper_begin(&scene);
	keeper_run(keeper, &scene);
	take_both(&scene, &inhibitor, &lease);
	/* A lease is answered before it is kept. */
	assert_held(&scene, 1);
	assert_int_equal(keeper_count(keeper, ""), 4);
	keeper_stop(keeper, &scene);
	assert_ends(inhibitor);
	assert_ends(lease);
	close(inhibitor);
	close(lease);
	scene_run(&scene);
	take_both(&scene, &inhibitor, &lease);
	assert_held(&scene, 1);
	assert_int_equal(scene_stop(&scene), 0);
	assert_ends(inhibitor);
	assert_ends(lease);
	close(inhibitor);
	close(lease);
	end(&scene, keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_is_no_end),
		cmocka_unit_test(test_what_waits_in_a_restart_is_given_back),
		cmocka_unit_test(test_the_deadline_stays),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_on_the_way),
		cmocka_unit_test(test_the_client_follows),
		cmocka_unit_test(test_inhibitors_and_leases_stay),
		cmocka_unit_test(test_what_is_let_go_meanwhile),
		cmocka_unit_test(test_its_end_is_heard),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
