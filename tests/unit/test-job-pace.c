// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "duration.h"
#include "job-pace.h"

#define SEC USEC_PER_SEC

static void test_pauses_grow_and_end(void **state)
{
	struct job_pace pace = { 0 };
	uint64_t last = 0, all = 0;

	(void)state;
	for (unsigned i = 0; i < JOB_PACE_ROUNDS_MAX; i++) {
		uint64_t pause = job_pace_go_back(&pace, 0);

		assert_true(pause >= SEC && pause <= 30 * SEC);
		assert_true(pause == 2 * last || pause == 30 * SEC || !last);
		last = pause;
		all += pause;
	}
	/* whoever does this is at it for minutes */
	assert_true(all > 5 * 60 * SEC);
	assert_true(job_pace_go_back(&pace, 0) == UINT64_MAX);
	assert_true(job_pace_go_back(&pace, 0) == UINT64_MAX);
}

/* `udevadm trigger` every ten minutes is no loop. */
static void test_a_calm_begins_anew(void **state)
{
	struct job_pace pace = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(job_pace_go_back(&pace, 600 * SEC), SEC);
}

/* A week of a kernel that says busy, as fast as the gate allows, each attempt with the
 * records that are made of it: less than a quarter of a history by default. */
static void test_refusals_leave_the_history_alone(void **state)
{
	struct job_pace pace = { 0 };
	uint64_t now = 0, bytes = 0;

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(job_pace_refused(&pace), 0);
	while (now < 7 * 24 * 3600 * SEC) {
		now += job_pace_refused(&pace) + SEC / 1000;
		bytes += (job_pace_is_terse(&pace) ? 2 : 5) * 450;
	}
	assert_true(bytes < 4 * 1048576);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow_and_end),
		cmocka_unit_test(test_a_calm_begins_anew),
		cmocka_unit_test(test_refusals_leave_the_history_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
