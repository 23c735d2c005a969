// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "tdxupd.h"

static struct tdxupd_report *new_report(void)
{
	struct tdxupd_report *report = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_non_null(report);
	return report;
}

static void test_only_warnings_pass(void **state)
{
	struct tdxupd_report *report = new_report();

	(void)state;
	assert_true(tdxupd_report_is_passed(report));
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_FEATURES_LOST,
					   TDXUPD_SEVERITY_WARN, NULL, NULL),
			 0);
	assert_true(tdxupd_report_is_passed(report));
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_HANDOFF_RANGE,
					   TDXUPD_SEVERITY_UNKNOWN, NULL, NULL),
			 0);
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);

	report = new_report();
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_BLOCKED,
					   TDXUPD_SEVERITY_REFUSE, NULL, NULL),
			 0);
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	assert_false(tdxupd_report_is_passed(NULL));
}

static void test_order_is_that_of_the_checks(void **state)
{
	static const enum tdxupd_check added[] = {
		TDXUPD_CHECK_SVN_LOWER,   TDXUPD_CHECK_FILE_UNSAFE,
		TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_CHECK_FILE_UNSAFE,
		TDXUPD_CHECK_IMAGE_MAGIC, TDXUPD_CHECK_FEATURES_LOST,
	};
	struct tdxupd_report *report = new_report(), *merged = new_report();

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		char found[8];

		snprintf(found, sizeof(found), "%zu", i);
		assert_int_equal(tdxupd_report_add(i % 2 ? report : merged, added[i],
						   TDXUPD_SEVERITY_REFUSE, found, ""),
				 0);
	}
	assert_int_equal(tdxupd_report_merge(merged, report), 0);
	assert_int_equal(tdxupd_report_count(merged), 6);
	for (size_t i = 1; i < 6; i++)
		assert_true(tdxupd_report_get(merged, i - 1)->check <=
			    tdxupd_report_get(merged, i)->check);
	/* Of the same check, the one that came first stays first. */
	assert_string_equal(tdxupd_report_get(merged, 0)->found, "1");
	assert_string_equal(tdxupd_report_get(merged, 1)->found, "3");
	assert_null(tdxupd_report_get(merged, 6));
	assert_true(tdxupd_report_has(merged, TDXUPD_CHECK_SVN_LOWER));
	assert_false(tdxupd_report_has(report, TDXUPD_CHECK_SVN_LOWER));
	assert_false(tdxupd_report_has(NULL, TDXUPD_CHECK_SVN_LOWER));

	assert_int_equal(tdxupd_report_merge(merged, report), 0);
	assert_int_equal(tdxupd_report_merge(merged, merged), 0);
	assert_int_equal(tdxupd_report_count(merged), 6); /* nothing is said twice */
	tdxupd_report_free(report);
	tdxupd_report_free(merged);
}

static void test_text_is_cut_and_printable(void **state)
{
	struct tdxupd_report *report = new_report();
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '\033';
	text[1] = '\n';
	text[299] = '\0';
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_BLOCKED,
					   TDXUPD_SEVERITY_REFUSE, text, "\xff"),
			 0);
	assert_memory_equal(tdxupd_report_get(report, 0)->found, "??aa", 4);
	assert_int_equal(strlen(tdxupd_report_get(report, 0)->found),
			 TDXUPD_VERDICT_TEXT_BYTES - 1);
	assert_string_equal(tdxupd_report_get(report, 0)->wanted, "?");
	tdxupd_report_free(report);
}

static void test_nonsense_is_not_added(void **state)
{
	struct tdxupd_report *report = new_report();

	(void)state;
	assert_int_equal(tdxupd_report_add(report, _TDXUPD_CHECK_MAX,
					   TDXUPD_SEVERITY_REFUSE, "", ""),
			 -EINVAL);
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_BLOCKED,
					   _TDXUPD_SEVERITY_MAX, "", ""),
			 -EINVAL);
	assert_int_equal(tdxupd_report_add(NULL, TDXUPD_CHECK_BLOCKED,
					   TDXUPD_SEVERITY_REFUSE, "", ""),
			 -EINVAL);
	assert_int_equal(tdxupd_report_merge(report, NULL), -EINVAL);
	assert_int_equal(tdxupd_report_count(report), 0);
	assert_int_equal(tdxupd_report_count(NULL), 0);
	tdxupd_report_free(report);
	assert_null(tdxupd_report_free(NULL));
}

static void test_verdict_is_a_sentence(void **state)
{
	static const struct {
		struct tdxupd_verdict verdict;
		const char *begins;
	} table[] = {
		{ { TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_REFUSE, "0-2", "0-3" },
		  "a CPU is offline: found 0-2, wanted 0-3. Bring " },
		{ { TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_REFUSE, "0-2", "" },
		  "a CPU is offline: 0-2. Bring " },
		{ { TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_REFUSE, "", "0-3" },
		  "a CPU is offline: wanted 0-3. Bring " },
		{ { TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_UNKNOWN, "", "" },
		  "cannot be ruled out: a CPU is offline. Bring " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *text = tdxupd_verdict_format(&table[i].verdict);

		assert_non_null(text);
		if (strncmp(text, table[i].begins, strlen(table[i].begins)) != 0)
			fail_msg("%s", text);
		free(text);
	}
	assert_null(tdxupd_verdict_format(NULL));
	assert_null(tdxupd_verdict_format(
		&(struct tdxupd_verdict){ .check = _TDXUPD_CHECK_MAX }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_warnings_pass),
		cmocka_unit_test(test_order_is_that_of_the_checks),
		cmocka_unit_test(test_text_is_cut_and_printable),
		cmocka_unit_test(test_nonsense_is_not_added),
		cmocka_unit_test(test_verdict_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
