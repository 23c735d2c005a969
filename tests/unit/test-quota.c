// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <unistd.h>

#include "quota.h"
#include "test.h"

static void test_the_whole_table(void **state)
{
	static const struct quota quota = {
		.per_sender = 3, .per_user = 4, .all = 32, .reserve = 8
	};
	static const struct {
		bool is_trusted;
		struct quota_use use;
		int answer;
	} table[] = {
		{ false, { 0, 0, 0 }, 0 },
		{ false, { 2, 3, 23 }, 0 },
		{ false, { 3, 3, 3 }, -EDQUOT },
		/* Another connection is no way around it. */
		{ false, { 0, 4, 4 }, -EDQUOT },
		{ false, { 0, 0, 24 }, -ENOBUFS },
		/* Full in both ways: what the user can do something about is said. */
		{ false, { 0, 4, 24 }, -EDQUOT },
		{ true, { 0, 0, 24 }, 0 },
		{ true, { 2, 31, 31 }, 0 },
		{ true, { 3, 3, 3 }, -EDQUOT },
		{ true, { 0, 0, 32 }, -ENOBUFS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(quota_check(&quota, table[i].is_trusted, &table[i].use),
				 table[i].answer);
	assert_true(quota_is_trusted(0));
	assert_true(quota_is_trusted(geteuid()));
	assert_false(quota_is_trusted((uid_t)-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
