// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "build-tracker.h"
#include "util.h"

/*
 * A story in words: `i1@5` MNG.INIT of TD 1 returned 0 at time 5; f finalize, v
 * vpflushdone, k key_freeid; with `!` it returned an error. `L` events were lost, `S`
 * settled at the end of time.
 */
static void tell(struct build_tracker *tracker, const char *story)
{
	static const char letters[] = "ifvk";

	for (const char *p = story; *p; p++) {
		struct probe_event event = { .kind = PROBE_EVENT_RETURNED,
					     .task = "vmm" };
		const char *letter = strchr(letters, *p);
		unsigned td, usec;
		int length;

		if (*p == 'L')
			build_tracker_take(tracker, &(struct probe_event){
							    .kind = PROBE_EVENT_LOST });
		if (*p == 'S')
			build_tracker_settle(tracker, 1000);
		if (!letter)
			continue;
		assert_int_equal(sscanf(p + 1, "%u@%u%n", &td, &usec, &length), 2);
		p += length;
		event.call = (enum probe_call)(letter - letters);
		event.td = td;
		event.usec = usec;
		event.pid = (pid_t)td + 100;
		if (p[1] == '!')
			event.result = 0x8000020000000080;
		build_tracker_take(tracker, &event);
	}
}

static void test_stories(void **state)
{
	static const struct {
		const char *story;
		bool is_sure;
		size_t count;
	} table[] = {
		{ "", false, 0 },
		{ "S", true, 0 },
		{ "S i1@1", true, 1 },
		{ "S i1@1 f1@2", true, 0 },
		{ "S i1@1 v1@2", true, 0 },
		{ "S i1@1 k1@2", true, 0 },
		{ "S i1@1 i2@2 f1@3", true, 1 },
		/* only success counts */
		{ "S i1@1!", true, 0 },
		{ "S i1@1 f1@2!", true, 1 },
		{ "S i1@1 v1@2! f1@3", true, 0 },
		/* a TD that was given up after its end, and others that nobody saw begin
		 */
		{ "S i1@1 f1@2 v1@3 k1@4", true, 0 },
		{ "S f9@1 v9@2 k9@3", true, 0 },
		/* the pointer is used again */
		{ "S i1@1 f1@2 k1@3 i1@4", true, 1 },
		{ "S i1@1 f1@2 i1@4", true, 1 },
		{ "S i1@1 i1@4 f1@5", true, 0 },
		/* read in another order than it happened */
		{ "S f1@2 i1@1", true, 0 },
		{ "S v1@2 i1@1", true, 0 },
		{ "S i1@1 i1@5 k1@3", true, 1 },
		{ "S i1@1 f1@2 i1@5 v1@3 k1@4", true, 1 },
		/* doubt: what was open may be over, what was seen since is not */
		{ "i1@1", false, 1 },
		{ "i1@1 S", true, 1 },
		{ "S i1@1 L", false, 1 },
		{ "S i1@1 L S", true, 0 },
		{ "S i1@1 L i2@2 S", true, 1 },
		{ "S i1@1 L i1@2 S", true, 1 },
		{ "S i1@1 L f1@2 S", true, 0 },
		{ "S L", false, 0 },
		{ "S L S L", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct gate_blocker *blockers;
		struct build_tracker *tracker;

		assert_int_equal(build_tracker_new(&tracker), 0);
		tell(tracker, table[i].story);
		if (!build_tracker_get_doubt(tracker) != table[i].is_sure ||
		    build_tracker_list(tracker, &blockers) != table[i].count)
			fail_msg("%s", table[i].story);
		build_tracker_free(tracker);
	}
}

static void test_blockers_are_named(void **state)
{
	const struct gate_blocker *blockers;
	struct build_tracker *tracker;

	(void)state;
	assert_int_equal(build_tracker_new(&tracker), 0);
	tell(tracker, "S i1@11 i2@12 f1@13");
	assert_int_equal(build_tracker_list(tracker, &blockers), 1);
	assert_string_equal(blockers[0].who, "vmm");
	assert_int_equal(blockers[0].pid, 102);
	assert_int_equal(blockers[0].since_usec, 12);
	build_tracker_free(tracker);
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *story;
		uint64_t from, to;
		size_t count;
	} table[] = {
		{ "S i1@10 f1@20", 1, 9, 0 },
		{ "S i1@10 f1@20", 1, 10, 1 },
		{ "S i1@10 f1@20", 12, 13, 1 },
		{ "S i1@10 f1@20", 20, 30, 1 },
		{ "S i1@10 f1@20", 21, 30, 0 },
		{ "S i1@10", 21, 30, 1 },
		{ "S f1@10", 5, 15, 0 }, /* nobody saw it begin */
		{ "S i1@10 i2@11 f2@12 i3@40", 12, 30, 2 },
		/* its end was missed: it may have lasted until it was settled */
		{ "S i1@10 L S", 500, 600, 1 },
		{ "S i1@10 L S", 1001, 1002, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct gate_blocker *blockers;
		struct build_tracker *tracker;

		assert_int_equal(build_tracker_new(&tracker), 0);
		tell(tracker, table[i].story);
		assert_int_equal(build_tracker_list_overlap(tracker, table[i].from,
							    table[i].to, &blockers),
				 table[i].count);
		build_tracker_free(tracker);
	}
}

/* Ended builds make room; open ones never do: too many of them are a doubt. */
static void test_the_table_never_forgets_an_open_build(void **state)
{
	const struct gate_blocker *blockers;
	struct build_tracker *tracker;
	struct probe_event event = { .kind = PROBE_EVENT_RETURNED, .call = PROBE_INIT };

	(void)state;
	assert_int_equal(build_tracker_new(&tracker), 0);
	tell(tracker, "S");
	for (event.td = 1; event.td <= 5000; event.td++) {
		event.usec = event.td;
		event.call = PROBE_INIT;
		build_tracker_take(tracker, &event);
		event.call = PROBE_FINALIZE;
		if (event.td % 10)
			build_tracker_take(tracker, &event);
	}
	assert_null(build_tracker_get_doubt(tracker));
	assert_int_equal(build_tracker_list(tracker, &blockers), 500);
	event.call = PROBE_INIT;
	for (event.td = 10000; event.td < 11000; event.td++)
		build_tracker_take(tracker, &event);
	assert_non_null(build_tracker_get_doubt(tracker));
	assert_true(build_tracker_list(tracker, &blockers) > 500);
	build_tracker_free(tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_blockers_are_named),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_the_table_never_forgets_an_open_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
