// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Somebody looks at the gate while a job waits for it to open: whatever is found out for
 * them, the job is told. The one change that opens it comes at each moment of the look.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "clock.h"
#include "duration.h"
#include "history.h"
#include "scene.h"
#include "util.h"

#define SLOW_MSEC 100
#define MOMENTS   14

/* A TD that has been built keeps `population` from telling; that it is gone nobody says.
 */
static void wait_for_the_end_of_td(struct scene *scene, unsigned moment)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	world_do(&scene->world, "td build vm1 manual");
	world_do(&scene->world, "td step vm1 finalize");
	job = scene_update(scene, NULL);
	scene_await(scene, job, "State", "waiting");
	world_do(&scene->world, "slow misc.current %dms", SLOW_MSEC);
	assert_true(sd_bus_call_method_async(scene->bus, NULL, "org.tdxupd1",
					     SCENE_MANAGER, "org.tdxupd1.Manager",
					     "Refresh", NULL, NULL, "") >= 0);
	usleep(moment * SLOW_MSEC * 1000 / 2);
	world_do(&scene->world, "td abort vm1");
	usleep(4 * SLOW_MSEC * 1000);
	world_do(&scene->world, "release");
	scene_await_end(scene, job, "done");
}

static void test_a_look_takes_nothing_away(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		struct scene scene;

		scene_start(&scene, "host kernel=mainline", NULL);
		wait_for_the_end_of_td(&scene, moment);
		scene_end(&scene);
	}
}

/* ---- a gate that flutters ---- */

#define FLOOD_USEC (4 * USEC_PER_SEC)

/* In a child: as many events of the gate as the host can make. */
static pid_t flutter(struct scene *scene)
{
	uint64_t end = clock_usec(CLOCK_MONOTONIC) + FLOOD_USEC;
	pid_t pid = scene_fork();

	if (pid)
		return pid;
	while (clock_usec(CLOCK_MONOTONIC) < end) {
		world_do(&scene->world, "td build vm1 manual");
		world_do(&scene->world, "td step vm1 init");
		world_do(&scene->world, "td abort vm1");
	}
	_exit(0);
}

/* Somebody polls meanwhile, and somebody keeps the job from going. Each question has its
 * answer, nothing is lost, and what is recorded stays what it was. */
static void test_a_gate_that_flutters(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *before = NULL;
	_cleanup_(cleanup_free)
	char *after = NULL;
	struct scene scene;
	int inhibitor = -1;
	unsigned asked = 0;
	pid_t flood;

	(void)state;
	scene_start(&scene, "host kernel=piece", NULL);
	assert_null(scene_take(&scene, "Inhibit", &inhibitor, "sssa{sv}", "test", "flood",
			       "block", 0));
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	assert_int_equal(world_read(&scene.world, STATE_DIR "/" HISTORY_FILE, &before),
			 0);
	flood = flutter(&scene);
	for (; waitpid(flood, NULL, WNOHANG) == 0; asked++) {
		uint64_t began = clock_usec(CLOCK_MONOTONIC);

		assert_null(scene_call(&scene, SCENE_MANAGER, "Refresh"));
		scene_assert(&scene, SCENE_MANAGER, "State", "updating");
		assert_true(clock_usec(CLOCK_MONOTONIC) - began < 120 * USEC_PER_SEC);
	}
	print_message("%u questions were answered\n", asked);
	assert_true(asked > 0);
	assert_int_equal(world_read(&scene.world, STATE_DIR "/" HISTORY_FILE, &after), 0);
	assert_string_equal(before, after);
	scene_assert_host(&scene, "1.5.06", 0);
	close(inhibitor);
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_look_takes_nothing_away),
		cmocka_unit_test(test_a_gate_that_flutters),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
