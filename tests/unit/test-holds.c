// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <sys/stat.h>

#include "test.h"
#include "holds.h"
#include "state-dir.h"
#include "tree.h"

static int add(struct holds *holds, const char *what, uint64_t until)
{
	struct hold hold = { .what = (char *)what,
			     .reason = (char *)"because",
			     .by = (char *)"alice (uid 1000)",
			     .until_usec = until };

	return holds_add(holds, &hold);
}

static const struct hold *find(const struct holds *holds, const char *version)
{
	struct tdxupd_version v;

	assert_int_equal(tdxupd_version_parse(version, &v), 0);
	return holds_find(holds, &v);
}

static void test_what_is_held(void **state)
{
	struct holds holds = { 0 };

	(void)state;
	assert_null(holds_find(&holds, NULL));
	assert_int_equal(add(&holds, "1.5.16", UINT64_MAX), 0);
	assert_null(holds_find(&holds, NULL));
	assert_null(find(&holds, "1.5.06"));
	assert_string_equal(find(&holds, "1.5.16")->reason, "because");
	assert_int_equal(add(&holds, HOLDS_ALL, UINT64_MAX), 0);
	assert_non_null(holds_find(&holds, NULL));
	assert_non_null(find(&holds, "1.5.06"));
	assert_int_equal(holds_remove(&holds, HOLDS_ALL), 0);
	assert_int_equal(holds_remove(&holds, HOLDS_ALL), -ENOENT);
	assert_int_equal(holds_remove(&holds, "1.5.16"), 0);
	assert_null(find(&holds, "1.5.16"));
	holds_done(&holds);
}

static void test_a_version_is_held_once(void **state)
{
	struct holds holds = { 0 };

	(void)state;
	assert_int_equal(add(&holds, "1.5.06", 5), 0);
	assert_int_equal(add(&holds, "1.5.6", 7), 0);
	assert_int_equal(holds.count, 1);
	assert_int_equal(holds.items[0].until_usec, 7);
	assert_int_equal(add(&holds, "1.5", 5), -EINVAL);
	assert_int_equal(add(&holds, "", 5), -EINVAL);
	assert_int_equal(add(&holds, "everything", 5), -EINVAL);
	holds_done(&holds);
}

#define NOW UINT64_C(1800000000000000)

static void test_holds_end(void **state)
{
	struct holds holds = { 0 };

	(void)state;
	assert_true(holds_get_next(&holds) == UINT64_MAX);
	add(&holds, "1.5.05", NOW + 20);
	add(&holds, "1.5.06", NOW + 10);
	add(&holds, "1.5.08", UINT64_MAX);
	assert_true(holds_get_next(&holds) == NOW + 10);
	assert_false(holds_expire(&holds, NOW + 9));
	assert_true(holds_expire(&holds, NOW + 10));
	assert_null(find(&holds, "1.5.06"));
	assert_true(holds_get_next(&holds) == NOW + 20);
	assert_true(holds_expire(&holds, NOW + 1000));
	assert_int_equal(holds.count, 1);
	assert_true(holds_get_next(&holds) == UINT64_MAX);
	holds_done(&holds);
}

/* Whatever the clock does, it ends nothing early but by being too far ahead. */
static void test_a_clock_that_is_wrong(void **state)
{
	struct holds holds = { 0 };

	(void)state;
	add(&holds, "1.5.06", NOW);
	assert_false(holds_expire(&holds, 0)); /* in 1970, or set back */
	assert_false(holds_expire(&holds, NOW - 1));
	/* For an hour, from a clock in 1970; then it is set. */
	add(&holds, "1.5.08", UINT64_C(3600000000));
	assert_true(holds_get_next(&holds) == NOW);
	assert_true(holds_expire(&holds, NOW));
	assert_null(find(&holds, "1.5.06"));
	assert_non_null(find(&holds, "1.5.08"));
	assert_true(holds_get_next(&holds) == UINT64_MAX);
	holds_done(&holds);
}

static void test_holds_are_bounded(void **state)
{
	struct holds holds = { 0 };
	char version[32];
	int r = 0;

	(void)state;
	for (unsigned i = 0; r == 0 && i < 10000; i++) {
		snprintf(version, sizeof(version), "1.5.%u", i);
		r = add(&holds, version, UINT64_MAX);
	}
	assert_int_equal(r, -ENOSPC);
	holds_done(&holds);
}

