// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "kvm-tracker.h"
#include "util.h"

#define SETTLE 100

static void test_events(void **state)
{
	static const struct {
		struct kvm_event_text text;
		int r;
		struct kvm_event event;
	} table[] = {
		{ { "create", "42", "7", "/kvm/42-11" }, 0, { true, 42, 7, "42-11" } },
		{ { "destroy", "42", "7", "/kvm/42-11" }, 0, { false, 42, 7, "42-11" } },
		{ { "create", "42", "7", NULL }, 0, { true, 42, 7, "" } },
		{ { NULL, "42", "7", NULL }, -EBADMSG, { 0 } },
		{ { "change", "42", "7", NULL }, -EBADMSG, { 0 } },
		{ { "", "42", "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", NULL, "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", "", "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", "-1", "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", "4 2", "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", "2147483648", "7", NULL }, -EBADMSG, { 0 } },
		{ { "create", "42", NULL, NULL }, -EBADMSG, { 0 } },
		{ { "create", "42", "99999999999999999999", NULL }, -EBADMSG, { 0 } },
		/* the name becomes a part of a path */
		{ { "create", "42", "7", "" }, -EBADMSG, { 0 } },
		{ { "create", "42", "7", "42-11" }, -EBADMSG, { 0 } },
		{ { "create", "42", "7", "/kvm/" }, -EBADMSG, { 0 } },
		{ { "create", "42", "7", "/kvm/.." }, -EBADMSG, { 0 } },
		{ { "create", "42", "7", "/kvm/42-11\n" }, -EBADMSG, { 0 } },
		{ { "create", "42", "7", "/kvm/111111111111111111111111" },
		  -EBADMSG,
		  { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct kvm_event event = { 0 };

		assert_int_equal(kvm_event_parse(&table[i].text, &event), table[i].r);
		assert_int_equal(event.is_create, table[i].event.is_create);
		assert_int_equal(event.pid, table[i].event.pid);
		assert_int_equal(event.created, table[i].event.created);
		assert_string_equal(event.vm, table[i].event.vm);
	}
}

static void take(struct kvm_tracker *tracker, bool is_create, pid_t pid, uint64_t created,
		 uint64_t now)
{
	struct kvm_event event = { .is_create = is_create,
				   .pid = pid,
				   .created = created };

	snprintf(event.vm, sizeof(event.vm), "%d-9", (int)pid);
	kvm_tracker_take(tracker, &event, now);
}

static struct gate_source read_at(struct kvm_tracker *tracker, uint64_t now)
{
	struct gate_source source;

	kvm_tracker_read(tracker, now, &source);
	assert_int_equal(source.confidence, GATE_HINT);
	return source;
}

static void test_a_new_vm_closes_for_the_settle_time(void **state)
{
	struct gate_source source;
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	assert_int_equal(read_at(tracker, 1).state, GATE_OPEN);
	take(tracker, true, 42, 1, 10);
	take(tracker, true, 43, 2, 50);
	source = read_at(tracker, 60);
	assert_int_equal(source.state, GATE_CLOSED);
	assert_int_equal(source.count, 2);
	assert_int_equal(source.blockers[0].pid, 42);
	assert_string_equal(source.blockers[0].who, "new VM 42-9");
	assert_int_equal(source.blockers[0].since_usec, 10);
	assert_int_equal(kvm_tracker_get_next(tracker), 110);
	assert_int_equal(read_at(tracker, 110).count, 1);
	assert_int_equal(kvm_tracker_get_next(tracker), 150);
	assert_int_equal(read_at(tracker, 150).state, GATE_OPEN);
	assert_true(kvm_tracker_get_next(tracker) == UINT64_MAX);
	kvm_tracker_free(tracker);
}

static void test_a_vm_that_is_gone_or_has_run_settles_at_once(void **state)
{
	const char(*names)[KVM_VM_NAME_BYTES];
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	take(tracker, true, 42, 1, 10);
	take(tracker, true, 43, 2, 10);
	take(tracker, false, 42, 2, 11);
	assert_int_equal(kvm_tracker_list_young(tracker, 12, &names), 1);
	assert_string_equal(names[0], "43-9");
	kvm_tracker_forget(tracker, "43-9");
	assert_int_equal(read_at(tracker, 13).state, GATE_OPEN);
	/* one that was never seen */
	take(tracker, false, 99, 2, 14);
	assert_int_equal(read_at(tracker, 15).state, GATE_OPEN);
	kvm_tracker_free(tracker);
}

/* The same process, the same descriptor: the first one's end is told late. */
static void test_of_two_with_one_name_the_older_goes(void **state)
{
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	take(tracker, true, 42, 1, 10);
	take(tracker, true, 42, 2, 100);
	take(tracker, false, 42, 2, 101);
	assert_int_equal(read_at(tracker, 150).count, 1);
	assert_int_equal(kvm_tracker_get_next(tracker), 200);
	kvm_tracker_free(tracker);
}

static void test_doubt_lasts_for_the_settle_time(void **state)
{
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	kvm_tracker_doubt(tracker, "because", 10);
	assert_int_equal(read_at(tracker, 11).state, GATE_UNKNOWN);
	assert_string_equal(read_at(tracker, 11).reason, "because");
	assert_int_equal(kvm_tracker_get_next(tracker), 110);
	take(tracker, true, 42, 1, 50);
	assert_int_equal(read_at(tracker, 60).state, GATE_CLOSED);
	take(tracker, false, 42, 1, 70);
	assert_int_equal(read_at(tracker, 80).state, GATE_UNKNOWN);
	assert_int_equal(read_at(tracker, 110).state, GATE_OPEN);
	kvm_tracker_free(tracker);
}

/* A reload of the configuration is about those that are young already, too. */
static void test_another_settle_time(void **state)
{
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	take(tracker, true, 42, 1, 10);
	kvm_tracker_doubt(tracker, "because", 20);
	kvm_tracker_set_settle(tracker, 2 * SETTLE);
	assert_int_equal(read_at(tracker, 150).state, GATE_CLOSED);
	assert_int_equal(kvm_tracker_get_next(tracker), 210);
	assert_int_equal(read_at(tracker, 210).state, GATE_UNKNOWN);
	/* SettleSec=infinity */
	kvm_tracker_set_settle(tracker, UINT64_MAX);
	assert_int_equal(read_at(tracker, 210).state, GATE_UNKNOWN);
	take(tracker, true, 43, 2, 211);
	assert_int_equal(read_at(tracker, UINT64_MAX - 1).state, GATE_CLOSED);
	take(tracker, false, 43, 2, 212);
	kvm_tracker_set_settle(tracker, SETTLE);
	assert_int_equal(read_at(tracker, 213).state, GATE_OPEN);
	kvm_tracker_free(tracker);
}

static void test_a_gap_in_the_count_is_a_doubt(void **state)
{
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	take(tracker, true, 42, 7, 0); /* the first one tells where the count is */
	take(tracker, false, 42, 7, 1);
	assert_int_equal(read_at(tracker, 2).state, GATE_OPEN);
	take(tracker, true, 43, 9, 3);
	take(tracker, false, 43, 9, 4);
	assert_int_equal(read_at(tracker, 5).state, GATE_UNKNOWN);
	assert_int_equal(read_at(tracker, 103).state, GATE_OPEN);
	/* overtaken */
	take(tracker, true, 45, 8, 110);
	take(tracker, false, 45, 10, 111);
	assert_int_equal(read_at(tracker, 112).state, GATE_UNKNOWN);
	kvm_tracker_free(tracker);
}

/* 10,000 in a second: memory stays what it is, and none is taken for settled. */
static void test_a_flood_is_a_doubt(void **state)
{
	struct kvm_tracker *tracker;

	(void)state;
	assert_int_equal(kvm_tracker_new(SETTLE, &tracker), 0);
	for (int i = 0; i < 10000; i++)
		take(tracker, true, i + 1, (uint64_t)i + 1, 10);
	for (int i = 0; i < 10000; i++)
		take(tracker, false, i + 1, 10000, 11);
	assert_int_equal(read_at(tracker, 12).state, GATE_UNKNOWN);
	assert_int_equal(read_at(tracker, 110).state, GATE_OPEN);
	kvm_tracker_free(tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_a_new_vm_closes_for_the_settle_time),
		cmocka_unit_test(test_a_vm_that_is_gone_or_has_run_settles_at_once),
		cmocka_unit_test(test_of_two_with_one_name_the_older_goes),
		cmocka_unit_test(test_doubt_lasts_for_the_settle_time),
		cmocka_unit_test(test_another_settle_time),
		cmocka_unit_test(test_a_gap_in_the_count_is_a_doubt),
		cmocka_unit_test(test_a_flood_is_a_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
