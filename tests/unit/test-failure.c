// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "failure.h"

static void test_every_failure_has_a_name(void **state)
{
	(void)state;
	assert_null(failure_to_string(FAILURE_NONE));
	for (int i = FAILURE_NONE + 1; i < _FAILURE_MAX; i++) {
		const char *name = failure_to_string((enum failure)i);

		assert_non_null(name);
		assert_int_equal(strncmp(name, FAILURE_PREFIX, strlen(FAILURE_PREFIX)),
				 0);
		assert_int_equal(failure_from_string(name), i);
	}
}

static enum failure failure_of(enum tdxupd_check check)
{
	return failure_from_reason(tdxupd_check_get_reason(check));
}

static void test_what_a_verdict_amounts_to(void **state)
{
	static const struct {
		enum tdxupd_check check;
		enum failure failure;
	} table[] = {
		{ TDXUPD_CHECK_FILE_UNSAFE, FAILURE_UNTRUSTED },
		{ TDXUPD_CHECK_IMAGE_MAGIC, FAILURE_UNTRUSTED },
		{ TDXUPD_CHECK_MODULE_DEBUG, FAILURE_UNTRUSTED },
		{ TDXUPD_CHECK_SIGNATURE_INVALID, FAILURE_UNTRUSTED },
		{ TDXUPD_CHECK_MRSEAM_NOT_ALLOWED, FAILURE_FORBIDDEN },
		{ TDXUPD_CHECK_BLOCKED, FAILURE_FORBIDDEN },
		{ TDXUPD_CHECK_HELD, FAILURE_HELD },
		{ TDXUPD_CHECK_FAILED, FAILURE_FAILED },
		{ TDXUPD_CHECK_PINNED, FAILURE_PINNED },
		{ TDXUPD_CHECK_TDX_ABSENT, FAILURE_UNSUPPORTED },
		{ TDXUPD_CHECK_TDX_LOST, FAILURE_LOST },
		{ TDXUPD_CHECK_CPU_BUG, FAILURE_UNSUPPORTED },
		{ TDXUPD_CHECK_CPU_OFFLINE, FAILURE_NO_PATH },
		{ TDXUPD_CHECK_UPDATES_EXHAUSTED, FAILURE_EXHAUSTED },
		{ TDXUPD_CHECK_CPU_UNSUPPORTED, FAILURE_NO_PATH },
		{ TDXUPD_CHECK_SVN_LOWER, FAILURE_NO_PATH },
		{ TDXUPD_CHECK_MAPPING_MISSING, FAILURE_NO_PATH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(failure_of(table[i].check), table[i].failure);
	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++)
		assert_int_not_equal(failure_of((enum tdxupd_check)i), FAILURE_NONE);
}

/* The report keeps the order of the checks; the gravest is often not the first. */
static void test_the_gravest_verdict_speaks(void **state)
{
	struct tdxupd_report *report;
	char *detail = NULL;

	(void)state;
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(failure_from_report(report, &detail), FAILURE_NONE);
	tdxupd_report_add(report, TDXUPD_CHECK_TDX_LOST, TDXUPD_SEVERITY_WARN, "", "");
	assert_int_equal(failure_from_report(report, &detail), FAILURE_NONE);
	tdxupd_report_add(report, TDXUPD_CHECK_SVN_LOWER, TDXUPD_SEVERITY_UNKNOWN, "",
			  "");
	assert_int_equal(failure_from_report(report, &detail), FAILURE_NO_PATH);
	assert_non_null(detail);
	free(detail);
	tdxupd_report_add(report, TDXUPD_CHECK_SIGNATURE_INVALID, TDXUPD_SEVERITY_REFUSE,
			  "", "");
	assert_int_equal(failure_from_report(report, &detail), FAILURE_UNTRUSTED);
	free(detail);
	tdxupd_report_add(report, TDXUPD_CHECK_TDX_ABSENT, TDXUPD_SEVERITY_REFUSE, "",
			  "");
	assert_int_equal(failure_from_report(report, &detail), FAILURE_UNSUPPORTED);
	free(detail);
	tdxupd_report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_failure_has_a_name),
		cmocka_unit_test(test_what_a_verdict_amounts_to),
		cmocka_unit_test(test_the_gravest_verdict_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
