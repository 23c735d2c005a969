// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "barrier.h"

#define DRAIN UINT64_C(30000)
#define MAX   UINT64_C(1600)
#define SHUT  UINT64_C(1500) /* what the daemon takes of it */

static const struct barrier_config config = { .drain_after_usec = DRAIN,
					      .max_usec = MAX };

static void test_it_shuts_when_no_gap_came(void **state)
{
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &config);
	assert_true(barrier_get_next(&barrier) == UINT64_MAX);
	barrier_tick(&barrier, 1000000);
	assert_false(barrier_is_shut(&barrier, 1000000));
	barrier_want(&barrier, 1000, false);
	assert_int_equal(barrier_get_next(&barrier), 1000 + DRAIN);
	barrier_want(&barrier, 5000, false); /* changes nothing */
	assert_int_equal(barrier_get_next(&barrier), 1000 + DRAIN);
	barrier_tick(&barrier, 999 + DRAIN);
	assert_false(barrier_is_shut(&barrier, 999 + DRAIN));
	barrier_tick(&barrier, 1000 + DRAIN);
	assert_true(barrier_is_shut(&barrier, 1000 + DRAIN));
	barrier_end(&barrier);
	assert_false(barrier_is_shut(&barrier, 1001 + DRAIN));
}

static void test_it_opens_in_time_even_where_nobody_ticks(void **state)
{
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &config);
	barrier_want(&barrier, 0, true);
	assert_true(barrier_is_shut(&barrier, SHUT - 1));
	assert_false(barrier_is_shut(&barrier, SHUT));
	assert_true(SHUT < MAX);
}

static void test_a_hurry_shuts_at_once_and_only_once(void **state)
{
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &config);
	barrier_want(&barrier, 0, false);
	barrier_want(&barrier, 10, true);
	assert_true(barrier_is_shut(&barrier, 10));
	barrier_tick(&barrier, 10 + SHUT);
	barrier_want(&barrier, 11 + SHUT, true);
	assert_false(barrier_is_shut(&barrier, 11 + SHUT));
}

static void test_pauses_grow_up_to_a_limit(void **state)
{
	struct barrier barrier;
	uint64_t last = 0, now = 0;

	(void)state;
	barrier_init(&barrier, &config);
	barrier_want(&barrier, 0, true);
	for (int i = 0; i < 20; i++) {
		uint64_t opened = now = barrier_get_next(&barrier);

		barrier_tick(&barrier, now);
		assert_false(barrier_is_shut(&barrier, now));
		now = barrier_get_next(&barrier);
		assert_true(now - opened >= MAX && now - opened >= last);
		assert_true(i == 0 || now - opened == last * 2 || last == MAX * 32);
		last = now - opened;
		barrier_tick(&barrier, now);
		assert_true(barrier_is_shut(&barrier, now));
		assert_int_equal(barrier_get_next(&barrier), now + SHUT);
	}
	assert_int_equal(barrier.rounds, 21);
	/* another update starts from the beginning */
	barrier_end(&barrier);
	barrier_want(&barrier, now, false);
	assert_int_equal(barrier_get_next(&barrier), now + DRAIN);
}

/* A lease that is granted in the middle of an update is worth nothing. */
static void test_a_commit_holds_launches_to_its_end(void **state)
{
	const uint64_t end = 100 + BARRIER_COMMIT_USEC;
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &config);
	barrier_want(&barrier, 0, false);
	barrier_commit(&barrier, 100);
	assert_int_equal(barrier_get_next(&barrier), end);
	for (uint64_t at = 100; at < 2 * end; at += 1000 * SHUT) {
		barrier_tick(&barrier, at);
		barrier_commit(&barrier, at); /* once more changes nothing */
		assert_true(barrier_is_shut(&barrier, at));
		assert_int_equal(barrier_is_overdue(&barrier, at), at >= end);
	}
	/* nothing to do any more until it ends */
	assert_true(barrier_get_next(&barrier) == UINT64_MAX);
	barrier_end(&barrier);
	assert_false(barrier_is_shut(&barrier, 200));
	assert_false(barrier_is_overdue(&barrier, end));
}

/* Refused by the kernel, it gives launches no more and no less than they had. */
static void test_a_commit_that_was_refused(void **state)
{
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &config);
	barrier_want(&barrier, 0, true);
	barrier_commit(&barrier, 100);
	barrier_want(&barrier, 200, true);
	assert_true(barrier_is_shut(&barrier, SHUT - 1));
	assert_false(barrier_is_shut(&barrier, SHUT));
	/* its time was over when it was committed */
	barrier_commit(&barrier, 5 * SHUT);
	barrier_want(&barrier, 6 * SHUT, true);
	assert_false(barrier_is_shut(&barrier, 6 * SHUT));
	assert_int_equal(barrier_get_next(&barrier), 6 * SHUT + MAX);
}

static void test_zero_switches_it_off_and_infinity_waits_for_ever(void **state)
{
	struct barrier barrier;

	(void)state;
	barrier_init(&barrier, &(struct barrier_config){ .drain_after_usec = DRAIN });
	barrier_want(&barrier, 0, true);
	barrier_tick(&barrier, 10 * DRAIN);
	assert_false(barrier_is_shut(&barrier, 10 * DRAIN));
	assert_true(barrier_get_next(&barrier) == UINT64_MAX);
	/* the end of a commit is waited for all the same */
	barrier_commit(&barrier, 10 * DRAIN);
	assert_true(barrier_is_shut(&barrier, 10 * DRAIN));
	barrier_want(&barrier, 11 * DRAIN, true);
	assert_false(barrier_is_shut(&barrier, 11 * DRAIN));
	barrier_init(&barrier, &(struct barrier_config){ UINT64_MAX, MAX });
	barrier_want(&barrier, 5, false);
	assert_true(barrier_get_next(&barrier) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_shuts_when_no_gap_came),
		cmocka_unit_test(test_it_opens_in_time_even_where_nobody_ticks),
		cmocka_unit_test(test_a_hurry_shuts_at_once_and_only_once),
		cmocka_unit_test(test_pauses_grow_up_to_a_limit),
		cmocka_unit_test(test_a_commit_holds_launches_to_its_end),
		cmocka_unit_test(test_a_commit_that_was_refused),
		cmocka_unit_test(test_zero_switches_it_off_and_infinity_waits_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
