// SPDX-License-Identifier: LGPL-2.1-or-later
/* What an administrator wants without being asked: pins, holds, AutoUpdate, reloads. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "journal.h"
#include "scene.h"
#include "util.h"

#define HELD   "org.tdxupd1.Error.Held"
#define PINNED "org.tdxupd1.Error.Pinned"

static uint64_t in_ms(unsigned ms)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 +
	       (uint64_t)ms * 1000;
}

static void must_update(struct scene *scene, const char *target)
{
	_cleanup_(cleanup_free)
	char *job = scene_update(scene, target);

	scene_await_end(scene, job, "done");
}

static void test_a_version_that_is_held(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", "1.5.16,ctx=2", NULL);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_null(scene_hold(&scene, "1.5.16", 0));
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.08");
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	/* It outlives the daemon. */
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.08", 1);
	assert_null(scene_unhold(&scene, "1.5.16"));
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.16", 2);
	scene_end(&scene);
}

static void test_a_hold_ends_by_itself(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_null(scene_hold(&scene, "all", in_ms(1500)));
	scene_update_refused(&scene, HELD, NULL, 0);
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	usleep(2000000);
	must_update(&scene, NULL);
	scene_end(&scene);
}

/* ListHolds(), as "what:reason:is_automatic " each; free() it. */
static char *list_holds(struct scene *scene)
{
	sd_bus_message *reply = NULL;
	const char *what, *reason;
	uint64_t since, until;
	char *text = strdup("");
	int is_automatic;

	assert_true(sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "ListHolds", NULL, &reply,
				       NULL) >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "(ssttb)") >= 0);
	while (sd_bus_message_read(reply, "(ssttb)", &what, &reason, &since, &until,
				   &is_automatic) > 0) {
		char *longer;

		assert_true(since > 0 && since <= in_ms(0) && until > since);
		assert_true(asprintf(&longer, "%s%s:%s:%d ", text, what, reason,
				     is_automatic) > 0);
		free(text);
		text = longer;
	}
	sd_bus_message_unref(reply);
	return text;
}

static void assert_holds(struct scene *scene, const char *expected)
{
	_cleanup_(cleanup_free)
	char *found = list_holds(scene);

	assert_string_equal(found, expected);
}

static void test_a_list_of_holds(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_holds(&scene, "");
	assert_null(scene_hold(&scene, "1.5.16", 0));
	assert_null(scene_hold(&scene, "all", in_ms(100000)));
	assert_holds(&scene, "1.5.16:a test:0 all:a test:0 ");
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	assert_holds(&scene, "1.5.16:a test:0 all:a test:0 ");
	assert_null(scene_unhold(&scene, "all"));
	assert_holds(&scene, "1.5.16:a test:0 ");
	scene_end(&scene);
}

static void test_holds_that_are_none(void **state)
{
	static const char no_version[] = "org.tdxupd1.Error.NoSuchVersion";
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_string_equal(scene_hold(&scene, "", 0), no_version);
	assert_string_equal(scene_hold(&scene, "1.5", 0), no_version);
	assert_string_equal(scene_unhold(&scene, "1.5.16"), no_version);
	scene_end(&scene);
}

/* Refused by the loader or the module for a reason nobody saw coming: not again. */
static void test_what_failed_is_held(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "fail step=shutdown", NULL);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Refused");
	scene_assert(&scene, job, "Outcome", "refused");
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	assert_null(scene_unhold(&scene, "1.5.16"));
	must_update(&scene, NULL);
	scene_end(&scene);
}

/* Somebody has mended the cause; what somebody holds is another matter. */
static void test_what_failed_is_forgotten_on_request(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "fail step=shutdown", NULL);
	assert_null(scene_call(&scene, SCENE_MANAGER, "ResetFailed"));
	assert_null(scene_hold(&scene, "1.5.06", 0));
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Refused");
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "org.tdxupd1.Error.Refused");
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	assert_null(scene_call(&scene, SCENE_MANAGER, "ResetFailed"));
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "");
	/* the job itself says what it said */
	scene_assert(&scene, job, "Result", "org.tdxupd1.Error.Refused");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_update_refused(&scene, HELD, "1.5.06", 0);
	/* for good */
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	must_update(&scene, NULL);
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "done");
	assert_null(scene_call(&scene, SCENE_MANAGER, "ResetFailed"));
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "done");
	scene_end(&scene);
}

static void test_a_target(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", "1.5.16,ctx=2", NULL);
	scene_put_config(&scene, "Target=1.5.08\n");
	scene_run(&scene);
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.08", 1);
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.08", 1);
	scene_end(&scene);
}

/* Of one security version and with the same features, so that there is a way back. */
static void put_three_images(struct scene *scene)
{
	scene_put_images(scene, "1.5.06,ctx=1,svn=0x0106,features0=0x2E1F0FBF",
			 "1.5.08,ctx=1,svn=0x0106,features0=0x2E1F0FBF",
			 "1.5.16,ctx=2,svn=0x0106,features0=0x2E1F0FBF", NULL);
}

