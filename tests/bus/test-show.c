// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Somebody looks at the gate while a job waits for it to open: whatever is found out for
 * them, the job is told. The one change that opens it comes at each moment of the look.
 */
#include <unistd.h>

#include "../unit/test.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_look_takes_nothing_away),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
