// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "tdxupd.h"

static void test_lists_survive_both_ways(void **state)
{
	static const struct {
		const char *list, *back;
		unsigned count;
	} cases[] = {
		{ "", "", 0 },
		{ "\n", "", 0 },
		{ "0", "0", 1 },
		{ "0-3\n", "0-3", 4 },
		{ "0-3,8", "0-3,8", 5 },
		{ "8,0-3", "0-3,8", 5 },
		{ "0,1,2", "0-2", 3 },
		{ "62-65", "62-65", 4 },
		{ "0-8191", "0-8191", 8192 },
		{ "5-5", "5", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_cpuset set;
		char *back;

		assert_int_equal(tdxupd_cpuset_parse(cases[i].list, &set), 0);
		assert_int_equal(tdxupd_cpuset_count(&set), cases[i].count);
		back = tdxupd_cpuset_format(&set);
		assert_string_equal(back, cases[i].back);
		free(back);
	}
}

static void test_anything_else_is_refused(void **state)
{
	static const struct {
		const char *list;
		int error;
	} cases[] = {
		{ "x", -EBADMSG },   { "0-", -EBADMSG },      { "-3", -EBADMSG },
		{ "3-1", -EBADMSG }, { "0,", -EBADMSG },      { ",0", -EBADMSG },
		{ "0 1", -EBADMSG }, { "0-3:1/2", -EBADMSG }, { "0\n\n", -EBADMSG },
		{ "8192", -ERANGE }, { "0-8192", -ERANGE },   { "4294967296", -ERANGE },
		{ "0x1", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_cpuset set = { .bits = { 42 } };

		assert_int_equal(tdxupd_cpuset_parse(cases[i].list, &set),
				 cases[i].error);
		assert_int_equal(set.bits[0], 42);
	}
	assert_int_equal(tdxupd_cpuset_parse(NULL, NULL), -EINVAL);
}

static void test_membership_has_an_end(void **state)
{
	struct tdxupd_cpuset set;

	(void)state;
	assert_int_equal(tdxupd_cpuset_parse("8191", &set), 0);
	assert_true(tdxupd_cpuset_has(&set, 8191));
	assert_false(tdxupd_cpuset_has(&set, 8190));
	assert_false(tdxupd_cpuset_has(&set, 8192));
	assert_false(tdxupd_cpuset_has(&set, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_survive_both_ways),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_membership_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
