// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon dies while the kernel is at work, and the kernel does not come to an end.
 * The one that is started then waits for so long and no longer; what it cannot know it
 * says, and does not try again. How long is passed in, so that nobody has to wait here:
 * the daemon that gives up is this program, with everything of tdxupdd but its main().
 */
#include <unistd.h>

#include "../unit/test.h"
#include "bus.h"
#include "duration.h"
#include "story.h"
#include "util.h"

#define AWAIT_USEC (200 * 1000)
#define JOB        "/org/tdxupd1/job/_1"
#define UNKNOWN    "org.tdxupd1.Error.Unknown"

static int serve(const struct scene *scene)
{
	struct manager *manager;
	sd_event *event;
	struct bus *bus;
	char *why = NULL;

	if (sd_event_new(&event) < 0 ||
	    manager_new(event, scene->world.tree.path, AWAIT_USEC, &manager, &why) < 0 ||
	    bus_new(manager, scene->address, &bus) < 0)
		return 1;
	return sd_event_loop(event);
}

static void run_impatient(struct scene *scene)
{
	scene->daemon = scene_fork();
	if (scene->daemon == 0)
		_exit(serve(scene));
	scene_await_name(scene);
	scene_assert(scene, SCENE_MANAGER, "State", "recovering");
	scene_await(scene, SCENE_MANAGER, "State", "idle");
}

/* An update that the module is going to refuse, which the kernel has not heard yet. */
static void set_hung(struct scene *ret)
{
	scene_set(ret, "host kernel=mainline", "fail step=shutdown",
		  "upload hold=transferring", NULL);
	scene_put_config(ret, "AutoUpdate=apply\n");
	scene_run(ret);
	world_do(&ret->world, "wait upload transferring");
	scene_kill(ret);
}

static void test_nobody_can_tell(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *detail = NULL;
	_cleanup_(history_record_done)
	struct history_record record = { 0 };

	(void)state;
	set_hung(&scene);
	run_impatient(&scene);
	record = story_find(&scene, "recovered");
	assert_string_equal(record.outcome, "unknown");
	assert_int_equal(record.job, 1);
	/* Nothing has failed that would have to be held. */
	assert_null(record.reason);
	assert_int_equal(scene_count(&scene, "ListHolds", "(sststb)"), 0);
	scene_assert(&scene, JOB, "State", "unknown");
	scene_assert(&scene, JOB, "Outcome", "unknown");
	scene_assert(&scene, JOB, "Result", UNKNOWN);
	detail = scene_get(&scene, JOB, "Detail");
	assert_non_null(strstr(detail, "nobody can tell; look at the host"));
	scene_assert(&scene, SCENE_MANAGER, "LastResult", UNKNOWN);
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	/* It was let be: the kernel is still where it was. */
	world_assert_reads(&scene.world, WORLD_UPLOAD "status", "transferring\n");
	scene_kill(&scene);
	world_do(&scene.world, "upload hold=none");
	scene_end(&scene);
}

/* Neither when the kernel comes to its end after all, nor by daemons that are patient. */
static void test_it_is_not_tried_again(void **state)
{
	struct scene scene;

	(void)state;
	set_hung(&scene);
	run_impatient(&scene);
	scene_await(&scene, SCENE_MANAGER, "LastResult", UNKNOWN);
	world_do(&scene.world, "upload hold=none");
	world_do(&scene.world, "wait upload idle");
	world_do(&scene.world, "fail none");
	scene_assert_rests(&scene);
	scene_kill(&scene);
	for (unsigned i = 0; i < 2; i++) {
		scene_run(&scene);
		scene_assert_rests(&scene);
		assert_int_equal(scene_stop(&scene), 0);
	}
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_can_tell),
		cmocka_unit_test(test_it_is_not_tried_again),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
