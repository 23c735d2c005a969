// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "lease.h"

static const struct lease_limits limits = { .quota = { .per_sender = 3, .all = 5 },
					    .age_usec = 100 };

static struct lease *ask(struct lease_registry *registry, const char *vm, uint64_t now)
{
	struct lease *lease = NULL;

	assert_int_equal(lease_ask(registry, vm, vm, 0, 42, now, &lease), 0);
	return lease;
}

static struct gate_source read_at(struct lease_registry *registry, uint64_t now)
{
	struct gate_source source;

	lease_registry_read(registry, now, &source);
	return source;
}

static void test_only_a_lease_that_is_held_closes(void **state)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = NULL;
	struct gate_source source;
	struct lease *lease;

	(void)state;
	assert_int_equal(lease_registry_new(&limits, &registry), 0);
	source = read_at(registry, 1);
	assert_int_equal(source.state, GATE_OPEN);
	assert_int_equal(source.confidence, GATE_HINT);
	lease = ask(registry, "vm1", 10);
	assert_int_equal(read_at(registry, 11).state, GATE_OPEN);
	lease_grant(lease, 12);
	source = read_at(registry, 13);
	assert_int_equal(source.state, GATE_CLOSED);
	assert_int_equal(source.confidence, GATE_EXACT);
	assert_int_equal(source.count, 1);
	assert_string_equal(source.blockers[0].who, "vm1");
	assert_int_equal(source.blockers[0].pid, 42);
	assert_int_equal(source.blockers[0].since_usec, 12);
	lease_end(registry, lease);
	assert_int_equal(read_at(registry, 14).state, GATE_OPEN);
}

static void test_first_come_first_served(void **state)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = NULL;
	struct lease *a, *b, *c;

	(void)state;
	assert_int_equal(lease_registry_new(&limits, &registry), 0);
	assert_null(lease_get_first_waiting(registry));
	a = ask(registry, "a", 1);
	b = ask(registry, "b", 1);
	c = ask(registry, "c", 1);
	assert_ptr_equal(lease_get_first_waiting(registry), a);
	lease_end(registry, a); /* gave up */
	assert_ptr_equal(lease_get_first_waiting(registry), b);
	lease_grant(b, 2);
	assert_ptr_equal(lease_get_first_waiting(registry), c);
	assert_int_equal(lease_count(registry), 2);
	assert_ptr_equal(lease_get(registry, 0), b);
	assert_null(lease_get(registry, 2));
}

static void test_limits(void **state)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = NULL;
	struct lease *lease, *first = NULL;

	(void)state;
	assert_int_equal(lease_registry_new(&limits, &registry), 0);
	assert_int_equal(lease_ask(registry, "", ":1.1", 0, 1, 1, &lease), -EINVAL);
	assert_int_equal(lease_ask(registry, "a", ":1.1", 0, 1, 1, &first), 0);
	assert_int_equal(lease_ask(registry, "b", ":1.1", 0, 1, 1, &lease), 0);
	assert_int_equal(lease_ask(registry, "c", ":1.1", 0, 1, 1, &lease), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(lease_ask(registry, "d", ":1.1", 0, 1, 1, &lease),
				 -EDQUOT);
	assert_int_equal(lease_ask(registry, "a", ":1.2", 0, 1, 1, &lease), 0);
	assert_int_equal(lease_ask(registry, "b", ":1.2", 0, 1, 1, &lease), 0);
	assert_int_equal(lease_ask(registry, "c", ":1.2", 0, 1, 1, &lease), -ENOBUFS);
	lease_end(registry, first);
	assert_int_equal(lease_ask(registry, "c", ":1.2", 0, 1, 1, &lease), 0);
}

static void test_one_that_is_too_old_is_told_once_and_ignored(void **state)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = NULL;
	struct lease *old, *young;

	(void)state;
	assert_int_equal(lease_registry_new(&limits, &registry), 0);
	assert_true(lease_get_next_expiry(registry) == UINT64_MAX);
	old = ask(registry, "old", 1);
	assert_true(lease_get_next_expiry(registry) == UINT64_MAX); /* it waits */
	lease_grant(old, 10);
	young = ask(registry, "young", 50);
	lease_grant(young, 50);
	assert_int_equal(lease_get_next_expiry(registry), 110);
	assert_null(lease_expire_next(registry, 109));
	assert_int_equal(read_at(registry, 109).count, 2);
	assert_int_equal(read_at(registry, 110).count, 1);
	assert_ptr_equal(lease_expire_next(registry, 110), old);
	assert_null(lease_expire_next(registry, 110));
	assert_int_equal(lease_get_next_expiry(registry), 150);
	assert_int_equal(lease_count(registry), 2);
	assert_int_equal(read_at(registry, 150).state, GATE_OPEN);
}

static void test_names_are_made_printable(void **state)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = NULL;

	(void)state;
	assert_int_equal(lease_registry_new(&limits, &registry), 0);
	assert_string_equal(ask(registry, "a\n\x1b[1mb", 1)->vm, "a??[1mb");
}

/* Many connections are one user's. */
static void test_users_share_what_there_is(void **state)
{
	static const struct lease_limits tight = {
		.quota = { .per_sender = 2, .per_user = 3, .all = 6, .reserve = 2 },
		.age_usec = 100,
	};
	static const struct {
		const char *sender;
		uid_t uid;
		int answer;
	} table[] = {
		{ ":1.1", 3000001, 0 },
		{ ":1.1", 3000001, 0 },
		{ ":1.1", 3000001, -EDQUOT },
		{ ":1.2", 3000001, 0 },
		{ ":1.3", 3000001, -EDQUOT },
		{ ":1.4", 3000002, 0 },
		{ ":1.5", 3000003, -ENOBUFS },
		{ ":1.6", 0, 0 },
		{ ":1.6", 0, 0 },
		{ ":1.7", 0, -ENOBUFS },
	};
	struct lease_registry *registry;
	struct lease *lease;

	(void)state;
	assert_int_equal(lease_registry_new(&tight, &registry), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(lease_ask(registry, "vm", table[i].sender, table[i].uid,
					   1, 1, &lease),
				 table[i].answer);
	lease_registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_lease_that_is_held_closes),
		cmocka_unit_test(test_first_come_first_served),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_one_that_is_too_old_is_told_once_and_ignored),
		cmocka_unit_test(test_names_are_made_printable),
		cmocka_unit_test(test_users_share_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
