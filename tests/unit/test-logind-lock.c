// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "logind-lock.h"

/* Nothing is left behind by a job that has ended, and nothing blocks before it must. */
static void test_what_each_state_asks_for(void **state)
{
	static const enum logind_lock_mode table[_JOB_STATE_MAX] = {
		[JOB_QUEUED] = LOGIND_LOCK_NOTHING,
		[JOB_PLANNING] = LOGIND_LOCK_DELAY,
		[JOB_STAGING] = LOGIND_LOCK_DELAY,
		[JOB_WAITING] = LOGIND_LOCK_DELAY,
		[JOB_COMMITTING] = LOGIND_LOCK_BLOCK,
		[JOB_CONFIRMING] = LOGIND_LOCK_BLOCK,
		[JOB_BACKOFF] = LOGIND_LOCK_DELAY,
		[JOB_DONE] = LOGIND_LOCK_NOTHING,
		[JOB_FAILED] = LOGIND_LOCK_NOTHING,
		[JOB_CANCELLED] = LOGIND_LOCK_NOTHING,
		[JOB_EXPIRED] = LOGIND_LOCK_NOTHING,
		[JOB_LOST] = LOGIND_LOCK_NOTHING,
		[JOB_UNKNOWN] = LOGIND_LOCK_NOTHING,
	};

	(void)state;
	for (int i = 0; i < _JOB_STATE_MAX; i++)
		assert_int_equal(logind_lock_mode_of((enum job_state)i), table[i]);
}

/* A host without a bus has nobody to ask. */
static void test_no_bus_is_no_trouble(void **state)
{
	struct logind_locks locks = { 0 };

	(void)state;
	logind_locks_set(&locks, NULL, LOGIND_LOCK_BLOCK);
	logind_locks_set(&locks, NULL, LOGIND_LOCK_NOTHING);
	assert_int_equal(locks.mode, LOGIND_LOCK_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_each_state_asks_for),
		cmocka_unit_test(test_no_bus_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
