// SPDX-License-Identifier: LGPL-2.1-or-later
/* AutoUpdate=: what happens when a newer image turns up and nobody asks. That no restart
 * begins anything again is test-restart.c's. */
#include <unistd.h>

#include "../unit/test.h"
#include "journal.h"
#include "scene.h"
#include "util.h"

/* An image that turns up later; nobody asks. */
static void test_auto_update(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* One job at a time, and nothing that turned up meanwhile is forgotten. */
static void test_an_image_that_turns_up_during_a_job(void **state)
{
	static const char job[] = "/org/tdxupd1/job/_1";
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_begin_build(&scene);
	scene_run(&scene);
	scene_await(&scene, job, "State", "waiting");
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", "1.5.16,ctx=2", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.06");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_assert_host(&scene, "1.5.16", 2);
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

/* With nothing new a job that ended is not begun again. */
static void test_a_cancelled_job_stays_cancelled(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_begin_build(&scene);
	scene_run(&scene);
	scene_await(&scene, "/org/tdxupd1/job/_1", "State", "waiting");
	assert_null(scene_call(&scene, "/org/tdxupd1/job/_1", "Cancel"));
	scene_await_end(&scene, "/org/tdxupd1/job/_1", "Cancelled");
	usleep(300000);
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_end(&scene);
}

/* That one can be had is for a person to read, and for a machine to find. */
static void assert_available(int journal)
{
	_cleanup_(cleanup_free)
	char *entry = scene_await_entry(journal, MESSAGE_AVAILABLE);

	assert_non_null(
		strstr(entry, "MESSAGE=TDX module 1.5.16 is there, sound and fits\n"));
	assert_non_null(strstr(entry, "PRIORITY=5\n"));
	assert_non_null(strstr(entry, "TDXUPD_FROM=1.5.06\n"));
	assert_non_null(strstr(entry, "TDXUPD_TO=1.5.16\n"));
}

/* It waits for somebody to ask, and says so once. */
static void test_stage_only_looks(void **state)
{
	struct scene scene;
	int journal;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", NULL);
	scene_put_config(&scene, "AutoUpdate=stage\n");
	journal = scene_run_with_journal(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	assert_false(scene_has_entry(journal, MESSAGE_AVAILABLE));
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	assert_available(journal);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_false(scene_has_entry(journal, MESSAGE_AVAILABLE));
	close(journal);
	usleep(200000);
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Nobody has asked for being told either. */
static void test_off_says_nothing(void **state)
{
	struct scene scene;
	int journal;

	(void)state;
	scene_set(&scene, NULL);
	journal = scene_run_with_journal(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_false(scene_has_entry(journal, MESSAGE_AVAILABLE));
	close(journal);
	scene_end(&scene);
}

/* Of two images that turn up AutoUpdate= takes the pinned one. */
static void test_auto_update_goes_to_the_pin(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_run(&scene);
	assert_null(scene_pin(&scene, "1.5.08"));
	scene_put_images(&scene, "1.5.06,ctx=1,svn=0x0106,features0=0x2E1F0FBF",
			 "1.5.08,ctx=1,svn=0x0106,features0=0x2E1F0FBF",
			 "1.5.16,ctx=2,svn=0x0106,features0=0x2E1F0FBF", NULL);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.08");
	scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert_host(&scene, "1.5.08", 1);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto_update),
		cmocka_unit_test(test_an_image_that_turns_up_during_a_job),
		cmocka_unit_test(test_a_cancelled_job_stays_cancelled),
		cmocka_unit_test(test_stage_only_looks),
		cmocka_unit_test(test_off_says_nothing),
		cmocka_unit_test(test_auto_update_goes_to_the_pin),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
