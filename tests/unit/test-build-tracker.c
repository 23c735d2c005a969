// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "build-tracker.h"
#include "util.h"

/*
 * A story in words: `e1@5` MNG.INIT of TD 1 was entered at time 5; i returned 0 from it;
 * f finalize, v vpflushdone, k key_freeid; with `!` it returned an error. `L` events were
 * lost, `S` settled at the end of time, `P4` there were 4 TDs.
 */
static void tell(struct build_tracker *tracker, const char *story)
{
	static const char letters[] = "eifvk";
	static const enum probe_call calls[] = { PROBE_INIT, PROBE_INIT_RETURN,
						 PROBE_FINALIZE, PROBE_VPFLUSHDONE,
						 PROBE_FREEID };

	for (const char *p = story; *p; p++) {
		struct probe_event event = { .kind = PROBE_EVENT_CALL, .task = "vmm" };
		const char *letter = strchr(letters, *p);
		unsigned td, usec;
		int length;

		if (*p == 'L')
			build_tracker_take(tracker, &(struct probe_event){
							    .kind = PROBE_EVENT_LOST });
		if (*p == 'S')
			build_tracker_settle(tracker, 1000);
		if (*p == 'P')
			build_tracker_set_population(tracker, strtoull(p + 1, NULL, 10));
		if (!letter)
			continue;
		assert_int_equal(sscanf(p + 1, "%u@%u%n", &td, &usec, &length), 2);
		p += length;
		event.call = calls[letter - letters];
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
		/* from the entry on, and taken back where it fails */
		{ "S e1@1", true, 1 },
		{ "S e1@1 i1@2", true, 1 },
		{ "S e1@1 i1@2!", true, 0 },
		{ "S i1@2! e1@1", true, 0 },
		{ "S e1@1 i1@2 f1@3", true, 0 },
		{ "S e1@1 i1@2 e1@3 i1@4!", true, 1 },
		{ "S e1@1 i1@2! e1@3", true, 1 },
		{ "S e1@1 f1@2!", true, 1 },
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
		{ "S e1@1 L", false, 1 },
		{ "S e1@1 L S", true, 0 },
		{ "S e1@1 L i1@2 S", true, 1 },
		{ "S e1@1 L i1@2! S", true, 0 },
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
		{ "S e1@10 i1@20! ", 12, 30, 0 },
		{ "S e1@10 i1@20 f1@40", 12, 13, 1 },
		/* the pointer is used again, whatever becomes of the next */
		{ "S e1@10 i1@11 f1@20 k1@21 e1@30 i1@31!", 12, 25, 1 },
		{ "S e1@10 i1@11 f1@20 k1@21 e1@30 i1@31", 12, 35, 2 },
		/* its end was missed: it may have lasted until it was settled */
		{ "S i1@10 L S", 500, 600, 1 },
		{ "S i1@10 L S", 1001, 1002, 0 },
		{ "S i1@10 f1@20 L", 30, 31, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct gate_blocker *blockers;
		struct build_tracker *tracker;

		assert_int_equal(build_tracker_new(&tracker), 0);
		tell(tracker, table[i].story);
		assert_int_equal(build_tracker_list_overlap(tracker, table[i].from,
							    table[i].to, false,
							    &blockers),
				 table[i].count);
		assert_int_equal(build_tracker_list_overlap(tracker, table[i].from,
							    table[i].to, true, &blockers),
				 table[i].count + !!build_tracker_get_doubt(tracker));
		build_tracker_free(tracker);
	}
}

static void test_tds_are_accounted_for(void **state)
{
	static const struct {
		const char *story;
		bool is_known;
		uint64_t tds, known;
	} table[] = {
		{ "S", false, 0, 0 },
		{ "S P0", true, 0, 0 },
		{ "S P3", true, 3, 0 },
		{ "S e1@1 i1@2 P3", true, 3, 1 },
		{ "S P2 e1@1", true, 3, 1 },
		/* one that failed to begin holds its key until it is freed */
		{ "S P0 e1@1 i1@2!", true, 1, 1 },
		{ "S P0 e1@1 i1@2! k1@3", true, 0, 0 },
		{ "S P0 e1@1 i1@2 f1@3 v1@4", true, 1, 1 },
		{ "S P0 e1@1 i1@2 f1@3 v1@4 k1@5", true, 0, 0 },
		{ "S P0 e1@1 i1@2 f1@3 k1@5!", true, 1, 1 },
		/* older than the probes, seen since, gone */
		{ "S P2 f9@1", true, 2, 1 },
		{ "S P2 f9@1 k9@2", true, 1, 0 },
		{ "S P2 k9@2 k8@3 k7@3", true, 0, 0 },
		/* who may have gone unseen is not known */
		{ "S P0 e1@1 i1@2 f1@3 L", false, 0, 0 },
		{ "S P0 e1@1 i1@2 f1@3 L S", false, 0, 0 },
		{ "S P0 e1@1 i1@2 f1@3 L S P1", true, 1, 0 },
		{ "S P0 e1@1 i1@2 f1@3 L S P1 k1@4", true, 0, 0 },
		{ "S P0 e1@1 i1@2 L f1@3 S P1", true, 1, 1 },
		/* nor is one that begins unseen while the doubt lasts */
		{ "S e1@1 L P2", true, 2, 0 },
		{ "S e1@1 L P2 e3@3 i3@4", true, 3, 1 },
		{ "S e1@1 L P2 f1@3", true, 2, 1 },
		{ "S e1@1 L P2 f1@3 k1@4 S", true, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct build_tracker *tracker;
		uint64_t tds = 0;

		assert_int_equal(build_tracker_new(&tracker), 0);
		tell(tracker, table[i].story);
		if (build_tracker_count_tds(tracker, &tds) != table[i].is_known ||
		    tds != table[i].tds ||
		    build_tracker_count_known(tracker) != table[i].known)
			fail_msg("%s: %d %d", table[i].story, (int)tds,
				 (int)build_tracker_count_known(tracker));
		build_tracker_free(tracker);
	}
}

static void test_a_nameless_thread_gets_a_name(void **state)
{
	const struct gate_blocker *blockers;
	struct build_tracker *tracker;

	(void)state;
	assert_int_equal(build_tracker_new(&tracker), 0);
	tell(tracker, "S e1@11 e2@12");
	build_tracker_rename(tracker, 102, "qemu");
	assert_int_equal(build_tracker_list(tracker, &blockers), 2);
	assert_string_equal(blockers[0].who, "vmm");
	assert_string_equal(blockers[1].who, "qemu");
	build_tracker_free(tracker);
}

/* Ended builds make room; open ones never do: too many of them are a doubt. */
static void test_the_table_never_forgets_an_open_build(void **state)
{
	const struct gate_blocker *blockers;
	struct build_tracker *tracker;
	struct probe_event event = { .kind = PROBE_EVENT_CALL };

	(void)state;
	assert_int_equal(build_tracker_new(&tracker), 0);
	tell(tracker, "S");
	for (event.td = 1; event.td <= 5000; event.td++) {
		event.usec = event.td;
		event.call = PROBE_INIT_RETURN;
		build_tracker_take(tracker, &event);
		event.call = PROBE_FINALIZE;
		if (event.td % 10)
			build_tracker_take(tracker, &event);
	}
	assert_null(build_tracker_get_doubt(tracker));
	assert_int_equal(build_tracker_list(tracker, &blockers), 500);
	event.call = PROBE_INIT_RETURN;
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
		cmocka_unit_test(test_tds_are_accounted_for),
		cmocka_unit_test(test_a_nameless_thread_gets_a_name),
		cmocka_unit_test(test_the_table_never_forgets_an_open_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
