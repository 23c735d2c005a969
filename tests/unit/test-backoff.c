// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "backoff.h"

#define BASE UINT64_C(100000)
#define CAP  UINT64_C(60000000)

static void test_pauses_stay_within_their_bounds(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct backoff backoff;
		uint64_t last = BASE;

		backoff_init(&backoff, BASE, CAP, seed);
		for (int i = 0; i < 50; i++) {
			uint64_t pause = backoff_next(&backoff);

			assert_true(pause >= BASE && pause <= CAP);
			assert_true(pause <= last * 3);
			last = pause;
		}
	}
}

static void test_seeds_drift_apart_and_pauses_grow(void **state)
{
	uint64_t sum = 0;
	unsigned same = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct backoff one, other;

		backoff_init(&one, BASE, CAP, seed);
		backoff_init(&other, BASE, CAP, seed + 1);
		for (int i = 0; i < 20; i++)
			same += backoff_next(&one) == backoff_next(&other);
		sum += one.last_usec;
	}
	assert_true(same < 40); /* of 4000 */
	assert_true(sum / 200 > 10 * BASE);
}

static void test_the_same_seed_gives_the_same_pauses(void **state)
{
	struct backoff one, other;

	(void)state;
	backoff_init(&one, BASE, CAP, 7);
	backoff_init(&other, BASE, CAP, 7);
	for (int i = 0; i < 20; i++)
		assert_true(backoff_next(&one) == backoff_next(&other));
}

static void test_a_cap_below_the_base_means_the_base(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, BASE, BASE / 2, 1);
	for (int i = 0; i < 20; i++)
		assert_true(backoff_next(&backoff) == BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_stay_within_their_bounds),
		cmocka_unit_test(test_seeds_drift_apart_and_pauses_grow),
		cmocka_unit_test(test_the_same_seed_gives_the_same_pauses),
		cmocka_unit_test(test_a_cap_below_the_base_means_the_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