/* Stronger than Target=, than what is newest, and than a crash. */
static void test_a_pin(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	put_three_images(&scene);
	scene_put_config(&scene, "Target=1.5.16\n");
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_null(scene_pin(&scene, "1.5.8"));
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.08");
	scene_kill(&scene);
	scene_run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.08");
	scene_update_refused(&scene, PINNED, "1.5.16", 0);
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.08", 1);
	/* It stays there. */
	must_update(&scene, NULL);
	must_update(&scene, "1.5.08");
	scene_update_refused(&scene, PINNED, "1.5.16", 0);
	scene_assert_host(&scene, "1.5.08", 1);
	assert_null(scene_unpin(&scene));
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.16", 2);
	/* And back. */
	assert_null(scene_pin(&scene, "1.5.08"));
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.08", 3);
	scene_end(&scene);
}

/* Reasons of any length, and with whatever in them. */
static void test_reasons(void **state)
{
	static const char *const members[] = { "Hold", "Pin" };
	char *large = malloc((1 << 20) + 1);
	struct scene scene;

	(void)state;
	memset(large, 'x', 1 << 20);
	large[1 << 20] = '\0';
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *const reasons[] = { large, "a\nb\x1b[31m\"\\" };

		for (size_t r = 0; r < ARRAY_SIZE(reasons); r++) {
			sd_bus_error error = SD_BUS_ERROR_NULL;
			int rc;

			rc = i == 0 ? sd_bus_call_method(
					      scene.bus, "org.tdxupd1", SCENE_MANAGER,
					      "org.tdxupd1.Manager", members[i], &error,
					      NULL, "sst", "1.5.16", reasons[r],
					      UINT64_C(0))
				    : sd_bus_call_method(
					      scene.bus, "org.tdxupd1", SCENE_MANAGER,
					      "org.tdxupd1.Manager", members[i], &error,
					      NULL, "ss", "1.5.16", reasons[r]);
			assert_int_equal(rc < 0, r == 0);
			if (rc < 0)
				assert_string_equal(error.name,
						    SD_BUS_ERROR_INVALID_ARGS);
			sd_bus_error_free(&error);
		}
	}
	/* What was taken is there after a restart. */
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	scene_update_refused(&scene, PINNED, "1.5.06", 0);
	scene_end(&scene);
	free(large);
}

static void must_fail(struct scene *scene, const char *result)
{
	_cleanup_(cleanup_free)
	char *job = scene_update(scene, NULL);

	scene_await_end(scene, job, result);
}

static void test_pins_that_lead_nowhere(void **state)
{
	static const char no_version[] = "org.tdxupd1.Error.NoSuchVersion";
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.05,ctx=1,svn=0x0105", "1.5.06,ctx=1",
			 "1.5.16,ctx=2", NULL);
	scene_run(&scene);
	assert_string_equal(scene_pin(&scene, ""), no_version);
	assert_string_equal(scene_pin(&scene, "1.5"), no_version);
	assert_string_equal(scene_unpin(&scene), no_version);
	/* Not there, not yet perhaps. */
	assert_null(scene_pin(&scene, "1.5.20"));
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	must_fail(&scene, "NoSuchVersion");
	/* Lower in security. */
	assert_null(scene_pin(&scene, "1.5.05"));
	must_fail(&scene, "NoPath");
	/* Both at once. */
	assert_null(scene_pin(&scene, "1.5.16"));
	assert_null(scene_hold(&scene, "1.5.16", 0));
	must_fail(&scene, "Held");
	scene_assert_host(&scene, "1.5.06", 0);
	assert_null(scene_unhold(&scene, "1.5.16"));
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.16", 1);
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
	put_three_images(&scene);
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.08");
	scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert_host(&scene, "1.5.08", 1);
	scene_end(&scene);
}

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

/* What a job has begun with holds to its end, and for nothing after. */
static void test_a_reload_leaves_a_running_job_alone(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "wait");
	scene_put_config(&scene, "Guard=off\n");
	kill(scene.daemon, SIGHUP);
	scene_await(&scene, SCENE_MANAGER, "GateDecision", "go");
	scene_assert(&scene, job, "State", "waiting");
	/* Nonsense changes nothing. */
	scene_put_config(&scene, "Guard=strictly\n");
	kill(scene.daemon, SIGHUP);
	usleep(200000);
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "go");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_version_that_is_held),
		cmocka_unit_test(test_a_hold_ends_by_itself),
		cmocka_unit_test(test_a_list_of_holds),
		cmocka_unit_test(test_holds_that_are_none),
		cmocka_unit_test(test_what_failed_is_held),
		cmocka_unit_test(test_what_failed_is_forgotten_on_request),
		cmocka_unit_test(test_a_target),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_pins_that_lead_nowhere),
		cmocka_unit_test(test_auto_update_goes_to_the_pin),
		cmocka_unit_test(test_auto_update),
		cmocka_unit_test(test_an_image_that_turns_up_during_a_job),
		cmocka_unit_test(test_a_cancelled_job_stays_cancelled),
		cmocka_unit_test(test_stage_only_looks),
		cmocka_unit_test(test_off_says_nothing),
		cmocka_unit_test(test_a_reload_leaves_a_running_job_alone),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