/* What may be added can be read back, however it is written in JSON. */
static void test_the_longest_reasons_come_back(void **state)
{
	char reason[HOLDS_REASON_BYTES_MAX + 2], version[32];
	struct hold hold = { .what = version, .reason = reason, .until_usec = 1 };
	struct holds holds = { 0 }, back;
	struct tree tree;
	char *note = NULL;
	int r = 0;

	(void)state;
	memset(reason, '"', sizeof(reason));
	reason[HOLDS_REASON_BYTES_MAX + 1] = '\0';
	strcpy(version, "1.5.16");
	assert_int_equal(holds_add(&holds, &hold), -EMSGSIZE);
	reason[HOLDS_REASON_BYTES_MAX] = '\0';
	for (unsigned i = 0; r == 0; i++) {
		snprintf(version, sizeof(version), "65535.65535.%u", 65000 + i);
		r = holds_add(&holds, &hold);
	}
	assert_int_equal(r, -ENOSPC);
	tree_new(&tree);
	assert_int_equal(holds_save(tree.fd, &holds), 0);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_null(note);
	assert_int_equal(back.count, holds.count);
	assert_string_equal(back.items[0].reason, reason);
	holds_done(&holds);
	holds_done(&back);
	tree_remove(&tree);
}

static void test_what_failed_is_forgiven_and_nothing_else(void **state)
{
	struct holds holds = { 0 };

	(void)state;
	assert_false(holds_forgive(&holds));
	add(&holds, "1.5.16", UINT64_MAX);
	add(&holds, "1.5.24", UINT64_MAX);
	add(&holds, HOLDS_ALL, UINT64_MAX);
	holds.items[1].is_automatic = true;
	holds.items[2].is_automatic = true;
	assert_true(holds_forgive(&holds));
	assert_int_equal(holds.count, 2);
	assert_string_equal(holds.items[0].what, "1.5.16");
	assert_string_equal(holds.items[1].what, HOLDS_ALL);
	assert_false(holds_forgive(&holds));
	holds_done(&holds);
}

/* Whoever may hold may not write to the terminals of those who look. */
static void test_reasons_act_on_no_terminal(void **state)
{
	struct hold hold = { .what = (char *)"all", .reason = (char *)"a\n\x1b[2Jb" };
	struct holds holds = { 0 };

	(void)state;
	assert_int_equal(holds_add(&holds, &hold), 0);
	assert_string_equal(holds.items[0].reason, "a??[2Jb");
	holds_done(&holds);
}

static void test_the_file_comes_back(void **state)
{
	struct holds holds = { 0 }, back;
	struct tree tree;
	char *note = NULL;

	(void)state;
	tree_new(&tree);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_null(note);
	assert_int_equal(back.count, 0);
	add(&holds, "1.5.16", UINT64_C(1800000000000000));
	add(&holds, HOLDS_ALL, UINT64_MAX);
	holds.items[1].is_automatic = true;
	assert_int_equal(holds_save(tree.fd, &holds), 0);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_null(note);
	assert_int_equal(back.count, 2);
	assert_string_equal(back.items[0].what, "1.5.16");
	assert_string_equal(back.items[0].reason, "because");
	assert_true(back.items[0].until_usec == UINT64_C(1800000000000000));
	assert_false(back.items[0].is_automatic);
	assert_true(back.items[1].until_usec == UINT64_MAX);
	assert_true(back.items[1].is_automatic);
	holds_done(&back);
	holds_done(&holds);
	tree_remove(&tree);
}

static void pin(struct holds *holds, const char *version, const char *reason)
{
	struct pin pin = { .reason = (char *)reason,
			   .since_usec = 77,
			   .by = (char *)"bob (uid 1001)" };

	assert_int_equal(tdxupd_version_parse(version, &pin.version), 0);
	assert_int_equal(holds_pin(holds, &pin), 0);
}

