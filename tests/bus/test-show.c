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

/* ---- what is shown ---- */

static void assert_shown(struct scene *scene, const char *decision)
{
	_cleanup_(cleanup_free)
	char *shown = NULL;

	usleep(150000); /* what was looked at just now is shown again */
	shown = scene_get(scene, SCENE_MANAGER, "GateDecision");
	assert_string_equal(shown, decision);
}

/* No job waits, nobody asks for a look, and nothing tells of a TD. */
static void test_at_rest_nothing_old_is_shown(void **state)
{
	static const struct {
		const char *host, *building;
	} table[] = {
		{ "host kernel=mainline", "unknown" },
		{ "host kernel=mainline tracing=yes", "wait" },
		{ "host kernel=piece", "wait" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct scene scene;

		scene_start(&scene, table[i].host, NULL);
		assert_shown(&scene, "go");
		scene_begin_build(&scene);
		assert_shown(&scene, table[i].building);
		world_do(&scene.world, "td abort vm1");
		assert_shown(&scene, "go");
		scene_end(&scene);
	}
}

/* ---- one read that fails ---- */

/* The first look at what the job waits for fails; later ones do not. */
static void test_a_read_that_fails_once_is_not_for_ever(void **state)
{
	static const struct {
		const char *host, *file, *last;
	} table[] = {
		{ "host kernel=piece cgroup=none", "tds_building",
		  "td step vm1 finalize" },
		{ "host kernel=mainline", "misc.current", "td abort vm1" },
		{ "host kernel=mainline tracing=yes", "trace_pipe", "td abort vm1" },
		{ "host kernel=mainline tracing=yes", "kprobe_profile", "td abort vm1" },
		{ "host kernel=mainline tracing=yes", "list", "td abort vm1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		struct scene scene;

		print_message("%s, %s\n", table[i].host, table[i].file);
		scene_start(&scene, table[i].host, NULL);
		scene_begin_build(&scene);
		job = scene_update(&scene, NULL);
		scene_await(&scene, job, "State", "waiting");
		world_do(&scene.world, "deny %s", table[i].file);
		if (strstr(table[i].host, "tracing"))
			world_do(&scene.world, "deny misc.current");
		world_do(&scene.world, "%s", table[i].last);
		usleep(600000); /* some looks have failed */
		scene_assert(&scene, job, "State", "waiting");
		world_do(&scene.world, "release");
		scene_await_end(&scene, job, "done");
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
		cmocka_unit_test(test_at_rest_nothing_old_is_shown),
		cmocka_unit_test(test_a_read_that_fails_once_is_not_for_ever),
		cmocka_unit_test(test_a_gate_that_flutters),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
