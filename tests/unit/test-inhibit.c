// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "inhibit.h"

/* Nothing is left behind by a job that has ended, and nothing blocks before it must. */
static void test_what_each_state_asks_for(void **state)
{
	static const enum inhibit_mode table[_JOB_STATE_MAX] = {
		[JOB_QUEUED] = INHIBIT_NOTHING,   [JOB_PLANNING] = INHIBIT_DELAY,
		[JOB_STAGING] = INHIBIT_DELAY,    [JOB_WAITING] = INHIBIT_DELAY,
		[JOB_COMMITTING] = INHIBIT_BLOCK, [JOB_CONFIRMING] = INHIBIT_BLOCK,
		[JOB_BACKOFF] = INHIBIT_DELAY,    [JOB_DONE] = INHIBIT_NOTHING,
		[JOB_FAILED] = INHIBIT_NOTHING,   [JOB_CANCELLED] = INHIBIT_NOTHING,
		[JOB_EXPIRED] = INHIBIT_NOTHING,  [JOB_LOST] = INHIBIT_NOTHING,
		[JOB_UNKNOWN] = INHIBIT_NOTHING,
	};

	(void)state;
	for (int i = 0; i < _JOB_STATE_MAX; i++)
		assert_int_equal(inhibit_mode_of((enum job_state)i), table[i]);
}

/* A host without a bus has nobody to ask. */
static void test_no_bus_is_no_trouble(void **state)
{
	struct inhibit inhibit = { 0 };

	(void)state;
	inhibit_set(&inhibit, NULL, INHIBIT_BLOCK);
	inhibit_set(&inhibit, NULL, INHIBIT_NOTHING);
	assert_int_equal(inhibit.mode, INHIBIT_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_each_state_asks_for),
		cmocka_unit_test(test_no_bus_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
