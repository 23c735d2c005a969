// SPDX-License-Identifier: LGPL-2.1-or-later
/* Job.Wait(): for whoever wants nothing but to know how it came out. */
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define SERVICE    "org.tdxupd1"
#define JOB        "org.tdxupd1.Job"
#define PER_SENDER 16

/* What came back: how many, and the last one's result and detail, or error. */
struct answers {
	unsigned count, refused;
	char result[64];
	char detail[256];
};

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct answers *answers = userdata;
	const sd_bus_error *refusal = sd_bus_message_get_error(message);
	const char *result, *detail;

	(void)error;
	if (refusal) {
		answers->refused++;
		snprintf(answers->result, sizeof(answers->result), "%s", refusal->name);
		return 0;
	}
	assert_true(sd_bus_message_read(message, "ss", &result, &detail) >= 0);
	answers->count++;
	snprintf(answers->result, sizeof(answers->result), "%s", result);
	snprintf(answers->detail, sizeof(answers->detail), "%s", detail);
	return 0;
}

static void ask(sd_bus *bus, const char *job, struct answers *answers)
{
	sd_bus_message *call = NULL;

	assert_true(sd_bus_message_new_method_call(bus, &call, SERVICE, job, JOB,
						   "Wait") >= 0);
	assert_true(sd_bus_call_async(bus, NULL, call, on_answer, answers, UINT64_MAX) >=
		    0);
	sd_bus_message_unref(call);
}

static void await(sd_bus *bus, const unsigned *number, unsigned wanted)
{
	unsigned waited = 0;

	while (*number != wanted)
		if (!scene_listen(bus, &waited))
			fail_msg("%u answers, not %u", *number, wanted);
}

static char *start_waiting(struct scene *scene)
{
	scene_start(scene, NULL);
	return scene_update_waiting(scene);
}

static void test_it_returns_when_the_job_has_ended(void **state)
{
	struct answers answers = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = start_waiting(&scene);

	(void)state;
	ask(scene.bus, job, &answers);
	scene_assert(&scene, job, "Phase", "waiting");
	assert_int_equal(answers.count, 0);
	world_do(&scene.world, "td step vm1 finalize");
	await(scene.bus, &answers.count, 1);
	assert_string_equal(answers.result, "done");
	assert_string_equal(answers.detail, "");
	scene_assert(&scene, job, "Result", "done");
	/* afterwards at once */
	ask(scene.bus, job, &answers);
	await(scene.bus, &answers.count, 2);
	scene_end(&scene);
}

static void test_it_says_why_not(void **state)
{
	struct answers answers = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = start_waiting(&scene);

	(void)state;
	ask(scene.bus, job, &answers);
	assert_null(scene_call(&scene, job, "Cancel"));
	await(scene.bus, &answers.count, 1);
	assert_string_equal(answers.result, "org.tdxupd1.Error.Cancelled");
	assert_string_equal(answers.detail, "cancelled on request");
	scene_assert(&scene, job, "Phase", "waiting");
	scene_assert(&scene, job, "Progress", "50");
	scene_end(&scene);
}

static void test_one_client_waits_so_often_and_no_more(void **state)
{
	struct answers answers = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = start_waiting(&scene);

	(void)state;
	for (unsigned i = 0; i < PER_SENDER + 100; i++)
		ask(scene.bus, job, &answers);
	await(scene.bus, &answers.refused, 100);
	assert_string_equal(answers.result, "org.tdxupd1.Error.Limit");
	assert_int_equal(answers.count, 0);
	world_do(&scene.world, "td step vm1 finalize");
	await(scene.bus, &answers.count, PER_SENDER);
	scene_end(&scene);
}

/* A stranger's calls count no more when the stranger is gone. */
static void test_whoever_has_gone_is_forgotten(void **state)
{
	struct answers answers = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = start_waiting(&scene);

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		sd_bus *stranger = NULL;

		assert_true(sd_bus_new(&stranger) >= 0);
		assert_true(sd_bus_set_address(stranger, scene.address) >= 0);
		assert_true(sd_bus_set_bus_client(stranger, true) >= 0);
		assert_true(sd_bus_start(stranger) >= 0);
		for (unsigned i = 0; i < PER_SENDER; i++)
			ask(stranger, job, &answers);
		/* all of them were read */
		assert_true(sd_bus_call_method(stranger, SERVICE, "/org/tdxupd1",
					       "org.freedesktop.DBus.Peer", "Ping", NULL,
					       NULL, NULL) >= 0);
		while (sd_bus_process(stranger, NULL) > 0)
			;
		sd_bus_close_unref(stranger);
	}
	assert_int_equal(answers.refused, 0);
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	assert_int_equal(answers.count, 0);
	scene_end(&scene);
}

static void test_a_daemon_that_stops_answers(void **state)
{
	struct answers answers = { 0 };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = start_waiting(&scene);

	(void)state;
	ask(scene.bus, job, &answers);
	scene_assert(&scene, job, "State", "waiting");
	assert_int_equal(scene_stop(&scene), 0);
	await(scene.bus, &answers.count, 1);
	assert_string_equal(answers.result, "org.tdxupd1.Error.Interrupted");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_returns_when_the_job_has_ended),
		cmocka_unit_test(test_it_says_why_not),
		cmocka_unit_test(test_one_client_waits_so_often_and_no_more),
		cmocka_unit_test(test_whoever_has_gone_is_forgotten),
		cmocka_unit_test(test_a_daemon_that_stops_answers),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
