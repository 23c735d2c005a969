// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "manager-suspect.h"

/* One source's word, and whether a hit is excluded by it, without and with a module that
 * refuses. */
static const struct {
	struct gate_source word;
	bool is_excluded;
} table[] = {
	{ { .name = "kernel", .state = GATE_OPEN, .confidence = GATE_EXACT }, true },
	{ { .name = "probes", .state = GATE_CLOSED, .confidence = GATE_EXACT }, true },
	{ { .name = "probes", .state = GATE_UNKNOWN, .confidence = GATE_EXACT }, false },
	{ { .name = "population", .state = GATE_OPEN, .confidence = GATE_EXACT }, true },
	{ { .name = "population", .state = GATE_UNKNOWN }, false },
	{ { .name = "kvm", .state = GATE_OPEN, .confidence = GATE_HINT }, false },
	{ { .name = "kvm", .state = GATE_CLOSED, .confidence = GATE_HINT }, false },
	{ { .name = "leases", .state = GATE_CLOSED, .confidence = GATE_EXACT }, false },
	{ { .name = "leases", .state = GATE_OPEN, .confidence = GATE_HINT }, false },
	{ { .name = "inhibitors",
	    .is_veto = true,
	    .state = GATE_OPEN,
	    .confidence = GATE_EXACT },
	  false },
};

static void test_who_can_exclude_a_hit(void **state)
{
	(void)state;
	assert_false(suspect_is_excluded(NULL, 0, false));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(suspect_is_excluded(&table[i].word, 1, false),
				 table[i].is_excluded);
		assert_true(suspect_is_excluded(&table[i].word, 1, true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_can_exclude_a_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
