// SPDX-License-Identifier: LGPL-2.1-or-later
/* What an administrator wants without being asked: pins, holds, reloads. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "story.h"
#include "util.h"

#define HELD   "org.tdxupd1.Error.Held"
#define FAILED "org.tdxupd1.Error.Failed"
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
	scene_update_fails(&scene, "Held", NULL);
	scene_update_refused(&scene, HELD, "1.5.16", 0);
	usleep(2000000);
	must_update(&scene, NULL);
	scene_end(&scene);
}

/* ListHolds(), as "what:reason:by:is_automatic " each; free() it. */
static char *list_holds(struct scene *scene)
{
	sd_bus_message *reply = NULL;
	const char *what, *reason, *by;
	uint64_t since, until;
	char *text = strdup("");
	int is_automatic;

	assert_true(sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "ListHolds", NULL, &reply,
				       NULL) >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "(sststb)") >= 0);
	while (sd_bus_message_read(reply, "(sststb)", &what, &reason, &since, &by, &until,
				   &is_automatic) > 0) {
		char *longer;

		assert_true(since > 0 && since <= in_ms(0) && until > since);
		assert_true(asprintf(&longer, "%s%s:%s:%s:%d ", text, what, reason, by,
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
	assert_holds(&scene, "1.5.16:a test:root (uid 0):0 all:a test:root (uid 0):0 ");
	assert_int_equal(scene_stop(&scene), 0);
	scene_run(&scene);
	assert_holds(&scene, "1.5.16:a test:root (uid 0):0 all:a test:root (uid 0):0 ");
	assert_null(scene_unhold(&scene, "all"));
	assert_holds(&scene, "1.5.16:a test:root (uid 0):0 ");
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
	assert_string_equal(scene_unhold(&scene, "1.5"), no_version);
	scene_end(&scene);
}

static void assert_permits(struct scene *scene, bool is_wanted, const char *member,
			   const char *types, const char *what)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int has_changed;

	if (sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
			       "org.tdxupd1.Manager", member, &error, &reply, types,
			       what) < 0)
		fail_msg("%s: %s", member, error.message);
	assert_true(sd_bus_message_read(reply, "b", &has_changed) > 0);
	assert_int_equal(has_changed, is_wanted);
	sd_bus_message_unref(reply);
}

/* To permit what nothing forbids is no error and leaves no trace. */
static void test_what_is_not_held_is_not_unheld(void **state)
{
	static const char *const phases[] = { "unheld", "unpinned" };
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_permits(&scene, false, "Unhold", "s", "1.5.16");
	assert_permits(&scene, false, "Unhold", "s", "all");
	assert_permits(&scene, false, "Unpin", "", NULL);
	assert_permits(&scene, false, "ResetFailed", "", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		assert_false(story_has(&scene, phases[i]));
	assert_null(scene_hold(&scene, "1.5.16", 0));
	assert_null(scene_pin(&scene, "1.5.06"));
	assert_permits(&scene, false, "Unhold", "s", "all");
	assert_permits(&scene, true, "Unhold", "s", "1.5.16");
	assert_permits(&scene, true, "Unpin", "", NULL);
	assert_permits(&scene, false, "Unhold", "s", "1.5.16");
	assert_permits(&scene, false, "Unpin", "", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		assert_true(story_has(&scene, phases[i]));
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
	scene_update_refused(&scene, FAILED, "1.5.16", 0);
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
	scene_update_refused(&scene, FAILED, "1.5.16", 0);
	assert_null(scene_call(&scene, SCENE_MANAGER, "ResetFailed"));
	scene_assert(&scene, SCENE_MANAGER, "LastResult", "");
	/* the job itself says what it said */
	scene_assert(&scene, job, "Result", "org.tdxupd1.Error.Refused");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	/* What runs is held, which is no trouble. */
	must_update(&scene, "1.5.06");
	scene_assert_host(&scene, "1.5.06", 0);
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
	/* It stays there, which is not all that could be. */
	scene_update_fails(&scene, "Pinned", NULL);
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
	scene_update_refused(&scene, PINNED, "1.5.08", 0);
	scene_end(&scene);
	free(large);
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
	/* Not there, not yet perhaps. */
	assert_null(scene_pin(&scene, "1.5.20"));
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_update_fails(&scene, "NoSuchVersion", NULL);
	/* Lower in security. */
	assert_null(scene_pin(&scene, "1.5.05"));
	scene_update_fails(&scene, "NoPath", NULL);
	/* Both at once. */
	assert_null(scene_pin(&scene, "1.5.16"));
	assert_null(scene_hold(&scene, "1.5.16", 0));
	scene_update_fails(&scene, "Held", NULL);
	scene_assert_host(&scene, "1.5.06", 0);
	assert_null(scene_unhold(&scene, "1.5.16"));
	must_update(&scene, NULL);
	scene_assert_host(&scene, "1.5.16", 1);
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
		cmocka_unit_test(test_what_is_not_held_is_not_unheld),
		cmocka_unit_test(test_what_failed_is_held),
		cmocka_unit_test(test_what_failed_is_forgotten_on_request),
		cmocka_unit_test(test_a_target),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_pins_that_lead_nowhere),
		cmocka_unit_test(test_a_reload_leaves_a_running_job_alone),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
