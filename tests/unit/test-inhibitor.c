// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "inhibitor.h"

static const struct inhibitor_limits limits = { .quota = { .per_sender = 2, .all = 3 } };

static struct inhibitor_registry *set_up(void)
{
	struct inhibitor_registry *registry = NULL;

	assert_int_equal(inhibitor_registry_new(&limits, &registry), 0);
	return registry;
}

static struct inhibitor *add(struct inhibitor_registry *registry,
			     enum inhibitor_mode mode, uint64_t until_usec)
{
	struct inhibitor wanted = { .mode = mode, .pid = 42, .until_usec = until_usec };
	struct inhibitor *inhibitor = NULL;

	assert_int_equal(
		inhibitor_add(registry, &wanted, "backup", "it is Friday", &inhibitor),
		0);
	return inhibitor;
}

static enum gate_state word(struct inhibitor_registry *registry, uint64_t now)
{
	struct gate_source source;

	inhibitor_registry_read(registry, now, &source);
	assert_int_equal(source.confidence, GATE_EXACT);
	assert_int_equal(source.blocker_count > 0, source.state == GATE_CLOSED);
	return source.state;
}

static void test_one_that_blocks_blocks_to_its_end(void **state)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = set_up();
	struct gate_source source;
	struct inhibitor *first, *second;

	(void)state;
	assert_int_equal(word(registry, 0), GATE_OPEN);
	first = add(registry, INHIBITOR_BLOCK, UINT64_MAX);
	inhibitor_registry_read(registry, 5, &source);
	assert_int_equal(source.state, GATE_CLOSED);
	assert_int_equal(source.blocker_count, 1);
	assert_string_equal(source.blockers[0].who, "backup");
	assert_int_equal(source.blockers[0].pid, 42);
	/* of TDs it knows nothing */
	assert_int_equal(source.count, 0);
	second = add(registry, INHIBITOR_BLOCK, UINT64_MAX);
	inhibitor_end(registry, first);
	assert_int_equal(word(registry, 5), GATE_CLOSED);
	inhibitor_end(registry, second);
	assert_int_equal(word(registry, 5), GATE_OPEN);
}

static void test_one_that_delays_counts_once_and_so_long(void **state)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = set_up();

	(void)state;
	add(registry, INHIBITOR_DELAY, UINT64_MAX);
	assert_int_equal(word(registry, 10), GATE_OPEN);
	assert_int_equal(inhibitor_get_next(registry, 10), UINT64_MAX);
	inhibitor_prepare(registry, 100);
	assert_int_equal(word(registry, 99), GATE_CLOSED);
	assert_int_equal(inhibitor_get_next(registry, 99), 100);
	assert_int_equal(word(registry, 100), GATE_OPEN);
	assert_int_equal(inhibitor_get_next(registry, 100), UINT64_MAX);
	inhibitor_rest(registry);
	assert_false(inhibitor_is_preparing(registry));
	assert_int_equal(word(registry, 50), GATE_OPEN);
	inhibitor_prepare(registry, 200);
	assert_int_equal(word(registry, 150), GATE_CLOSED);
}

static void test_a_time_that_is_over(void **state)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = set_up();
	struct inhibitor *first;

	(void)state;
	first = add(registry, INHIBITOR_BLOCK, 100);
	add(registry, INHIBITOR_BLOCK, 200);
	assert_int_equal(inhibitor_get_next(registry, 0), 100);
	assert_null(inhibitor_get_expired(registry, 99));
	assert_ptr_equal(inhibitor_get_expired(registry, 100), first);
	/* it counts no more, whether it was ended already or not */
	assert_int_equal(word(registry, 150), GATE_CLOSED);
	assert_int_equal(word(registry, 200), GATE_OPEN);
	inhibitor_end(registry, first);
	assert_int_equal(inhibitor_get_next(registry, 150), 200);
}

static void test_limits(void **state)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = set_up();
	static const struct {
		const char *sender;
		const char *who;
		int result;
	} table[] = {
		{ ":1.1", "", -EINVAL },   { ":1.1", "a", 0 }, { ":1.1", "a", 0 },
		{ ":1.1", "a", -EDQUOT },  { ":1.2", "a", 0 }, { ":1.1", "a", -EDQUOT },
		{ ":1.2", "a", -ENOBUFS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct inhibitor wanted = { .until_usec = UINT64_MAX };
		struct inhibitor *inhibitor;

		strcpy(wanted.sender, table[i].sender);
		assert_int_equal(
			inhibitor_add(registry, &wanted, table[i].who, "", &inhibitor),
			table[i].result);
	}
	assert_int_equal(inhibitor_count(registry), 3);
}

/* Anybody may see them, on a terminal. */
static void test_what_they_say_can_be_shown(void **state)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = set_up();
	struct inhibitor wanted = { .until_usec = UINT64_MAX };
	_cleanup_(cleanup_free)
	char *longest = malloc(1 << 20);
	struct inhibitor *inhibitor;

	(void)state;
	assert_non_null(longest);
	memset(longest, 'x', (1 << 20) - 1);
	longest[(1 << 20) - 1] = '\0';
	assert_int_equal(
		inhibitor_add(registry, &wanted, "a\x1b[2J\nb", longest, &inhibitor), 0);
	assert_string_equal(inhibitor->who, "a?[2J?b");
	assert_int_equal(strlen(inhibitor->why), INHIBITOR_WHY_BYTES - 1);
}

static void test_names_of_modes(void **state)
{
	(void)state;
	assert_int_equal(inhibitor_mode_from_string("block"), INHIBITOR_BLOCK);
	assert_int_equal(inhibitor_mode_from_string("delay"), INHIBITOR_DELAY);
	assert_int_equal(inhibitor_mode_from_string("Block"), _INHIBITOR_MODE_INVALID);
	assert_string_equal(inhibitor_mode_to_string(INHIBITOR_DELAY), "delay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_blocks_blocks_to_its_end),
		cmocka_unit_test(test_one_that_delays_counts_once_and_so_long),
		cmocka_unit_test(test_a_time_that_is_over),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_they_say_can_be_shown),
		cmocka_unit_test(test_names_of_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