static void test_a_pin(void **state)
{
	struct holds holds = { 0 }, back;
	struct tdxupd_policy *policy;
	struct tree tree;
	char *note = NULL;

	(void)state;
	tree_new(&tree);
	assert_int_equal(holds_unpin(&holds), -ENOENT);
	pin(&holds, "1.5.08", NULL);
	pin(&holds, "1.5.16", "verifiers know \"it\"");
	add(&holds, "1.5.06", UINT64_MAX);
	assert_int_equal(holds_save(tree.fd, &holds), 0);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_null(note);
	assert_true(back.pin.is_set);
	assert_int_equal(back.pin.version.update, 16);
	assert_string_equal(back.pin.reason, "verifiers know \"it\"");
	assert_true(back.pin.since_usec == 77);
	assert_string_equal(back.pin.by, "bob (uid 1001)");
	assert_string_equal(back.items[0].by, "alice (uid 1000)");

	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(holds_apply(&back, policy), 0);
	assert_true(policy->has_pin);
	assert_int_equal(policy->pin.update, 16);
	assert_string_equal(policy->pin_reason, "verifiers know \"it\"");
	assert_true(policy->pin_since_usec == 77);
	assert_string_equal(policy->pin_by, "bob (uid 1001)");
	assert_string_equal(policy->holds[0].by, "alice (uid 1000)");
	assert_int_equal(policy->blocked_version_count, 0);
	assert_int_equal(policy->hold_count, 1);
	assert_int_equal(policy->holds[0].version.update, 6);
	/* These and no others, however often. */
	add(&back, HOLDS_ALL, UINT64_MAX);
	assert_int_equal(holds_apply(&back, policy), 0);
	assert_int_equal(policy->hold_count, 2);
	assert_true(policy->holds[1].is_all);
	assert_int_equal(holds_remove(&back, HOLDS_ALL), 0);
	assert_int_equal(holds_apply(&back, policy), 0);
	assert_int_equal(policy->hold_count, 1);
	tdxupd_policy_free(policy);

	assert_int_equal(holds_unpin(&back), 0);
	assert_int_equal(holds_save(tree.fd, &back), 0);
	holds_done(&back);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_false(back.pin.is_set);
	assert_int_equal(back.count, 1);
	holds_done(&back);
	holds_done(&holds);
	tree_remove(&tree);
}

/* Whoever only looks leaves nothing behind. */
static void test_reading_makes_no_directory(void **state)
{
	struct holds holds;
	struct tree tree;
	char *note = NULL;

	(void)state;
	tree_new(&tree);
	assert_int_equal(holds_load(tree.fd, &holds, &note), 0);
	assert_null(note);
	assert_int_equal(faccessat(tree.fd, "var", F_OK, 0), -1);
	holds_done(&holds);
	tree_remove(&tree);
}

/* Releases before wrote down no names. */
static void test_a_file_of_before(void **state)
{
	struct holds holds;
	struct tree tree;
	char *note = NULL;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, STATE_DIR "/" HOLDS_FILE,
		 "{\"holds\":[{\"what\":\"1.5.16\",\"reason\":\"why\",\"since_usec\":5}],"
		 "\"pin\":{\"version\":\"1.5.06\",\"reason\":\"x\",\"since_usec\":6}}");
	assert_int_equal(fchmodat(tree.fd, STATE_DIR, 0755, 0), 0);
	assert_int_equal(fchmodat(tree.fd, STATE_DIR "/" HOLDS_FILE, 0600, 0), 0);
	assert_int_equal(holds_load(tree.fd, &holds, &note), 0);
	assert_null(note);
	assert_string_equal(find(&holds, "1.5.16")->reason, "why");
	assert_string_equal(find(&holds, "1.5.16")->by, "");
	assert_string_equal(holds.pin.by, "");
	holds_done(&holds);
	tree_remove(&tree);
}

/* What could not be listed is ended by name like all else that is shown. */
static void test_what_is_not_listed_is_shown_and_ended(void **state)
{
	struct holds holds = { .has_unlisted = true };

	(void)state;
	assert_int_equal(add(&holds, "1.5.16", UINT64_MAX), 0);
	assert_string_equal(holds_get(&holds, 0)->what, "1.5.16");
	assert_string_equal(holds_get(&holds, 1)->what, HOLDS_ALL);
	assert_null(holds_get(&holds, 2));
	assert_int_equal(holds_remove(&holds, HOLDS_ALL), 0);
	assert_null(holds_get(&holds, 1));
	assert_null(find(&holds, "1.5.06"));
	assert_int_equal(holds_remove(&holds, HOLDS_ALL), -ENOENT);
	holds_done(&holds);
}

static void test_nonsense_holds_everything(void **state)
{
	static const char *const table[] = {
		"",
		"{}",
		"[]",
		"{\"holds\":{}}",
		"{\"holds\":[1]}",
		"{\"holds\":[{\"what\":7}]}",
		"{\"holds\":[{\"what\":\"x\"}]}",
		"{\"holds\":[],\"pin\":{\"version\":\"1.5\"}}",
		"{\"holds\":[],\"pin\":\"1.5.16\"}",
		"{\"holds\":[],\"pin\":{}}",
		"{\"holds\":[{\"what\":\"1.5.16\"}]",
		"{\"holds\":[[[[[[]]]]]]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct holds holds;
		struct tree tree;
		char *note = NULL;

		tree_new(&tree);
		tree_put(&tree, STATE_DIR "/" HOLDS_FILE, table[i]);
		assert_int_equal(fchmodat(tree.fd, STATE_DIR, 0755, 0), 0);
		assert_int_equal(fchmodat(tree.fd, STATE_DIR "/" HOLDS_FILE, 0600, 0), 0);
		assert_int_equal(holds_load(tree.fd, &holds, &note), 0);
		assert_non_null(note);
		assert_non_null(holds_find(&holds, NULL));
		free(note);
		holds_done(&holds);
		tree_remove(&tree);
	}
}

static void test_a_file_of_others_holds_everything(void **state)
{
	struct holds holds;
	struct tree tree;
	char *note = NULL;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, STATE_DIR "/" HOLDS_FILE, "{\"holds\":[]}");
	assert_int_equal(fchmodat(tree.fd, STATE_DIR, 0755, 0), 0);
	assert_int_equal(fchmodat(tree.fd, STATE_DIR "/" HOLDS_FILE, 0666, 0), 0);
	assert_int_equal(holds_load(tree.fd, &holds, &note), 0);
	assert_non_null(holds_find(&holds, NULL));
	free(note);
	holds_done(&holds);
	tree_remove(&tree);
}

/* What forbids does not get less because something could not be added. */
static void test_a_copy_and_what_does_not_fit(void **state)
{
	struct holds holds = { .has_unlisted = true }, copy, back;
	const struct pin pinned = { .version = { 1, 5, 13 }, .reason = (char *)"here" };
	char *note = NULL;
	struct tree tree;
	char what[16];

	(void)state;
	tree_new(&tree);
	for (unsigned i = 0; i < 128; i++) {
		snprintf(what, sizeof(what), "1.5.%u", i + 1);
		assert_int_equal(add(&holds, what, UINT64_MAX), 0);
	}
	assert_int_equal(holds_pin(&holds, &pinned), 0);
	assert_int_equal(add(&holds, "1.5.200", UINT64_MAX), -ENOSPC);
	/* One that is there may change. */
	assert_int_equal(add(&holds, "1.5.16", UINT64_MAX), 0);
	assert_int_equal(holds.count, 128);
	assert_int_equal(holds_copy(&holds, &copy), 0);
	holds_done(&holds);
	assert_int_equal(copy.count, 128);
	assert_true(copy.has_unlisted);
	assert_string_equal(copy.pin.reason, "here");
	assert_int_equal(holds_save(tree.fd, &copy), 0);
	assert_int_equal(holds_load(tree.fd, &back, &note), 0);
	assert_null(note);
	assert_true(back.has_unlisted);
	/* All is held. */
	assert_non_null(find(&back, "1.5.200"));
	assert_non_null(holds_find(&back, NULL));
	assert_true(holds_forgive(&back));
	assert_null(find(&back, "1.5.200"));
	holds_done(&copy);
	holds_done(&back);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_held),
		cmocka_unit_test(test_a_version_is_held_once),
		cmocka_unit_test(test_holds_end),
		cmocka_unit_test(test_a_clock_that_is_wrong),
		cmocka_unit_test(test_holds_are_bounded),
		cmocka_unit_test(test_the_longest_reasons_come_back),
		cmocka_unit_test(test_what_failed_is_forgiven_and_nothing_else),
		cmocka_unit_test(test_a_copy_and_what_does_not_fit),
		cmocka_unit_test(test_reasons_act_on_no_terminal),
		cmocka_unit_test(test_the_file_comes_back),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_reading_makes_no_directory),
		cmocka_unit_test(test_a_file_of_before),
		cmocka_unit_test(test_what_is_not_listed_is_shown_and_ended),
		cmocka_unit_test(test_nonsense_holds_everything),
		cmocka_unit_test(test_a_file_of_others_holds_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
